"""YOLOv3 and Darknet-53 beside GluonCV's networks, and their gradients beside twins in PyTorch."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.registry import get_model


def layers_with_weights(net):
    """The convolutions, normalisations and dense layers of a block, in the order in which it has them."""
    found = []
    net.apply(lambda block: found.append(block)
              if isinstance(block, (nn.Conv2D, nn.BatchNorm, nn.Dense)) else None)
    return found


def give_weights(theirs, ours):
    """Fills layers of GluonCV with numbers that a mistake would show in, and as many of ours with the same.

    Of normalisations the gammas are about 1, so that maps neither vanish nor grow.
    """
    assert len(theirs) == len(ours)
    random = np.random.default_rng(0)
    for their, our in zip(theirs, ours):
        assert isinstance(our, type(their)) and their._reg_params.keys() == our._reg_params.keys()
        for name in their._reg_params:
            shape = our._reg_params[name].shape
            if len(shape) > 1:
                values = random.normal(0, (2 / np.prod(shape[1:])) ** .5, shape)
            elif name in ('gamma', 'running_var'):
                values = random.uniform(.7, 1.3, shape)
            else:
                values = random.normal(0, .2, shape)
            for block in (their, our):
                assert block._reg_params[name].shape == shape
                block._reg_params[name].set_data(mx.nd.array(values))


def raw_heads(net, x):
    """What GluonCV's layers say before its decoding: of each mode it returns other things, and never these."""
    routes, heads = [], []
    for stage in net.stages:
        x = stage(x)
        routes.append(x)
    for place, (block, output) in enumerate(zip(net.yolo_blocks, net.yolo_outputs)):
        x, tip = block(x)
        heads.append(output.prediction(tip))
        if place < 2:
            x = net.transitions[place](x).repeat(2, axis=2).repeat(2, axis=3)
            x = mx.nd.concat(x, routes[1 - place], dim=1)
    return heads


def check_same(found, wanted):
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted):
        ours, theirs = ours.asnumpy(), theirs.asnumpy()
        assert ours.shape == theirs.shape
        assert 1e-2 < theirs.std() and abs(ours - theirs).max() < 1e-4 * abs(theirs).max()


@pytest.mark.parametrize('name, theirs, classes', [('yolo3_darknet53', 'yolo3_darknet53_coco', 80),
                                                   ('yolo3_darknet53', 'yolo3_darknet53_voc', 20),
                                                   ('yolo3_mobilenet1_0', 'yolo3_mobilenet1.0_coco', 80),
                                                   ('yolo3_mobilenet1_0', 'yolo3_mobilenet1.0_voc', 20)])
def test_heads_of_gluoncv(name, theirs, classes):
    import gluoncv
    theirs = gluoncv.model_zoo.get_model(theirs, pretrained=False, pretrained_base=False)
    net = get_model(name, classes=classes)
    for block in (net, theirs):
        block.initialize()
    x = mx.nd.array(np.random.default_rng(1).uniform(0, 1, (1, 3, 96, 128)))
    theirs(x)   # its parameters have shapes now
    (block0, block1, block2), (output0, output1, output2) = theirs.yolo_blocks, theirs.yolo_outputs
    transition0, transition1 = theirs.transitions
    in_our_order = (theirs.stages, block0, output0, transition0, block1, output1, transition1, block2, output2)
    give_weights(sum(map(layers_with_weights, in_our_order), []), layers_with_weights(net))
    check_same(net(x), raw_heads(theirs, x))


def test_classifier_of_gluoncv():
    import gluoncv
    theirs, net = gluoncv.model_zoo.darknet53(pretrained=False), get_model('darknet53')
    for block in (net, theirs):
        block.initialize()
    x = mx.nd.array(np.random.default_rng(1).uniform(0, 1, (2, 3, 96, 65)))
    theirs(x)
    give_weights(layers_with_weights(theirs), layers_with_weights(net))
    check_same([net(x)], [theirs(x)])


# -- twins in PyTorch ------------------------------------------------------------------------------------------------

SMALL = {'width': .1, 'depths': (1, 0, 2, 1, 1)}   # also of 0 blocks


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('name, kind', [('darknet53', 'leaky'), ('yolo3_darknet53', 'leaky'),
                                        ('yolo3_darknet53', 'mish'), ('yolo3_mobilenet1_0', None)])
def test_gradients_of_twins(name, kind, hybridize):
    torch = pytest.importorskip('torch')
    from torch_twins import yolo3 as twins_of_yolo3
    from twins import compare_gradients, compare_outputs, copy_weights, shake

    from gluonzoo.convert import NameMap
    small = SMALL if kind else {}
    torch.manual_seed(0)
    make = twins_of_yolo3.Darknet53 if name == 'darknet53' else getattr(twins_of_yolo3, name)
    twin = make(classes=4, **small, **({'kind': kind} if kind else {}))
    net = get_model(name, classes=4, **small, **({'activation': kind} if kind else {}))
    shake(twin)
    twin.to(torch.float64)
    net.initialize()
    net.cast('float64')
    weights = copy_weights(twin, net, NameMap([]))
    if hybridize:
        net.hybridize(static_alloc=True)
    x = np.random.default_rng(0).normal(size=(2, 3, 64, 96))
    compare_outputs(twin, net, x, tolerance=1e-6)   # MXNet keeps the slope as a float32
    compare_gradients(twin, net, weights, x, tolerance=1e-6)
