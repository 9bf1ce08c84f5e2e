"""Maps that say nothing or are no maps, pictures of odd sizes, other types of numbers, devices, and who waits."""
import os
import subprocess
import sys
import threading

import mxnet as mx
import numpy as np
import pytest
import slow_views
from mxnet import autograd
from task_checks import gate

from gluonzoo.tasks.fine_grained.attention_views import (
    AttentionBox,
    AttentionCrop,
    AttentionDrop,
    RefinedView,
    TrainingViews,
)

VARIANTS = ['guyuc', 'official']
BFLOAT16 = np.dtype([('bfloat16', np.uint16)])


def box_block(variant, padding=.1):
    return AttentionBox(padding, *2 * [variant == 'guyuc'])


def pictures(count, height=40, width=56, channels=3):
    return np.random.default_rng(height).uniform(.5, 1, (count, channels, height, width)).astype('float32')


def thetas(count, value):
    return mx.nd.full((count, 1, 1, 1), value)


def everywhere(value, maps=4):
    return np.full((2, maps, 5, 7), value, 'float32')


SAY_NOTHING = {'zeros': everywhere(0), 'negative': everywhere(-1), 'NaN': everywhere(np.nan),
               'minus infinity': everywhere(-np.inf), 'one map of zeros': everywhere(0, maps=1),
               'zeros, negative and NaN': np.where(np.arange(7) < 3, np.nan, np.where(np.arange(7) < 5, -2, 0))
               * np.ones((2, 4, 5, 1), 'float32')}


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('attention', SAY_NOTHING.values(), ids=SAY_NOTHING)
def test_maps_that_say_nothing(attention, variant, hybridized):
    """The crop is the whole picture, and nothing is dropped."""
    images, attention = pictures(2), mx.nd.array(attention)
    training, refined = TrainingViews(variant), RefinedView(variant)
    if hybridized:
        training.hybridize(static_alloc=True), refined.hybridize(static_alloc=True)
    crops, drops = (y.asnumpy() for y in training(mx.nd.array(images), attention))
    again, boxes = (y.asnumpy() for y in refined(mx.nd.array(images), attention))
    np.testing.assert_array_equal(boxes, 2 * [[0, 0, 56, 40]])
    np.testing.assert_array_equal(drops, images)
    for crop in (crops, again):
        np.testing.assert_allclose(crop, images, rtol=0, atol=1e-5)


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('peak', [1, 1e-30, 1e-36, 3e38, np.inf])
def test_one_cell(variant, peak):
    """The box is around that cell, however high it is. What is not a number or negative beside it counts as 0."""
    rng = np.random.default_rng(0)
    images, maps = pictures(40), np.zeros((40, 1, 5, 7), 'float32')
    cells = rng.integers(0, [5, 7], (40, 2))
    maps[np.arange(40), 0, cells[:, 0], cells[:, 1]] = 1
    slow = [chosen.copy() for chosen, in maps]
    maps[rng.random(maps.shape) < .2 * (maps == 0)] = np.nan
    maps[rng.random(maps.shape) < .2 * (maps == 0)] = -5
    maps = mx.nd.array(np.where(maps == 1, np.float32(peak), maps))
    boxes = box_block(variant)(maps, thetas(40, .5), mx.nd.array(images))
    drops = AttentionDrop(variant == 'guyuc')(mx.nd.array(images), maps, thetas(40, .5)).asnumpy()
    crops = AttentionCrop()(mx.nd.array(images), boxes).asnumpy()
    for image, chosen, box, crop, drop in zip(images, slow, boxes.asnumpy(), crops, drops):
        if variant == 'guyuc':
            expected = slow_views.guyuc_box(chosen, .5, .1, 40, 56)
            np.testing.assert_array_equal(box, expected)
            np.testing.assert_allclose(crop, slow_views.guyuc_crop(image, expected), rtol=0, atol=1e-5)
            np.testing.assert_array_equal(drop, image * ~slow_views.guyuc_mask(chosen, .5, 40, 56))
        else:
            fractions = slow_views.official_box(chosen, .5, .1, 40, 56)
            np.testing.assert_allclose(box, slow_views.pixels(fractions, 40, 56), rtol=0, atol=1e-4)
            np.testing.assert_allclose(crop, slow_views.crop_and_resize(image, fractions), rtol=0, atol=1e-4)
            np.testing.assert_array_equal(drop, image * ~slow_views.official_mask(chosen, .5, 40, 56))


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('height, width', [(448, 448), (7, 5), (5, 8), (3, 3), (1, 4), (4, 1), (1, 1), (2, 100)])
@pytest.mark.parametrize('h, w', [(5, 7), (1, 1), (14, 14)])
def test_pictures_of_any_size(h, w, height, width, variant):
    """Smaller than the map, long, or of one pixel: views of numbers, boxes of a pixel at least within the picture."""
    rng = np.random.default_rng(0)
    images = pictures(6, height, width)
    attention = mx.nd.array(np.maximum(rng.normal(size=(6, 3, h, w)), 0) ** 2)
    crops, drops = (y.asnumpy() for y in TrainingViews(variant)(mx.nd.array(images), attention))
    refined, boxes = (y.asnumpy() for y in RefinedView(variant)(mx.nd.array(images), attention))
    assert crops.shape == drops.shape == refined.shape == images.shape
    assert ((drops == images) | (drops == 0)).all()
    for crop in (crops, refined):
        assert crop.max() <= 1.00001 and crop.min() >= (.49999 if variant == 'guyuc' else 0)   # means of pixels
    if variant == 'guyuc':
        assert (boxes == np.floor(boxes)).all()
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= [width, height]).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('height, width', [(1, 60), (60, 1)])
def test_pictures_of_one_line(height, width, variant):
    """The line is that of the map's first row or column."""
    maps = np.random.default_rng(0).uniform(.1, .2, (10, 1, 6, 6)).astype('float32')
    maps[:, :, 0, :3] = maps[:, :, :3, 0] = 1
    box, = box_block(variant)(mx.nd.array(maps[:1]), thetas(1, .5), mx.nd.zeros((1, 3, height, width))).asnumpy()
    x0, y0, x1, y1 = box if height == 1 else box[[1, 0, 3, 2]]
    slow = {'guyuc': lambda *args: slow_views.guyuc_box(*args),
            'official': lambda *args: slow_views.pixels(slow_views.official_box(*args), height, width)}[variant]
    wanted = slow(maps[0, 0], .5, .1, height, width)
    np.testing.assert_allclose([x0, x1], np.array(wanted)[[0, 2] if height == 1 else [1, 3]], atol=1e-4)
    assert x1 < 40 and (y0, y1) == (0, 1)


@pytest.mark.parametrize('align_corners', [True, False])
def test_nothing_is_dropped_where_all_would_be(align_corners):
    """By maps of one cell, and by such as are nearly the same everywhere; the next picture is as ever."""
    images = np.random.default_rng(0).uniform(.5, 1, (2, 3, 12, 12)).astype('float32')
    thetas = mx.nd.full((2, 1, 1, 1), .3)
    drop = AttentionDrop(align_corners)
    one_cell = drop(mx.nd.array(images), mx.nd.full((2, 1, 1, 1), 5), thetas)
    np.testing.assert_array_equal(one_cell.asnumpy(), images)
    maps = np.full((2, 1, 4, 4), .9, 'float32')
    maps[1, :, :2] = 0
    even, half = drop(mx.nd.array(images), mx.nd.array(maps), thetas).asnumpy()
    np.testing.assert_array_equal(even, images[0])
    assert 0 < (half == 0).mean() < 1


def test_edges_that_would_be_the_same():
    """A padding of 0.8 pixels leaves int(0 - 0.8) .. int(0 + 0.8) of a picture of 8: the box has one pixel."""
    maps = np.zeros((2, 1, 8, 8), 'float32')
    maps[0, 0, 0, 0] = maps[1, 0, 3, 7] = 1
    boxes = AttentionBox(.1)(mx.nd.array(maps), thetas(2, .5), mx.nd.zeros((2, 3, 8, 8)))
    np.testing.assert_array_equal(boxes.asnumpy(), [[0, 0, 1, 1], [6, 2, 7, 3]])
    crops = AttentionCrop()(mx.nd.array(pictures(2, 8, 8)), boxes).asnumpy()
    np.testing.assert_array_equal(crops, pictures(2, 8, 8)[[0, 1], :, [0, 2], [0, 6]][:, :, None, None]
                                  * np.ones((8, 8), 'float32'))


def test_boxes_of_no_numbers():
    """Of a box that is not of AttentionBox, what is not in the picture is 0."""
    images = mx.nd.array(pictures(4, 6, 6))
    boxes = [[np.nan, 0, 6, 6], [0, 0, np.inf, 6], [-1e30, -1e30, 1e30, 1e30], [20, 20, 30, 30]]
    crops = AttentionCrop()(images, mx.nd.array(boxes)).asnumpy()
    assert np.isfinite(crops).all() and not crops[[0, 3]].any() and not crops[1][:, :, 1:].any()


@pytest.mark.parametrize('padding, expected', [(.15, [25, 1, 55, 34]), (.1, [30, 6, 50, 29]), (.05, [35, 11, 45, 24]),
                                               (0, [40, 16, 41, 19]), (1, [0, 0, 100, 100])])
def test_edges_are_computed_exactly(padding, expected):
    """0.15 of 100 pixels are 15, which float32 takes for more."""
    maps = np.zeros((1, 1, 100, 100), 'float32')
    maps[0, 0, 16:20, 40] = 1
    box = AttentionBox(padding)(mx.nd.array(maps), thetas(1, .5), mx.nd.zeros((1, 3, 100, 100)))
    np.testing.assert_array_equal(box.asnumpy(), [expected])


def test_a_peak_between_the_pixels():
    """Of a map that is larger than the picture, pixels can all miss what is high. Then it says nothing."""
    maps = np.zeros((1, 1, 15, 15), 'float32')
    maps[0, 0, 7, 7] = 1   # pixels lie on every second cell
    images = pictures(1, 8, 8)
    box = AttentionBox(.1)(mx.nd.array(maps), thetas(1, .5), mx.nd.array(images)).asnumpy()
    np.testing.assert_array_equal(box, [[0, 0, 8, 8]])
    drops = AttentionDrop()(mx.nd.array(images), mx.nd.array(maps), thetas(1, .5)).asnumpy()
    np.testing.assert_array_equal(drops, images)


def test_a_map_of_no_number_does_not_spoil_the_others():
    """It has next to no probability, and the others keep theirs."""
    attention = np.zeros((400, 3, 1, 64), 'float32')
    attention[:, 0] = np.nan
    attention[:, 1, 0, :4] = attention[:, 2, 0, -4:] = 1
    drops = TrainingViews()(mx.nd.ones((400, 1, 2, 64)), mx.nd.array(attention))[1].asnumpy()[:, 0, 0]
    first, last = drops[:, 0] == 0, drops[:, -1] == 0
    assert (first ^ last).all() and 120 < first.sum() < 280


@pytest.mark.parametrize('variant', VARIANTS)
def test_alone_as_among_others(variant):
    """The views of a picture do not depend on the others of the batch."""
    rng = np.random.default_rng(0)
    images, attention = pictures(5), np.maximum(rng.normal(size=(5, 3, 5, 7)), 0).astype('float32') ** 4
    together = [y.asnumpy() for y in RefinedView(variant)(mx.nd.array(images), mx.nd.array(attention))]
    for i in range(5):
        alone = RefinedView(variant)(mx.nd.array(images[i:i + 1]), mx.nd.array(attention[i:i + 1]))
        for a, b in zip(together, alone):
            np.testing.assert_array_equal(a[i:i + 1], b.asnumpy())


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('variant', VARIANTS)
def test_no_gradient_passes(variant, hybridized):
    rng = np.random.default_rng(0)
    images, attention = mx.nd.array(pictures(2)), mx.nd.array(rng.random((2, 3, 5, 7)))
    for block in (TrainingViews(variant), RefinedView(variant)):
        if hybridized:
            block.hybridize(static_alloc=True)
        for array in (images, attention):
            array.attach_grad('add')
        with autograd.record():
            views = block(images, attention)
            total = sum(view.sum() for view in views) + (images * 2).sum() + attention.sum()
        total.backward()
        assert (images.grad == 2).asnumpy().all() and (attention.grad == 1).asnumpy().all()


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('dtype', ['float16', BFLOAT16, 'float64'], ids=['float16', 'bfloat16', 'float64'])
@pytest.mark.parametrize('variant', VARIANTS)
def test_other_types(variant, dtype, hybridized):
    """Images and maps of other types make what their numbers make in float32."""
    rng = np.random.default_rng(0)
    images, attention = (mx.nd.array(array).astype(dtype) for array in (
        pictures(3, 40, 56), np.maximum(rng.normal(size=(3, 3, 5, 7)), 0) ** 3))
    same = [array.astype('float32') for array in (images, attention)]
    for block in (TrainingViews(variant), RefinedView(variant)):
        results = []
        for arrays in ((images, attention), same):
            if hybridized:
                block.hybridize(static_alloc=True)
            mx.random.seed(3)
            results.append(block(*arrays))
        for a, b in zip(*results):
            assert a.dtype == b.dtype == np.float32
            np.testing.assert_array_equal(a.asnumpy(), b.asnumpy())


MIXED = """
import sys
from gluonzoo.tasks.fine_grained.attention_views import RefinedView, TrainingViews
import mxnet as mx
from mxnet.contrib import amp

def views():
    for block in (TrainingViews(), RefinedView(), TrainingViews('official'), RefinedView('official')):
        mx.random.seed(1)
        images, attention = mx.nd.random.uniform(shape=(4, 3, 40, 56)), mx.nd.random.uniform(shape=(4, 3, 5, 7))
        for _ in range(2):
            mx.random.seed(1)
            yield from block(images, attention ** 4)
            block.hybridize(static_alloc=True)

before = list(views())
amp.init(sys.argv[1])
assert all((a == b).asnumpy().all() for a, b in zip(before, views()))
"""


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_mixed_precision(dtype):
    """It leaves the views as they are. (It is for the whole process, for good.)"""
    subprocess.run([sys.executable, '-c', MIXED, dtype], check=True,
                   env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})


@pytest.mark.parametrize('hybridized', [False, True])
def test_several_devices(hybridized):
    """Blocks have no parameters, so one serves all devices; each device draws from its own generator."""
    rng = np.random.default_rng(0)
    images, attention = pictures(4), np.maximum(rng.normal(size=(4, 3, 5, 7)), 0).astype('float32') ** 3
    refined, training = RefinedView(), TrainingViews()
    if hybridized:
        refined.hybridize(static_alloc=True), training.hybridize(static_alloc=True)
    devices = mx.cpu(0), mx.cpu(1)

    def views(block):
        parts = [(mx.nd.array(images, ctx=ctx), mx.nd.array(attention, ctx=ctx)) for ctx in devices]
        results = [block(*part) for part in parts]
        assert [y.context for result in results for y in result] == [devices[0]] * 2 + [devices[1]] * 2
        return [[y.asnumpy() for y in result] for result in results]

    for a, b in zip(*views(refined)):
        np.testing.assert_array_equal(a, b)
    mx.random.seed(1)
    first = views(training)
    mx.random.seed(1)
    again = views(training)
    for device in (0, 1):
        for a, b in zip(first[device], again[device]):
            np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(*first))


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('block', [TrainingViews, RefinedView])
def test_nothing_waits(block, hybridized):
    """The views are there while the attention is still to be computed, and nothing asks for its values."""
    views, images, attention = block(), mx.nd.array(pictures(2)), mx.nd.ones((2, 3, 5, 7))
    if hybridized:
        views.hybridize(static_alloc=True, static_shape=True)
    for y in views(images, attention):   # to warm up
        y.wait_to_read()
    gate.clear()
    done = []

    def call():
        with autograd.record():
            done.append(views(images, mx.nd.Custom(attention, op_type='unittests_wait_for_gate')))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(30)
    returned = len(done)
    gate.set()
    thread.join()
    assert returned == 1
    assert all(np.isfinite(y.asnumpy()).all() for y in done[0])


@pytest.mark.parametrize('padding', [-.1, 1.5, '0.1', True, None, float('nan')])
def test_wrong_padding(padding):
    with pytest.raises(ValueError, match='^padding: must be a number from 0 to 1: '):
        AttentionBox(padding)


@pytest.mark.parametrize('variant', ['guyu', None, ['guyuc'], 1])
@pytest.mark.parametrize('block', [TrainingViews, RefinedView])
def test_wrong_variant(block, variant):
    with pytest.raises(ValueError, match="^variant: must be one of 'guyuc', 'official': "):
        block(variant)
