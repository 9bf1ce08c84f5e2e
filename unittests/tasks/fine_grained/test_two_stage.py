"""The whole prediction as one graph, beside its parts, and as files."""
import mxnet as mx
import numpy as np
import pytest
import slow_views
from tiny_attention_net import TinyAttentionNet

from gluonzoo.export import to_onnx, to_symbol
from gluonzoo.tasks.fine_grained.two_stage import TwoStage

OUTPUTS = ['probabilities', 'raw', 'refined', 'boxes']
VARIANTS = ['guyuc', 'official']


def make(variant='guyuc', **arguments):
    mx.random.seed(0)
    net = TinyAttentionNet(variant=variant, **arguments)
    net.initialize(mx.init.Xavier(magnitude=6))
    return net


def spots(count, height=48, width=64, seed=0):
    """Dark noise with one bright spot, which the attention is about."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, .02, (count, 3, height, width))
    for image in images:
        y, x = rng.integers(0, height - 8), rng.integers(0, width - 8)
        image[:, y:y + 8, x:x + 8] += rng.normal(0, 3, (3, 1, 1))
    return images.astype('float32')


def softmax(logits):
    exponentials = np.exp(logits.astype('float64') - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def slow_two_stage(net, images):
    raw, _, attention = (y.asnumpy() for y in net(mx.nd.array(images)))
    crops, boxes = [], []
    height, width = images.shape[2:]
    for image, maps in zip(images, attention):
        if net.variant == 'guyuc':
            box = slow_views.guyuc_box(maps.mean(axis=0), .1, .05, height, width)
            crops.append(slow_views.guyuc_crop(image, box))
        else:
            fractions = slow_views.official_box(maps.mean(axis=0), .1, .05, height, width)
            box = slow_views.pixels(fractions, height, width)
            crops.append(slow_views.crop_and_resize(image, fractions))
        boxes.append(box)
    refined = net(mx.nd.array(np.stack(crops)))[0].asnumpy()
    if net.variant == 'guyuc':
        return softmax((raw + refined) / 2), raw, refined, np.array(boxes)
    return (softmax(raw) + softmax(refined)) / 2, raw, refined, np.array(boxes)


@pytest.mark.parametrize('batch', [1, 5])
@pytest.mark.parametrize('variant', VARIANTS)
def test_against_the_parts(variant, batch):
    net, images = make(variant), spots(batch)
    expected = slow_two_stage(net, images)
    sides = expected[3][:, 2:] - expected[3][:, :2]
    assert (sides < [60, 44]).any(axis=1).mean() > .5   # most crops are of a part
    assert np.abs(expected[1] - expected[2]).max() > .01   # and look different
    block = TwoStage(net)
    for _ in range(2):
        outputs = [y.asnumpy() for y in block(mx.nd.array(images))]
        for a, b in zip(outputs, expected):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(outputs[0].sum(axis=1), 1, rtol=1e-6)
        block.hybridize(static_alloc=True, static_shape=True)


def test_variant():
    net, images = make('guyuc'), mx.nd.array(spots(3))
    ours, other = TwoStage(net)(images), TwoStage(net, 'official')(images)
    assert (ours[3] != other[3]).asnumpy().any(axis=1).all()   # unclamped boxes
    net.variant = 'official'
    np.testing.assert_array_equal(TwoStage(net)(images)[0].asnumpy(), other[0].asnumpy())
    with pytest.raises(ValueError, match="^variant: must be one of 'guyuc', 'official': 'guyu'$"):
        TwoStage(net, 'guyu')


@pytest.mark.parametrize('variant', VARIANTS)
def test_symbol(variant, tmp_path):
    block, images = TwoStage(make(variant)), spots(3, seed=1)
    to_symbol(block, tmp_path / 'net', {'image': spots(3)}, OUTPUTS)
    copy = mx.gluon.SymbolBlock(mx.sym.load(f'{tmp_path}/net-symbol.json'), [mx.sym.var('image', dtype='float32')])
    copy.collect_params().load(f'{tmp_path}/net-0000.params')
    for a, b in zip(copy(mx.nd.array(images)), block(mx.nd.array(images))):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('batch, dynamic', [(1, ()), (1, ('batch',)), (3, ('batch', 'size'))])
@pytest.mark.parametrize('variant', VARIANTS)
def test_onnx(variant, batch, dynamic, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    block, path = TwoStage(make(variant)), tmp_path / 'net.onnx'
    to_onnx(block, path, {'image': spots(batch)}, OUTPUTS, dynamic=dynamic)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert [output.name for output in session.get_outputs()] == OUTPUTS
    sizes = [(batch, 48, 64)]
    if 'batch' in dynamic:
        sizes += [(1, 48, 64), (7, 48, 64)]
    if 'size' in dynamic:
        sizes += [(2, 64, 64), (3, 40, 72)]
    for size in sizes:
        images = spots(*size, seed=2)
        for a, b in zip(session.run(None, {'image': images}), block(mx.nd.array(images))):
            np.testing.assert_allclose(a, b.asnumpy(), rtol=1e-4, atol=1e-4)
