"""gluonzoo/recipes/datasets.py: which dataset a folder of pictures is."""
import numpy as np
import pytest
from PIL import Image

from gluonzoo.commands.main import main
from gluonzoo.recipes.datasets import unlabelled
from gluonzoo.registry import DATASETS


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)


def lengths(folder):
    """How many pictures its parts have, as a transform of pictures without labels gets them."""
    found = []
    for split in ('train', 'val'):
        data = DATASETS.make({**unlabelled(folder, split), 'transform': {'name': 'picture_middle', 'size': 16}}, 'data')
        array, = data.item(0, np.random.default_rng(0))
        assert array.shape == (3, 16, 16)
        found.append(len(data))
    return found


def test_a_folder_of_pictures(tmp_path):
    for number in range(5):
        save(tmp_path / f'{number}.png')
    assert lengths(tmp_path) == [4, 1]
    assert unlabelled(tmp_path, 'val') == {'name': 'pictures', 'path': str(tmp_path), 'part': 'val'}


def test_folders_of_parts(tmp_path):
    for number in range(5):
        save(tmp_path / ('val' if number == 4 else 'train') / f'{number}.png')
    assert lengths(tmp_path) == [4, 1]
    assert unlabelled(tmp_path, 'val') == {'name': 'pictures', 'path': str(tmp_path / 'val'), 'part': 'all'}


def test_the_binary_form_of_cifar(tmp_path, capsys):
    out = tmp_path / 'digits'
    assert main(['data', 'digits', '--synthetic', '--train', '12', '--val', '10', '--out', str(out)]) == 0
    assert lengths(out) == [12, 10]
    assert unlabelled(out, 'val') == {'name': 'cifar', 'path': str(out), 'split': 'val'}


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        unlabelled(tmp_path / 'nowhere', 'train')
