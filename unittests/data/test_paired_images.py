"""gluonzoo/data/paired_images.py: how pairs are found, and what is refused before training."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gluonzoo.data import Loader, RecordError
from gluonzoo.data.paired_images import PairedImages, find_pairs
from gluonzoo.data.transforms.pairs import PairTrain
from gluonzoo.pictures.decode import SUFFIXES
from gluonzoo.registry import DATASETS

RESIZE = {'name': 'pair_resize', 'size': 8}


def picture(number, height=8, width=8):
    """Its own for each number; a ramp, so that places can be told apart."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 10 + number, x * 10 + number, np.full_like(x, 40 * number)], 2).astype(np.uint8)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


@pytest.fixture
def single(tmp_path):
    """Three files; A of file k is picture k, B is picture k + 3."""
    for k in range(3):
        save(tmp_path / 'train' / f'{k}.png', np.hstack([picture(k), picture(k + 3)]))
    return tmp_path / 'train'


@pytest.fixture
def double(tmp_path):
    """The same in two folders."""
    for k in range(3):
        save(tmp_path / 'A' / 'train' / f'{k}.png', picture(k))
        save(tmp_path / 'B' / 'train' / f'{k}.bmp', picture(k + 3))
    return [str(tmp_path / side / 'train') for side in 'AB']


# -- what is found ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('direction', ['AtoB', 'BtoA'])
@pytest.mark.parametrize('layout', ['single', 'double'])
def test_pairs_of_both_layouts(layout, direction, request):
    path = request.getfixturevalue(layout)
    dataset = DATASETS.create('paired_images', path=path if layout == 'double' else str(path), direction=direction)
    assert len(dataset) == 3
    for k in range(3):
        pair = dataset.sample(k)
        a, b = (pair.input, pair.target) if direction == 'AtoB' else (pair.target, pair.input)
        np.testing.assert_array_equal(a, picture(k))
        np.testing.assert_array_equal(b, picture(k + 3))
        assert pair.record == k
    for record in (3, -1):
        with pytest.raises(IndexError, match=f'record {record} of 3'):
            dataset.sample(record)


def test_other_files_are_left_alone(single):
    (single / 'Thumbs.db').write_bytes(b'x')
    (single / '._0.png').write_bytes(b'x')
    (single / '.ipynb_checkpoints').mkdir()
    (single / '.ipynb_checkpoints' / '0.png').write_bytes(b'x')
    (single / 'more').mkdir()
    (single / 'more' / 'photo.JP2').write_bytes(b'x')
    (single / 'more' / 'LICENSE').write_bytes(b'x')
    with pytest.warns(RuntimeWarning) as warned:
        assert [path.name for path in PairedImages(str(single)).files] == ['0.png', '1.png', '2.png']
    assert [str(one.message) for one in warned] == [
        f'{single}: 3 files are left out, being none of {", ".join(SUFFIXES)}: .JP2 1, .db 1, LICENSE 1']


def test_pictures_in_folders_within(single, double):
    """Also behind a link, and a link that leads back is no trap."""
    for number in (3, 4):
        save(single / 'more' / 'still more' / f'{number}.png', np.hstack([picture(number), picture(0)]))
    (single / 'loop').symlink_to(single)
    elsewhere = single.parent / 'elsewhere'
    save(elsewhere / '0.png', np.hstack([picture(5), picture(0)]))
    (single / 'linked').symlink_to(elsewhere)
    dataset = PairedImages(single)
    assert [str(path.relative_to(single)) for path in dataset.files] == [
        '0.png', '1.png', '2.png', 'linked/0.png', 'more/still more/3.png', 'more/still more/4.png']
    np.testing.assert_array_equal(dataset.sample(5).input, picture(4))
    a, b = map(Path, double)
    save(a / 'deep' / '0.png', picture(3))
    save(b / 'deep' / '0.webp', picture(4), lossless=True)
    dataset = PairedImages(double)
    assert [path.relative_to(a) for path, _ in dataset.files] == [Path(name) for name in (
        '0.png', '1.png', '2.png', 'deep/0.png')]
    np.testing.assert_array_equal(dataset.sample(3).target, picture(4))
    (b / 'deep').rename(b / 'depth')
    with pytest.raises(ValueError, match='deep/0.png: no partner in .*\n.*depth/0.webp: no partner in '):
        PairedImages(double)


@pytest.mark.parametrize('names', ['AB', 'A', 'B', ('photo', 'map')])
def test_two_folders_in_one_are_not_halved(tmp_path, names):
    for name in names:
        for k in range(3):
            save(tmp_path / 'train' / name / f'{k}.png', picture(k))
    with pytest.raises(ValueError, match=f'train: looks like .* two folders, {" and ".join(sorted(names))}. Name'):
        PairedImages(tmp_path / 'train')
    save(tmp_path / 'train' / '9.png', picture(0))
    if 'map' in names:
        assert len(PairedImages(tmp_path / 'train')) == 7


def test_a_pipe_is_not_waited_for(single):
    os.mkfifo(single / 'pipe.png')
    with pytest.raises(ValueError, match='pipe.png: is a pipe; must be an ordinary file'):
        PairedImages(single)


def test_find_pairs(tmp_path, single, double):
    with pytest.warns(RuntimeWarning, match=f'train: pairs are read from {double[0]} and {double[1]}; 3 pictures '
                                            'beside these are left out, such as .*train/0.png'):
        assert find_pairs(tmp_path, 'train') == double
    (tmp_path / 'A').rename(tmp_path / 'gone')
    assert find_pairs(tmp_path, 'train') == str(single)
    for side in 'AB':
        (tmp_path / 'val' / side).mkdir(parents=True)
    assert find_pairs(tmp_path, 'val') == [str(tmp_path / 'val' / side) for side in 'AB']
    assert json.dumps(find_pairs(tmp_path, 'val'))
    save(tmp_path / 'val' / 'more' / '0.png', picture(0))
    with pytest.warns(RuntimeWarning, match='val: pairs are read from .*; 1 pictures beside'):
        find_pairs(tmp_path, 'val')
    with pytest.raises(FileNotFoundError, match='has no pairs to test: neither a folder test, nor A/test and B/test'):
        find_pairs(tmp_path, 'test')


def test_two_folders_alone(tmp_path, double):
    assert find_pairs(tmp_path, 'train') == double


def test_grey_and_transparent_pictures(tmp_path):
    grey, colour = picture(1)[:, :, 0], picture(2)
    half = np.dstack([colour, np.where(np.arange(8) < 4, 255, 0)[None].repeat(8, 0).astype(np.uint8)])
    a, b = save(tmp_path / 'A' / 'x.png', grey), save(tmp_path / 'B' / 'x.png', half)
    pair = PairedImages([a.parent, b.parent]).sample(0)
    np.testing.assert_array_equal(pair.input, np.dstack([grey] * 3))
    np.testing.assert_array_equal(pair.target[:, :4], colour[:, :4])
    assert (pair.target[:, 4:] == 255).all()


# -- what is refused -------------------------------------------------------------------------------------------------

def test_missing_partners_and_sizes_are_named_before_training(tmp_path, double):
    save(tmp_path / 'A' / 'train' / 'alone.png', picture(1))
    save(tmp_path / 'B' / 'train' / 'other.png', picture(1))
    save(tmp_path / 'A' / 'train' / 'both.png', picture(1, 8, 10))
    save(tmp_path / 'B' / 'train' / 'both.png', picture(1, 8, 9))
    with pytest.raises(ValueError) as caught:
        PairedImages(double)
    a, b = double
    assert str(caught.value).splitlines() == [
        f'{a} and {b}: not pairs:', f'  {a}/alone.png: no partner in {b}', f'  {b}/other.png: no partner in {a}',
        f'  {a}/both.png and {b}/both.png: 10x8 and 9x8 pixels']


def test_a_name_twice_is_refused(tmp_path, double):
    save(tmp_path / 'A' / 'train' / '1.jpg', picture(1))
    with pytest.raises(ValueError, match=r'A/train/1.png: 1.jpg has the same name'):
        PairedImages(double)


def test_odd_widths_are_named_before_training(single):
    save(single / 'odd.png', picture(1, 8, 15))
    with pytest.raises(ValueError, match=r'not pairs:\n  odd.png: 15 pixels wide, which cannot be halved$'):
        PairedImages(str(single))


def test_long_lists_are_cut(tmp_path):
    for k in range(25):
        save(tmp_path / f'{k}.png', picture(0, 2, 3))
    with pytest.raises(ValueError) as caught:
        PairedImages(str(tmp_path))
    assert len(str(caught.value).splitlines()) == 12 and str(caught.value).endswith('\n  and 15 more')


def test_turned_pictures_have_the_size_that_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / 'A' / 'x.jpg', picture(1, 8, 12), exif=exif)
    save(tmp_path / 'B' / 'x.png', picture(1, 12, 8))
    assert PairedImages([tmp_path / 'A', tmp_path / 'B']).sample(0).input.shape == (12, 8, 3)


@pytest.mark.parametrize('changes, error, message', [
    (dict(path='/nowhere'), FileNotFoundError, '/nowhere: no such folder'),
    (dict(path=['/nowhere', '/there']), FileNotFoundError, '/nowhere: no such folder'),
    (dict(path=['one']), ValueError, r"path: must be one folder or two: \['one'\]"),
    (dict(direction='a2b'), ValueError, "direction: must be 'AtoB' or 'BtoA': 'a2b'"),
    (dict(transform={'name': 'pair_trian'}), ValueError, "unknown transform 'pair_trian'; did you mean pair_train"),
])
def test_arguments(single, changes, error, message):
    with pytest.raises(error, match=message):
        PairedImages(**{'path': str(single), **changes})


def test_no_pictures(tmp_path):
    with pytest.raises(ValueError, match=r'no pictures in it \(.jpg, .jpeg, .png'):
        PairedImages(str(tmp_path))


def test_damaged_files_are_for_the_loader(single):
    """A few of many are skipped, so opening does not refuse them."""
    (single / '1.png').write_bytes(b'nothing')
    dataset = PairedImages(str(single), transform=RESIZE)
    with pytest.raises(RecordError, match='record 1: .*1.png: not a JPEG'):
        dataset.sample(1)
    (single / '0.png').unlink()
    with pytest.raises(RecordError, match='record 0: .*No such file'):
        dataset.sample(0)
    save(single / '2.png', picture(0, 8, 15))
    with pytest.raises(RecordError, match='record 2: .*2.png: 7x8 and 8x8 pixels'):
        dataset.sample(2)
    save(single / '0.png', picture(0, 8, 16))
    save(single / '2.png', picture(0, 8, 16))
    loader = Loader(dataset, 3, shuffle=False, seed=0, workers=1)
    with pytest.warns(RuntimeWarning, match='1.png'):
        assert next(loader.epoch(0)).records.tolist() == [0, 2, 2]
    assert list(dataset.skipped) == [1]


def test_without_a_transform(single):
    with pytest.raises(ValueError, match='made without a transform'):
        PairedImages(str(single)).item(0, np.random.default_rng(0))


# -- batches ---------------------------------------------------------------------------------------------------------

def batches(dataset, workers):
    loader = Loader(dataset, 2, shuffle=True, seed=5, workers=workers, last='keep')
    return [(batch.records.tolist(), *(array.asnumpy() for array in batch.arrays)) for batch in loader.epoch(1)]


@pytest.mark.parametrize('layout', ['single', 'double'])
def test_batches_do_not_depend_on_the_workers(layout, request):
    path = request.getfixturevalue(layout)
    dataset = PairedImages(path, 'BtoA', PairTrain(load_size=12, crop_size=8))
    assert dataset.arrays == ((3, 8, 8), (3, 8, 8))
    one, three = batches(dataset, 1), batches(dataset, 3)
    for x, y in zip(one, three):
        assert x[0] == y[0]
        for array, other in zip(x[1:], y[1:]):
            np.testing.assert_array_equal(array, other)
    assert [array.shape for array in one[0][1:]] == [(2, 3, 8, 8)] * 2
    for records, inputs, targets in one:
        for row, record in enumerate(records):
            np.testing.assert_allclose(inputs[row, 2], 40 * (record + 3) / 127.5 - 1, atol=1e-6)   # B
            np.testing.assert_allclose(targets[row, 2], 40 * record / 127.5 - 1, atol=1e-6)
