"""Anchors: by hand, in order, and equal to MXNet's own where it can make them."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.tasks.detection.anchors import make_anchors


class Net:
    def __init__(self, grids, shapes, steps):
        self.grids = lambda height, width: grids
        self.anchor_shapes, self.anchor_steps = shapes, steps


def test_by_hand():
    net = Net([(1, 2), (1, 1)], [[(.5, .25), (.2, .4)], [(1, 1)]], [None, None])
    anchors = make_anchors(net, 100, 100)
    assert anchors.dtype == np.float32 and anchors.shape == (1, 5, 4)
    np.testing.assert_allclose(anchors[0], [[0, .375, .5, .625], [.15, .3, .35, .7],
                                            [.5, .375, 1, .625], [.65, .3, .85, .7], [0, 0, 1, 1]], atol=1e-7)


def test_pitch_in_pixels():
    """DSOD300's last but one map: 3 x 3 cells of 100 pixels; and its first, whose cells go beyond the input."""
    net = Net([(3, 3), (38, 38)], [[(.1, .1)], [(.1, .1)]], [100, 8])
    anchors = make_anchors(net, 300, 300)[0]
    assert len(anchors) == 9 + 38 * 38
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2 * 300
    np.testing.assert_allclose(centers[:4], [[50, 50], [150, 50], [250, 50], [50, 150]], rtol=1e-5)
    np.testing.assert_allclose(centers[[9, 10, -1]], [[4, 4], [12, 4], [300, 300]], rtol=1e-5)


def test_pitch_of_an_oblong_input():
    net = Net([(2, 4)], [[(.1, .1)]], [16])
    anchors = make_anchors(net, 32, 64)[0]
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2 * [64, 32]
    np.testing.assert_allclose(centers[[0, 1, 4]], [[8, 8], [24, 8], [8, 24]], rtol=1e-5)


@pytest.mark.parametrize('rows, columns', [(5, 5), (1, 1), (19, 19)])
def test_as_multibox_prior(rows, columns):
    sizes, ratios = (.2, .3), (1, 2, .5)
    shapes = [(.2, .2), (.3, .3), (.2 * 2 ** .5, .2 / 2 ** .5), (.2 / 2 ** .5, .2 * 2 ** .5)]
    prior = mx.nd.contrib.MultiBoxPrior(mx.nd.zeros((1, 1, rows, columns)), sizes=sizes, ratios=ratios).asnumpy()
    np.testing.assert_allclose(make_anchors(Net([(rows, columns)], [shapes], [None]), 7, 7), prior, atol=1e-6)
