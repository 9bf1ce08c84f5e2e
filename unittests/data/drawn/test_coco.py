"""gluonzoo.data.drawn.coco: what a picture may hold, and that annotations tell what can be seen, in COCO's form."""
import json

import cv2
import numpy as np
import pytest

from gluonzoo.data import CocoDetection
from gluonzoo.data.drawn.coco import CATEGORIES, Thing, annotation, picture, write

# Of each class: the range of hues of what is coloured (OpenCV's, half degrees), from; to.
HUES = {'fish': (94, 116), 'umbrella': (134, 155), 'car': (174, 6), 'mascot': (20, 33)}


@pytest.fixture(scope='module')
def pictures():
    return [picture(0, index) for index in range(150)]


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('coco')
    write(root, 'drawn', 2, range(30))   # two of them with a crowd
    return root


def test_the_form_of_a_picture(pictures):
    for image, things in pictures:
        height, width = image.shape[:2]
        assert 200 <= height <= 320 and 200 <= width <= 320 and image.shape[2] == 3 and image.dtype == np.uint8
        assert image.flags.c_contiguous and image.std() > 3
        for thing in things:
            assert thing.category in CATEGORIES and isinstance(thing.crowd, bool)
            assert thing.mask.shape == (height, width) and thing.mask.dtype == bool and thing.mask.any()
    assert len({image.shape for image, _ in pictures}) > 140


def test_what_there_is(pictures):
    things = [thing for _, found in pictures for thing in found]
    assert np.bincount([sum(not thing.crowd for thing in found) for _, found in pictures]).min() >= 2   # 0 to 5
    assert max(len(found) for _, found in pictures) <= 6
    for category in CATEGORIES:
        assert 0.18 < np.mean([thing.category == category for thing in things if not thing.crowd]) < 0.32
    assert 3 <= sum(thing.crowd for thing in things) <= 20


def test_sizes(pictures):
    longer = []
    for image, things in pictures:
        for thing in things:
            if not thing.crowd:
                longer.append(max(annotation(thing)['bbox'][2:]) / min(image.shape[:2]))
    assert min(longer) >= 0.15 and max(longer) <= 0.6
    assert min(longer) < 0.22 and max(longer) > 0.5 and 0.25 < np.median(longer) < 0.4


def test_some_overlap_and_none_is_hidden(pictures):
    """Masks of what can be seen do not meet; boxes of some do."""
    overlapping = 0
    for image, things in pictures:
        count = np.zeros(image.shape[:2], int)
        for thing in things:
            count += thing.mask
            x, y, width, height = annotation(thing)['bbox']
            overlapping += any(other.mask[y:y + height, x:x + width].any() for other in things if other is not thing)
            if not thing.crowd:
                assert thing.mask.sum() > 0.2 * width * height
        assert count.max(initial=0) <= 1
    assert 10 < overlapping < 150


def test_classes_have_their_colours(pictures):
    """Where a thing is, most of what is coloured has its hue; so masks are where things are, and classes differ."""
    for image, things in pictures:
        hue, saturation, value = (plane.astype(int) for plane in cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV)))
        for thing in things:
            if not thing.crowd:
                low, high = HUES[CATEGORIES[thing.category]]
                coloured = thing.mask & (saturation > 100) & (value > 60)
                assert coloured.sum() > 0.2 * thing.mask.sum()
                right = (hue >= low) & (hue <= high) if low < high else (hue >= low) | (hue <= high)
                assert right[coloured].mean() > 0.6


def test_a_picture_is_a_function_of_seed_and_index(pictures):
    np.random.seed(99)
    cv2.setRNGSeed(99)
    for index in (3, 0, 3):
        image, things = picture(0, index)
        np.testing.assert_array_equal(image, pictures[index][0])
        assert len(things) == len(pictures[index][1])
        for thing, known in zip(things, pictures[index][1]):
            assert thing.category == known.category
            np.testing.assert_array_equal(thing.mask, known.mask)
    assert len({image.tobytes() for image, _ in (picture(seed, index) for seed in (0, 1) for index in (0, 1))}) == 4


# -- annotations -----------------------------------------------------------------------------------------------------

def test_annotations_by_hand():
    mask = np.zeros((4, 5), bool)
    mask[1:4, 2:4] = True
    assert annotation(Thing(7, mask, False)) == {
        'category_id': 7, 'bbox': [2, 1, 2, 3], 'area': 6, 'iscrowd': 0, 'segmentation': [[2, 1, 2, 3, 3, 3, 3, 1]]}
    mask[0, 0] = True      # columns: 1 of it, 3 not; 4 not; 1 not, 3 of it; the same; 4 not
    assert annotation(Thing(3, mask, True)) == {
        'category_id': 3, 'bbox': [0, 0, 4, 4], 'area': 7, 'iscrowd': 1,
        'segmentation': {'size': [4, 5], 'counts': [0, 1, 8, 3, 1, 3, 4]}}
    assert annotation(Thing(3, ~mask, True))['segmentation']['counts'] == [1, 8, 3, 1, 3, 4]


def test_pycocotools_understands_it(written, capsys):
    from pycocotools.coco import COCO
    coco = COCO(str(written / 'annotations' / 'instances_drawn.json'))
    capsys.readouterr()
    assert len(coco.imgs) == 30 and coco.getCatIds() == list(CATEGORIES)
    crowds = 0
    for index, image in enumerate(coco.loadImgs(coco.getImgIds())):
        _, things = picture(2, index)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image['id']))
        assert len(annotations) == len(things)
        for said, thing in zip(annotations, things):
            mask = coco.annToMask(said).astype(bool)
            crowds += said['iscrowd']
            assert said['area'] == thing.mask.sum()
            if thing.crowd:
                np.testing.assert_array_equal(mask, thing.mask)
            else:      # a polygon through the centres of the outermost pixels
                assert (mask & thing.mask).sum() > 0.75 * (mask | thing.mask).sum()
    assert crowds == 2


def test_a_dataset_of_it(written):
    dataset = CocoDetection(written / 'annotations' / 'instances_drawn.json', None, None)
    assert dataset.class_names == ['umbrella', 'mascot', 'car', 'fish'] and dataset.category_ids == [3, 7, 11, 18]
    assert dataset.class_names != sorted(dataset.class_names) and list(CATEGORIES) != dataset.category_ids
    for index in range(30):
        image, things = picture(2, index)
        sample = dataset.sample(index)
        assert np.abs(sample.image.astype(int) - image).mean() < 9      # JPEG
        assert [dataset.category_ids[label] for label in sample.labels] == [thing.category for thing in things]
        assert sample.crowd.tolist() == [thing.crowd for thing in things]
        for (xmin, ymin, xmax, ymax), thing in zip(sample.boxes.astype(int), things):
            assert thing.mask[ymin:ymax, xmin:xmax].sum() == thing.mask.sum()
            assert thing.mask[ymin, xmin:xmax].any() and thing.mask[ymax - 1, xmin:xmax].any()
            assert thing.mask[ymin:ymax, xmin].any() and thing.mask[ymin:ymax, xmax - 1].any()


def test_files_are_jpeg_and_ids_go_on(tmp_path):
    write(tmp_path, 'a', 5, range(2))
    write(tmp_path, 'b', 5, range(2, 4))
    found = {name: json.loads((tmp_path / 'annotations' / f'instances_{name}.json').read_text()) for name in 'ab'}
    assert [image['id'] for name in 'ab' for image in found[name]['images']] == [1, 2, 3, 4]
    for name in 'ab':
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
            image['file_name'] for image in found[name]['images']]
        assert all(path.read_bytes()[:2] == b'\xff\xd8' for path in (tmp_path / name).glob('*.jpg'))
    with pytest.raises(FileExistsError):
        write(tmp_path, 'a', 5, range(2))
