"""gluonzoo/data/transforms: what every transform is and does, whatever it makes."""
import inspect

import numpy as np
import pytest
from coloured_boxes import MEAN, STD, coloured, rng_of

from gluonzoo.data import CocoSample, Labelled, Pair, Picture, Unpaired
from gluonzoo.data.transforms import make_transform
from gluonzoo.registry import TRANSFORMS

LOOK = {'size': 32, 'mean': MEAN, 'std': STD}
KEYWORDS = {'resize': LOOK, 'ssd_train': LOOK, 'letterbox': LOOK, 'darknet_train': LOOK,
            'keypoint_train': {**LOOK, 'classes': 2}, 'photo': {'size': 64},
            'pair_resize': {'size': 32}, 'pair_train': {'load_size': 40, 'crop_size': 32},
            'unpaired_test': {'size': 32}, 'unpaired_train': {'load_size': 40, 'crop_size': 32},
            'picture_middle': {'size': 32}, 'picture_train': {'size': 32, 'channels': 1},
            'cifar_train': {**LOOK, 'size': 48}, 'imagenet_train': LOOK, 'middle_crop': LOOK,
            'fine_grained_train': LOOK, 'fine_grained_middle': LOOK}
OF_ONE_CLASS = 'cifar_train', 'imagenet_train', 'middle_crop', 'fine_grained_train', 'fine_grained_middle'


def sample_for(name):
    image, boxes, labels = coloured([[4, 6, 40, 40], [50, 10, 90, 34]], 96, 72)
    if name.startswith('pair'):
        return Pair(image, 255 - image, 0)
    if name.startswith('unpaired'):
        return Unpaired(image, 255 - image[:60, :50], 0)
    if name.startswith('picture'):
        return Picture(image, 0)
    if name in OF_ONE_CLASS:
        return Labelled(image[:48, :48], 3, 0)
    return CocoSample(image, boxes, labels, 0, np.array([False, True]), np.array([500, 300], np.float32))


def test_all_are_here():
    assert sorted(KEYWORDS) == TRANSFORMS.names()


@pytest.mark.parametrize('name', KEYWORDS)
def test_it_writes_where_it_is_told_and_else_makes_new_arrays(name):
    transform, sample = make_transform({'name': name, **KEYWORDS[name]}), sample_for(name)
    shapes = transform.arrays
    assert isinstance(shapes, tuple) and all(shape is None or isinstance(shape, tuple) for shape in shapes)
    wanted = transform(sample, rng_of(1), (None,) * len(shapes))
    assert isinstance(wanted, tuple) and len(wanted) == len(shapes)
    for shape, array in zip(shapes, wanted):
        assert array.dtype == np.float32 and np.isfinite(array).all()
        assert array.ndim == 2 if shape is None else array.shape == shape
    # Into every second number of something larger, which is not contiguous, and full of what must not stay.
    out = tuple(shape and np.full((*shape[:-1], 2 * shape[-1]), np.nan, np.float32)[..., ::2] for shape in shapes)
    for array, place, want in zip(transform(sample, rng_of(1), out), out, wanted):
        assert place is None or array is place
        np.testing.assert_array_equal(array, want)
    # Only into the first.
    first, *others = transform(sample, rng_of(1), (out[0], *[None] * (len(shapes) - 1)))
    assert first is out[0]
    for array, place, want in zip(others, out[1:], wanted[1:]):
        assert array is not place
        np.testing.assert_array_equal(array, want)


@pytest.mark.parametrize('name', KEYWORDS)
def test_the_sample_stays_as_it_is(name):
    transform, sample, before = make_transform({'name': name, **KEYWORDS[name]}), sample_for(name), sample_for(name)
    for seed in range(10):
        transform(sample, rng_of(seed), (None,) * len(transform.arrays))
    for array, want in zip(sample, before):
        np.testing.assert_array_equal(array, want)


@pytest.mark.parametrize('name', KEYWORDS)
def test_every_argument_is_documented(name):
    target = type(make_transform({'name': name, **KEYWORDS[name]}))
    assert inspect.signature(target) == TRANSFORMS.signature(name)
    for argument in TRANSFORMS.signature(name).parameters:
        assert argument in target.__doc__, argument


def test_specifications():
    transform = make_transform({'name': 'photo', 'size': 4})
    assert make_transform(transform) is transform
    for spec in ('photo', {}, None, len, {'size': 4}):
        with pytest.raises(ValueError, match="transform: must be a dict with a 'name', one of cifar_train"):
            make_transform(spec)
    with pytest.raises(ValueError, match="unknown transform 'photos'; did you mean photo"):
        make_transform({'name': 'photos', 'size': 4})
    with pytest.raises(ValueError, match="unknown argument 'sise'; did you mean size"):
        make_transform({'name': 'photo', 'sise': 4})
