"""gluonzoo/data/fetch/fine_grained_files.py: what other programs find in the files that are written."""
import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from gluonzoo.data.drawn.birds import CLASS_NAMES, picture
from gluonzoo.data.fetch.fine_grained_files import WRITERS
from gluonzoo.data.fine_grained import KINDS

BIRDS = [('train' if number < 24 else 'test', picture(0, number, (96, 80))) for number in range(36)]


@pytest.fixture
def folder(request, tmp_path):
    WRITERS[request.param](tmp_path, CLASS_NAMES, iter(BIRDS))
    return tmp_path


def lines(path):
    return [line.split(' ', 1) for line in path.read_text().splitlines()]


@pytest.mark.parametrize('folder', ['cub'], indirect=True)
def test_cub(folder):
    """As GuYuc's dataset reads it, and the boxes and parts as the README of CUB describes them."""
    images, labels, split, boxes = (dict(lines(folder / f'{name}.txt')) for name in (
        'images', 'image_class_labels', 'train_test_split', 'bounding_boxes'))
    assert lines(folder / 'classes.txt')[:2] == [['1', '001.black-crowned'], ['2', '002.blue-crowned']]
    assert (folder / 'parts/parts.txt').read_text() == '1 crown\n'
    places = {line[0]: line[1].split() for line in lines(folder / 'parts/part_locs.txt')}
    for number, (part, bird) in enumerate(BIRDS, 1):
        key = str(number)
        image = cv2.imread(str(folder / 'images' / images[key]))[..., ::-1]
        assert np.abs(image.astype(int) - bird.image).mean() < 8
        assert images[key].split('/')[0].endswith(CLASS_NAMES[bird.label]) and int(labels[key]) == bird.label + 1
        assert split[key] == ('1' if part == 'train' else '0')
        x, y, width, height = map(float, boxes[key].split())
        np.testing.assert_allclose((x, y, x + width, y + height), bird.box, atol=.11)
        assert places[key][0] == places[key][3] == '1'
        cx, cy = map(float, places[key][1:3])
        assert bird.crown[0] < cx < bird.crown[2] and bird.crown[1] < cy < bird.crown[3]


@pytest.mark.parametrize('folder', ['aircraft'], indirect=True)
def test_aircraft(folder):
    assert (folder / 'data/variants.txt').read_text().split() == list(CLASS_NAMES)
    for part, name in (('train', 'trainval'), ('test', 'test')):
        found = (folder / f'data/images_variant_{name}.txt').read_text().splitlines()
        assert [line[8:] for line in found] == [CLASS_NAMES[bird.label] for split, bird in BIRDS if split == part]
        assert all((folder / f'data/images/{line[:7]}.jpg').exists() for line in found)   # GuYuc's FILENAME_LENGTH


@pytest.mark.parametrize('folder', ['cars'], indirect=True)
def test_cars(folder):
    """As GuYuc's dataset reads it, and torchvision's the class names."""
    names = loadmat(folder / 'devkit/cars_meta.mat', squeeze_me=True)['class_names'].tolist()
    assert names == list(CLASS_NAMES)
    for part, name in (('train', 'devkit/cars_train_annos.mat'), ('test', 'cars_test_annos_withlabels.mat')):
        birds = [bird for split, bird in BIRDS if split == part]
        rows = loadmat(folder / name)['annotations']
        assert [f.item() for f in rows['class'][0]] == [bird.label + 1 for bird in birds]
        files = [f.item() for f in rows['fname'][0]]
        assert files == [f'{number:05}.jpg' for number in range(1, len(birds) + 1)]
        assert all((folder / f'cars_{part}' / file).exists() for file in files)
        for number, bird in enumerate(birds):   # the first and the last pixels, counted from 1
            found = [rows[edge][0, number].item() for edge in ('bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2')]
            left, upper, right, lower = map(round, bird.box)
            assert found == [left + 1, upper + 1, right, lower]


@pytest.mark.parametrize('folder', ['dogs'], indirect=True)
def test_dogs(folder):
    """As GuYuc's dataset reads it."""
    for part in ('train', 'test'):
        found = loadmat(folder / f'{part}_list.mat')
        files = [f.item().item() for f in found['file_list']]
        labels = [f.item() for f in found['labels']]
        assert labels == [bird.label + 1 for split, bird in BIRDS if split == part]
        assert all((folder / 'Images' / file).exists() and file.split('-', 1)[1].split('/')[0] == CLASS_NAMES[label - 1]
                   for file, label in zip(files, labels))


@pytest.mark.parametrize('name', WRITERS)
def test_our_datasets_read_them(name, tmp_path):
    WRITERS[name](tmp_path, CLASS_NAMES, iter(BIRDS))
    for part in ('train', 'test'):
        data, birds = KINDS[name](tmp_path, part), [bird for split, bird in BIRDS if split == part]
        assert len(data) == len(birds) and len(data.class_names) == 12
        found = {data.sample(record).image.tobytes(): data.sample(record).label for record in range(len(data))}
        assert sorted(found.values()) == sorted(bird.label for bird in birds)


@pytest.mark.parametrize('name', WRITERS)
def test_the_same_files_for_the_same_pictures(name, tmp_path):
    """Also where MATLAB's files would tell the time."""
    trees = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        WRITERS[name](tmp_path / str(number), CLASS_NAMES, iter(BIRDS))
        trees.append({path.relative_to(tmp_path / str(number)): path.read_bytes()
                      for path in (tmp_path / str(number)).rglob('*') if path.is_file()})
    assert trees[0] == trees[1] and not any(b'Created on' in content for content in trees[0].values())
