"""gluonzoo/data/fetch/fine_grained.py: the originals, from a server on this machine, and the drawn birds."""
import hashlib
import io
import json
import re
import tarfile
import tracemalloc
from collections import namedtuple

import pytest
from fine_grained_cases import WRITE
from get_checks import (
    check_a_card_of_something_else,
    check_a_folder_that_is_not_empty,
    check_a_full_disk,
    check_an_interruption_leaves_nothing,
    names,
    runner,
    serving,
    tree,
)

from gluonzoo.commands.data import FINE_GRAINED_DATASETS
from gluonzoo.data.fetch import fine_grained, room
from gluonzoo.data.fetch.fine_grained import ORIGINALS
from gluonzoo.data.fine_grained import KINDS

SMALL = '--train', '24', '--val', '12', '--size', '64'
# Of each archive, which files of the dataset are in it, and the folder around them.
PARTS = {'cub': {'CUB_200_2011.tgz': (r'', 'CUB_200_2011/')},
         'aircraft': {'fgvc-aircraft-2013b.tar.gz': (r'data/', 'fgvc-aircraft-2013b/')},
         'cars': {'car_devkit.tgz': (r'devkit/', ''), 'cars_test_annos_withlabels.mat': (r'cars_test_annos', None),
                  'cars_train.tgz': (r'cars_train/', ''), 'cars_test.tgz': (r'cars_test/', '')},
         'dogs': {'lists.tar': (r'.*\.mat', ''), 'images.tar': (r'Images/', '')}}


@pytest.fixture(params=PARTS)
def name(request):
    return request.param


def archive(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w:gz', format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def original(name, tmp_path, monkeypatch):
    """The files of a small original, archive -> bytes, which the tables take for the real one."""
    (tmp_path / 'made').mkdir()
    WRITE[name](tmp_path / 'made')
    content = tree(tmp_path / 'made')
    if name == 'dogs':
        content['file_list.mat'] = b'of all'
    made = {}
    for file, (pattern, within) in PARTS[name].items():
        inside = {path: data for path, data in content.items() if re.match(pattern, path)}
        assert inside, file
        made[file] = next(iter(inside.values())) if within is None else archive(
            {within + path: data for path, data in inside.items()})
    return made


@pytest.fixture
def server(name, original, monkeypatch):
    with serving(monkeypatch, {f'/{file}': content for file, content in original.items()}) as running:
        files = tuple(file._replace(
            address=file.address and running.url + '/', md5=hashlib.md5(original[file.name]).hexdigest(),
            bytes=len(original[file.name]), unpacked=file.unpacked and 1 << 20) for file in ORIGINALS[name].files)
        monkeypatch.setitem(fine_grained.ORIGINALS, name, ORIGINALS[name]._replace(
            files=files, counts={'train': 5, 'test': 3}, classes=3))
        yield running


@pytest.fixture
def get(name, tmp_path, capsys):
    return runner(('data', name), tmp_path / 'data' / 'out', capsys)


@pytest.fixture
def saved(original, tmp_path):
    """The files of the original on this machine, under other names."""
    paths = []
    for number, content in enumerate(original.values()):
        paths.append(tmp_path / f'saved {number}')
        paths[-1].write_bytes(content)
    return paths


def archives(paths):
    return ('--archive', *map(str, paths))


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(name, get, monkeypatch):
    monkeypatch.setattr(fine_grained, 'download', None)   # nothing may be downloaded
    code, said, _ = get('--synthetic', *SMALL, '--seed', '2')
    assert (code, said) == (0, f'{get.out}: the SYNTHETIC dataset, made now\n')
    assert names(get.out.parent) == ['out']
    data = [KINDS[name](get.out, split) for split in ('train', 'test')]
    assert [len(part) for part in data] == [24, 12]
    labels = [sorted(part.sample(record).label for record in range(len(part))) for part in data]
    assert labels == [sorted([*range(12)] * 2), [*range(12)]]
    sides = {part.sample(record).image.shape[:2] for part in data for record in range(len(part))}
    assert {max(each) for each in sides} == {64} and min(map(min, sides)) >= 48 and len(sides) > 10
    pictures = {part.sample(record).image.tobytes() for part in data for record in range(len(part))}
    assert len(pictures) == 36   # none is in both
    card = json.loads((get.out / 'dataset.json').read_text())
    assert card['kind'] == 'synthetic' and card['name'] == name
    assert card['settings'] == {'train': 24, 'val': 12, 'size': 64, 'seed': 2}


def test_it_is_made_once(get):
    get('--synthetic', *SMALL)
    before = tree(get.out)
    assert get('--synthetic', *SMALL)[:2] == (0, f'{get.out}: the SYNTHETIC dataset, made earlier\n')
    for changed in (('--seed', '1'), ('--train', '25'), ('--size', '65')):
        code, _, complained = get('--synthetic', *SMALL, *changed)
        assert code == 1 and f'was made with {changed[0]} ' in complained and f'not {changed[1]}' in complained
    assert tree(get.out) == before
    next(path for path in get.out.rglob('*.jpg')).write_bytes(b'?')
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and f'{get.out}: is not as it was made. Remove it' in complained


def test_a_folder_of_another_dataset(name, get, tmp_path, capsys):
    get('--synthetic', *SMALL)
    other = next(each for each in PARTS if each != name)
    for words in ((), ('--synthetic', *SMALL)):
        code, _, complained = runner(('data', other), get.out, capsys)(*words)
        assert code == 1 and f'holds a dataset in the form of {name}; choose another --out' in complained


def test_more_pictures_than_fit_into_memory(get, monkeypatch):
    """The parts are counted through, and never listed."""
    def stop(seed, index, size):
        raise KeyboardInterrupt

    monkeypatch.setattr(fine_grained, 'picture', stop)
    tracemalloc.start()
    assert get('--synthetic', '--train', '1000000', '--val', '12', '--size', '64')[0] == 130
    assert tracemalloc.get_traced_memory()[1] < 4e6   # 8 MB are the addresses alone
    tracemalloc.stop()
    assert names(get.out.parent) == []


def test_datasets_of_one_seed_begin_alike(name, get, tmp_path):
    """As the help says: a larger one trains on what a smaller one is tested with."""
    get('--synthetic', *SMALL)
    small = KINDS[name](get.out, 'test')
    get.out = tmp_path / 'data/larger'
    get('--synthetic', '--train', '36', '--val', '12', '--size', '64')
    larger = KINDS[name](get.out, 'train')
    seen = {larger.sample(record).image.tobytes() for record in range(len(larger))}
    assert {small.sample(record).image.tobytes() for record in range(len(small))} < seen


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', *SMALL)


def test_an_interruption_leaves_nothing(get, monkeypatch):
    check_an_interruption_leaves_nothing(get, monkeypatch, fine_grained, 5, *SMALL)


def test_a_folder_that_is_not_empty(get):
    check_a_folder_that_is_not_empty(get, *SMALL)


# -- the originals ---------------------------------------------------------------------------------------------------

def test_the_known_originals():
    """MD5 sums as public loaders have them; pictures and classes as the datasets' own pages say."""
    assert {file.name: file.md5 for original in ORIGINALS.values() for file in original.files} == {
        'CUB_200_2011.tgz': '97eceeb196236b17998738112f37df78',
        'fgvc-aircraft-2013b.tar.gz': 'd4acdd33327262359767eeaa97a4f732',
        'car_devkit.tgz': 'c3b158d763b6e2245038c8ad08e45376',
        'cars_test_annos_withlabels.mat': 'b0a2b23655a3edd16d84508592a98d10',
        'cars_train.tgz': '065e5b463ae28d29e77c1b4b166cfe61', 'cars_test.tgz': '4ce7ebf6a94d07f1952d94dd34c4d501',
        'lists.tar': 'edbb9f16854ec66506b5f09b583e0656', 'images.tar': '1bb1f2a596ae7057f99d7d75860002ef'}
    assert {name: (original.counts, original.classes) for name, original in ORIGINALS.items()} == {
        'cub': ({'train': 5994, 'test': 5794}, 200), 'aircraft': ({'train': 6667, 'test': 3333}, 100),
        'cars': ({'train': 8144, 'test': 8041}, 196), 'dogs': ({'train': 12000, 'test': 8580}, 120)}
    for name, original in ORIGINALS.items():
        assert original.kind is KINDS[name]
        said = FINE_GRAINED_DATASETS[name]   # the help
        assert all(f'{count:,} ' in said for count in (*original.counts.values(), original.classes))
        assert all(file.unpacked == 0 or file.unpacked > file.bytes for file in original.files)


def check_complete(name, get):
    assert [len(KINDS[name](get.out, split)) for split in ('train', 'test')] == [5, 3]
    assert json.loads((get.out / 'dataset.json').read_text()) == {'kind': 'original', 'name': name}
    assert names(get.out.parent) == ['out']


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_the_original(name, get, server):
    code, said, _ = get()
    assert code == 0 and said.endswith(f'{get.out}: the original dataset, {ORIGINALS[name].title}\n')
    check_complete(name, get)
    assert not set(names(get.out)) & set(PARTS[name])   # no archive is left
    before = tree(get.out), list(server.requests)
    assert get()[0] == 0 and (tree(get.out), server.requests) == before


def test_the_original_from_files_that_are_there(name, get, server, saved):
    """Whatever they are called; they stay, and nothing is downloaded."""
    code, said, _ = get(*archives(saved))
    assert code == 0 and said.endswith(f'{get.out}: the original dataset, {ORIGINALS[name].title}\n')
    check_complete(name, get)
    assert all(path.exists() for path in saved) and server.requests == []
    assert get()[0] == 0   # all is there: no files are needed


@pytest.mark.parametrize('name', ['cub', 'aircraft'], indirect=True)
def test_files_that_are_there_are_kept(name, get, server, monkeypatch):
    """Those of somebody who has unpacked the original without its own folder. Others are told apart by their number."""
    get.out.mkdir(parents=True)
    WRITE[name](get.out)
    before = tree(get.out)
    code, said, _ = get()
    assert code == 0 and 'the original dataset' in said and server.requests == []
    (get.out / 'dataset.json').unlink()
    assert tree(get.out) == before
    monkeypatch.setitem(fine_grained.ORIGINALS, name,
                        fine_grained.ORIGINALS[name]._replace(counts={'train': 4, 'test': 3}))
    code, _, complained = get()
    assert code == 1 and 'has 5 pictures of 3 classes to train, and' in complained and server.requests == []
    assert tree(get.out) == before


def downloads(get):
    return [path.name for path in get.out.iterdir() if '.download' in path.name]


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_what_a_killed_call_has_left(name, get, server, original, saved, monkeypatch):
    """Its download goes, whether it was whole and unpacked already, or only begun."""
    take, last = fine_grained.FineGrained._take, list(original)[-1]

    def killed(self, file, path):
        take(self, file, path)
        if file.name == last:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fine_grained.FineGrained, '_take', killed)
        assert get()[0] == 130
    assert downloads(get) == [f'{last}.download']
    (get.out / f'{last}.download.part').write_bytes(b'begun')
    assert get()[0] == 0 and downloads(get) == []
    check_complete(name, get)


def test_archives_in_the_folder_are_taken_and_stay(name, get, server, original):
    """As somebody puts them there who has fetched them with a browser; under the original's names."""
    get.out.mkdir(parents=True)
    for file, content in original.items():
        (get.out / file).write_bytes(content)
    assert get()[0] == 0 and server.requests == []
    check_complete(name, get)
    assert all((get.out / file).read_bytes() == content for file, content in original.items())
    assert get(*archives(get.out / file for file in original))[0] == 0
    assert all((get.out / file).exists() for file in original)


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_another_file_under_the_name_of_an_archive_stays(name, get, server, original):
    get.out.mkdir(parents=True)
    file = list(original)[0]
    (get.out / file).write_bytes(b'mine')
    assert get()[0] == 0
    check_complete(name, get)
    assert (get.out / file).read_bytes() == b'mine' and downloads(get) == []


@pytest.mark.parametrize('name', ['cars'], indirect=True)
def test_a_list_that_is_downloaded_stays(name, get, server, saved, monkeypatch):
    """It is no archive, and is used as it is."""
    files = tuple(file if file.unpacked else file._replace(address=server.url + '/')
                  for file in fine_grained.ORIGINALS[name].files)
    monkeypatch.setitem(fine_grained.ORIGINALS, name, fine_grained.ORIGINALS[name]._replace(files=files))
    assert get(*archives([saved[0], *saved[2:]]))[0] == 0
    assert [path for path, _ in server.requests] == ['/cars_test_annos_withlabels.mat']
    check_complete(name, get)
    assert (get.out / 'cars_test_annos_withlabels.mat').exists() and downloads(get) == []


def test_files_are_named_for_a_folder_of_drawn_birds(get, server, saved):
    """Nothing is said to be done that is not done."""
    get('--synthetic', *SMALL)
    before = tree(get.out)
    for words in (archives(saved), ('--archive', '/nowhere')):
        code, said, complained = get(*words)
        assert (code, said) == (1, '')
        assert complained == (f'gluonzoo data: --archive: {get.out} holds a drawn dataset; remove it, or choose '
                              'another --out\n')
    assert tree(get.out) == before


@pytest.mark.parametrize('name', ['dogs'], indirect=True)
@pytest.mark.parametrize('has', [0, 1])
def test_with_some_files_birds_are_not_drawn_in_place_of_the_others(get, server, saved, original, has):
    server.files.clear()
    code, said, complained = get(*archives([saved[has]]))
    lacking = list(original)[1 - has]
    *bar, complaint = complained.splitlines()
    said_of = f'--archive: {lacking} is not among the files, and cannot be downloaded: {server.url}/{lacking}: '
    assert code == 1 and complaint.startswith(f'gluonzoo data: {said_of}')
    assert all(lacking in line or not line for line in bar)
    assert 'SYNTHETIC' not in said + complained and not (get.out / 'dataset.json').exists()
    assert get.out.exists() == (has == 0)   # what has been unpacked is kept, and nothing else
    assert has or sorted(names(get.out)) == ['file_list.mat', 'test_list.mat', 'train_list.mat']


def test_an_original_of_which_pictures_are_gone(name, get, server, saved):
    get(*archives(saved))
    next(path for path in get.out.rglob('*') if path.suffix in ('.png', '.jpg')).unlink()
    code, _, complained = get()
    assert code == 1 and complained.endswith('. Remove the folder, or choose another --out\n')
    assert 'names 1 of ' in complained and len(complained.splitlines()) == 1


@pytest.mark.parametrize('name', ['dogs'], indirect=True)
def test_lists_of_which_some_are_there(get, server, saved):
    """As after a call that was killed; or others, which are somebody's own."""
    get(*archives(saved))
    whole = tree(get.out)
    (get.out / 'train_list.mat').unlink()
    assert get(*archives(saved))[0] == 0 and tree(get.out) == whole
    (get.out / 'train_list.mat').unlink()
    (get.out / 'test_list.mat').write_bytes(b'mine')
    code, _, complained = get(*archives(saved))
    assert code == 1 and 'test_list.mat: is there already; remove it, or choose another --out' in complained
    assert (get.out / 'test_list.mat').read_bytes() == b'mine' and not (get.out / 'train_list.mat').exists()


def test_a_file_of_something_else(name, get, server, saved):
    saved[0].write_bytes(b'something else')
    code, said, complained = get(*archives(saved))
    assert code == 1 and said == '' and not get.out.exists()
    md5 = hashlib.md5(b'something else').hexdigest()
    assert f'--archive {saved[0]}: is no file of {ORIGINALS[name].title}: its MD5 is {md5}' in complained
    assert len(complained.splitlines()) == 1
    code, _, complained = get('--archive', str(saved[0]) + '.not')
    assert code == 1 and complained.endswith(': No such file or directory\n')


@pytest.mark.parametrize('name', ['cars'], indirect=True)
def test_cars_is_offered_no_longer(get, server, saved):
    """What is lacking is told, then birds are drawn; with some of the files, nothing is drawn in their place."""
    code, said, complained = get(*SMALL)
    assert code == 0 and 'SYNTHETIC dataset, made now' in said and server.requests == []
    assert 'Stanford Cars: its authors offer it no longer. Files from elsewhere are taken if their MD5' in complained
    assert re.search('--archive car_devkit.tgz cars_test_annos_withlabels.mat cars_train.tgz cars_test.tgz', complained)


@pytest.mark.parametrize('name', ['cars'], indirect=True)
def test_cars_of_which_a_file_is_lacking(get, server, saved):
    code, _, complained = get(*archives(saved[:-1]))
    assert code == 1 and 'lacking: cars_test.tgz, MD5 ' in complained and not get.out.exists(), complained


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_without_a_network_birds_are_drawn(get, server):
    server.files.clear()
    code, said, complained = get(*SMALL)
    assert code == 0 and 'the SYNTHETIC dataset, made now' in said and 'CANNOT BE DOWNLOADED' in complained


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_it_goes_on_where_it_broke_off(name, get, server, original):
    server.break_after += [len(original[next(iter(original))]) // 2, *[0] * 9]
    code, _, complained = get()
    assert code == 1 and 'holds a part of the original. Run this again to go on' in complained
    assert not (get.out / 'dataset.json').exists()
    server.break_after.clear()
    assert get()[0] == 0
    check_complete(name, get)


@pytest.mark.parametrize('name', ['cub', 'aircraft', 'dogs'], indirect=True)
def test_another_archive_than_the_known_one(get, server, original):
    file = list(original)[-1]
    server.files[f'/{file}'] = b'x' * len(original[file])
    code, _, complained = get()
    assert code == 1 and 'its MD5 must be' in complained
    assert not (get.out / 'dataset.json').exists()


@pytest.mark.parametrize('members, said', [
    ({'../evil.txt': b'x'}, 'must lead into the folder'), ({'/evil.txt': b'x'}, 'must lead into the folder'),
    ({'readme': b'x'}, ': is not there')])
def test_archives_that_are_wrong(name, get, server, original, saved, members, said, monkeypatch):
    """Though their MD5 sums are right."""
    bad = next(number for number, (pattern, within) in enumerate(PARTS[name].values()) if within is not None)
    saved[bad].write_bytes(archive(members))
    files = list(fine_grained.ORIGINALS[name].files)
    place = [file.name for file in files].index(list(original)[bad])
    files[place] = files[place]._replace(md5=hashlib.md5(saved[bad].read_bytes()).hexdigest())
    monkeypatch.setitem(fine_grained.ORIGINALS, name, fine_grained.ORIGINALS[name]._replace(files=tuple(files)))
    code, _, complained = get(*archives(saved))
    assert code == 1 and said in complained, complained
    assert not (get.out / 'dataset.json').exists() and not list(get.out.parent.rglob('evil.txt'))
    assert not list(get.out.rglob('*.part-*'))


def test_an_original_with_other_numbers_of_pictures(name, get, server, saved, monkeypatch):
    monkeypatch.setitem(fine_grained.ORIGINALS, name,
                        fine_grained.ORIGINALS[name]._replace(counts={'train': 6, 'test': 3}))
    code, _, complained = get(*archives(saved))
    assert code == 1 and 'has 5 pictures of 3 classes to train, and' in complained
    assert complained.rstrip().endswith('has 6 of 3; choose another --out') and not (get.out / 'dataset.json').exists()


def test_a_disk_without_room(name, get, server, saved, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda path: usage(9, 9, 99))
    code, _, complained = get(*archives(saved))
    assert code == 1 and 'are free on the disk' in complained


def test_a_card_of_something_else(get, server):
    for card in ('{"kind": "original"}', '{"kind": "synthetic", "settings": {}}', '[]', '{'):
        check_a_card_of_something_else(get, server, card)
        (get.out / 'dataset.json').unlink()
        get.out.rmdir()
