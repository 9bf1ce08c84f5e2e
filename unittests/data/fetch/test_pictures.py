"""gluonzoo/data/fetch/pictures.py: folders of classes, which are as they were drawn."""
import cv2
import numpy as np
import pytest
from get_checks import check_a_full_disk, names, runner, tree

from gluonzoo.data.drawn.objects import picture
from gluonzoo.data.fetch import pictures
from gluonzoo.data.fetch.pictures import CLASS_NAMES

SMALL = ('--train', '12', '--val', '5')


@pytest.fixture
def get(tmp_path, capsys):
    return runner(('data', 'pictures'), tmp_path / 'data' / 'pictures', capsys)


def test_the_dataset(get):
    code, said, _ = get(*SMALL, '--seed', '3')
    assert (code, said) == (0, f'{get.out}: 12 pictures to train, 5 pictures to val\n')
    assert names(get.out) == ['dataset.json', 'train', 'val'] and names(get.out.parent) == ['pictures']
    found, shapes = [], set()
    for split in ('train', 'val'):
        assert names(get.out / split) == list(CLASS_NAMES)   # so their order is that of their names, too
        for path in (get.out / split).rglob('*.jpg'):
            number, image = int(path.stem), cv2.imread(str(path))[..., ::-1]
            height, width = image.shape[:2]
            assert 96 <= height <= 160 and 96 <= width <= 160
            drawn, label = picture(3, number, (width, height), CLASS_NAMES)
            assert path.parent.name == CLASS_NAMES[label]
            # A JPEG of it; it may have grain, so finer differences do not count.
            assert np.abs(cv2.blur(image, (5, 5)).astype(int) - cv2.blur(drawn, (5, 5))).mean() < 6
            found.append((split, number))
            shapes.add(image.shape)
    assert sorted(found) == [('train', number) for number in range(12)] + [('val', 12 + number) for number in range(5)]
    assert len(shapes) > 10


def test_it_is_made_once_and_always_the_same(get, tmp_path):
    get(*SMALL)
    first = tree(get.out)
    assert get(*SMALL)[:2] == (0, f'{get.out}: is there already\n')
    code, _, complained = get(*SMALL, '--seed', '1')
    assert code == 1 and '"seed": 0' in complained and tree(get.out) == first
    get.out = tmp_path / 'other'
    get(*SMALL)
    assert tree(get.out) == first


def test_a_folder_of_something_else_is_left_alone(get):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, complained = get(*SMALL)
    assert code == 1 and 'is there, and not by this program' in complained
    assert tree(get.out) == {'mine.txt': b'mine'}


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, *SMALL)


def test_nothing_is_left_of_an_interrupted_run(get, monkeypatch):
    def interrupted(seed, index, *more):
        if index == 13:
            raise KeyboardInterrupt
        return picture(seed, index, *more)

    monkeypatch.setattr(pictures, 'picture', interrupted)
    assert get(*SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []
