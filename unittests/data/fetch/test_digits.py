"""gluonzoo/data/fetch/digits.py: all digits, each in one part, as scikit-learn has them or as they are drawn."""
import sys

import numpy as np
import pytest
from get_checks import check_a_full_disk, names, runner, tree

from gluonzoo.data import CIFAR
from gluonzoo.data.drawn.digits import digit
from gluonzoo.data.fetch import digits as module
from gluonzoo.data.fetch.cifar_files import FILES, TRAIN, VAL
from gluonzoo.data.fetch.digits import _enlarged


@pytest.fixture
def get(tmp_path, capsys):
    return runner(('data', 'digits'), tmp_path / 'data' / 'digits', capsys)


def read(path):
    """Labels [n] and images [n, 3, 32, 32]."""
    records = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 3073)
    return records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32)


def enlarged(images):
    """[.., 8, 8] of 0 to 16 -> [.., 32, 32] of 0 to 255: cubic convolution by its definition; the edge is repeated."""
    weights = np.zeros((32, 8))
    for large in range(32):
        place = (large + .5) / 4 - .5
        for tap in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            t = abs(place - tap)
            weights[large, np.clip(tap, 0, 7)] += (
                1.25 * t ** 3 - 2.25 * t ** 2 + 1 if t <= 1 else -.75 * (t ** 3 - 5 * t ** 2 + 8 * t - 4))   # a = -3/4
    return np.clip(weights @ (images * 255 / 16) @ weights.T, 0, 255)


def test_all_digits_are_there_each_in_one_part(get):
    from sklearn.datasets import load_digits
    code, said, _ = get()
    assert (code, said) == (0, f'{get.out}: 1437 digits to train, 360 digits to val\n')
    assert names(get.out) == sorted((*FILES, 'dataset.json')) and names(get.out.parent) == ['digits']
    assert (get.out / 'batches.meta.txt').read_text().split() == list('0123456789')
    train = [np.concatenate(part) for part in zip(*(read(get.out / name) for name in TRAIN))]
    val = read(get.out / VAL)
    assert len(train[0]) == 1437 and len(val[0]) == 360
    share = np.bincount(val[0]) / np.bincount(np.concatenate((train[0], val[0])))
    assert (np.abs(share - 360 / 1797) < .003).all()   # of each digit

    digits = load_digits()
    images = np.concatenate((train[1], val[1]))
    assert (images == images[:, :1]).all()   # grey
    flat, known = images[:, 0].reshape(-1, 1024).astype(float), enlarged(digits.images).reshape(-1, 1024)
    distances = (flat ** 2).sum(1)[:, None] + (known ** 2).sum(1) - 2 * flat @ known.T
    found = distances.argmin(1)
    assert sorted(found) == list(range(1797))
    np.testing.assert_allclose(flat, known[found], atol=.51)
    np.testing.assert_array_equal(digits.target[found], np.concatenate((train[0], val[0])))


def test_the_split_is_fixed(get, tmp_path):
    get()
    first = tree(get.out)
    assert get()[:2] == (0, f'{get.out}: is there already\n')
    get.out = tmp_path / 'other'
    np.random.seed(3)
    get()
    assert tree(get.out) == first


def test_a_digit_is_enlarged():
    """A grey of 0 to 16 becomes one of 0 to 255, and goes smoothly from pixel to pixel."""
    for grey, byte in ((0, 0), (8, 128), (16, 255)):   # 127.5 is rounded to what is even
        assert (_enlarged(np.full((8, 8), grey, float)) == byte).all()
    ramp = _enlarged(np.tile(np.arange(8.), (8, 1)))
    assert ramp.shape == (32, 32, 3) and ramp.dtype == np.uint8
    assert (ramp == ramp[:1, :, :1]).all() and (np.diff(ramp[0, :, 0].astype(int)) >= 0).all()
    image = np.random.Generator(np.random.PCG64(1)).integers(0, 17, (8, 8)).astype(float)
    np.testing.assert_allclose(_enlarged(image)[..., 1], enlarged(image), atol=.51)


def test_without_scikit_learn(get, monkeypatch):
    for name in list(sys.modules):
        if name.partition('.')[0] == 'sklearn':
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, 'sklearn', None)
    code, _, complained = get()
    assert code == 1 and complained.count('\n') == 1
    assert 'the digits come with the package scikit-learn: pip install scikit-learn (' in complained
    assert names(get.out.parent) == []


def test_a_folder_of_something_else_is_left_alone(get):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, complained = get()
    assert code == 1 and 'is there, and not by this program; choose another --out' in complained
    (get.out / 'dataset.json').write_text('{"name": "pictures"}')
    code, _, complained = get()
    assert code == 1 and 'holds something else: {"name": "pictures"}' in complained
    assert names(get.out) == ['dataset.json', 'mine.txt']


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk)


# -- drawn -----------------------------------------------------------------------------------------------------------

SMALL = ('--synthetic', '--train', '12', '--val', '10')


def test_the_drawn_digits(get, tmp_path):
    assert get(*SMALL, '--seed', '2')[:2] == (0, f'{get.out}: 12 drawn digits to train, 10 drawn digits to val\n')
    number = 0
    for split, count in (('train', 12), ('val', 10)):
        data = CIFAR(**CIFAR.in_folder(get.out, split))
        assert len(data) == count and data.class_names == [str(label) for label in range(10)]
        for record in range(count):
            image, label = digit(2, number)
            np.testing.assert_array_equal(data.sample(record).image, image)
            assert data.sample(record).label == label
            number += 1
    first = tree(get.out)
    assert get(*SMALL, '--seed', '2')[1] == f'{get.out}: is there already\n'
    for words in ((*SMALL, '--seed', '3'), ()):   # also not the handwritten ones
        code, _, complained = get(*words)
        assert code == 1 and 'holds something else: {"name": "drawn digits"' in complained and tree(get.out) == first


def test_nothing_is_left_of_an_interrupted_drawing(get, monkeypatch):
    def interrupted(seed, index):
        if index == 13:
            raise KeyboardInterrupt
        return digit(seed, index)

    monkeypatch.setattr(module, 'digit', interrupted)
    assert get(*SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []


def test_a_disk_that_is_full_of_drawn_digits(get, full_disk):
    check_a_full_disk(get, full_disk, *SMALL)
