"""gluonzoo/data/fetch/own_pictures.py: small copies of all pictures that can be read, and those stay as they are."""
import numpy as np
import pytest
from get_checks import check_a_full_disk, names, runner, tree
from PIL import Image

from gluonzoo.data import Pictures, read_image
from gluonzoo.data.fetch import own_pictures
from gluonzoo.pictures.resize import resize


def save(path, width, height, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def mine(tmp_path):
    """24 pictures of many sizes, in two folders, two of which differ in their ending alone."""
    for number in range(20):
        save(tmp_path / 'mine' / f'{number:02}.png', 16 + number, 30, number)
    for number in range(3):
        save(tmp_path / 'mine' / 'more' / f'{number}.jpg', 40, 20 + number)
    save(tmp_path / 'mine' / 'more' / '0.png', 15, 11)
    return tmp_path / 'mine'


@pytest.fixture
def get(tmp_path, mine, capsys):
    return runner(['data', 'folder', str(mine)], tmp_path / 'data' / 'small', capsys)


def test_the_copies(get, mine):
    before = tree(mine)
    assert get('--size', '16')[:2] == (0, f'{get.out}: 22 pictures to train, 2 pictures to val\n')
    assert tree(mine) == before and names(get.out.parent) == ['small']
    copies = {}
    for split in ('train', 'val'):
        originals = {f'{path.relative_to(mine)}.png' for path in Pictures(mine, split).files}
        data = Pictures(**Pictures.in_folder(get.out, split))
        found = {str(path.relative_to(get.out / split)): path for path in data.files}
        assert found.keys() == originals
        copies.update(found)
    for name, path in copies.items():
        original, copy = read_image(mine / name[:-len('.png')]), read_image(path)
        height, width = original.shape[:2]
        if min(height, width) <= 16:
            np.testing.assert_array_equal(copy, original)
            continue
        assert min(copy.shape[:2]) == 16
        assert copy.shape[0] / copy.shape[1] == pytest.approx(height / width, abs=.07)
        np.testing.assert_array_equal(copy, resize(original, *copy.shape[1::-1], 'area'))


def test_they_are_made_once(get, mine):
    get('--size', '16')
    before = tree(get.out)
    assert get('--size', '16')[:2] == (0, f'{get.out}: is there already\n')
    code, _, error = get('--size', '32')
    assert code == 1 and 'holds something else' in error and '"size": 16' in error
    save(mine / 'another.png', 30, 30)
    code, _, error = get('--size', '16')
    assert code == 1 and 'holds something else' in error
    assert tree(get.out) == before


def test_a_folder_that_has_its_parts(get, mine):
    for number, name in enumerate(('train/a.png', 'train/b.png', 'val/c.png')):
        save(mine / name, 20, 20, number)
    for path in mine.glob('*.png'):
        path.unlink()
    assert get()[:2] == (0, f'{get.out}: 2 pictures to train, 1 pictures to val\n')
    assert sorted(tree(get.out)) == ['dataset.json', 'train/a.png.png', 'train/b.png.png', 'val/c.png.png']


def test_pictures_that_cannot_be_read_are_named(get, mine):
    for number in range(7):
        (mine / f'bad{number}.png').write_bytes(b'x')
    code, said, error = get()
    total = 24 + 7
    assert code == 0 and sum(int(word) for word in said.split(': ')[1].split() if word.isdigit()) == total - 7
    assert f'{mine}: 7 pictures cannot be read and are left out: ' in error and ' and 2 more' in error
    assert sum(f'bad{number}.png: ' in error for number in range(7)) == 5


def test_where_none_can_be_read(get, mine):
    for path in Pictures(mine, 'val').files:
        path.write_bytes(b'x')
    code, _, error = get()
    assert code == 1 and f'{mine}: none of its pictures to val can be read: ' in error
    assert names(get.out.parent) == []


def test_what_is_refused(get, mine, tmp_path):
    for out in (mine, mine / 'deep' / 'small', mine / '..' / 'mine' / 'x'):
        get.out = out
        code, _, error = get()
        assert code == 1 and '--out: must not be in the folder of the pictures' in error
    assert 'deep' not in names(mine)
    get.out = tmp_path / 'data'
    for path in [*mine.rglob('*.*')][1:]:
        path.unlink()
    code, _, error = get()
    assert code == 1 and 'must have two or more pictures' in error
    mine.rename(tmp_path / 'gone')
    code, _, error = get()
    assert code == 1 and 'mine: no such folder' in error and not get.out.exists()


def test_a_disk_that_is_full(get, full_disk):
    for number in range(4):
        save(get.out.parent.parent / 'mine' / f'large{number}.png', 90, 90, number)
    check_a_full_disk(get, full_disk, '--size', '80')


def test_nothing_is_left_of_an_interrupted_run(get, monkeypatch):
    calls = []

    def interrupted(path, image):
        calls.append(path)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(own_pictures, 'write_png', interrupted)
    assert get()[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []
