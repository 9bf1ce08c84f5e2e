"""Smaller forms of exported networks: what is in the files, and what they compute."""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn
from numpy.testing import assert_allclose, assert_array_equal

from gluonzoo.export import ExportError, smaller, to_small_onnx, to_small_symbol

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

SHAPE = (1, 4, 8, 8)
# The second channel of the weights is a thousand times as small as the first: one scale for all would make it zeros.
FACTORS = np.array([1, 1e-3, .3, .02], 'float32')


@pytest.fixture
def net():
    mx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, padding=1, in_channels=4, use_bias=False))
    net.initialize(mx.init.Normal(.2))
    net[0].weight.set_data(net[0].weight.data() * mx.nd.array(FACTORS.reshape(4, 1, 1, 1)))
    return net


def noise(count, seed=0):
    return [{'image': np.random.default_rng(seed + i).uniform(-1, 3, SHAPE).astype('float32')} for i in range(count)]


def accepted(compute):
    return {'seen': True}


def outputs_of(path, arrays):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return session.run(None, arrays)


def initializers(path):
    return {value.name: onnx.numpy_helper.to_array(value) for value in onnx.load(str(path)).graph.initializer}


def test_float16_rounds_the_weights_and_nothing_else(net, tmp_path):
    path = tmp_path / 'small.onnx'
    differences = to_small_onnx(net, path, {'image': SHAPE}, ['map'], precision='float16', judge=accepted,
                                metadata={'task': 'none'})
    weights = [value for value in initializers(path).values() if value.ndim == 4]
    assert [value.dtype for value in weights] == ['float16']
    assert_array_equal(weights[0], net[0].weight.data().asnumpy().astype('float16'))
    arrays, = noise(1)
    found, = outputs_of(path, arrays)
    expected = net(mx.nd.array(arrays['image'])).asnumpy()
    assert found.dtype == 'float32' and 0 < np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    assert 0 < differences['map'] < 2e-3
    about = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    assert onnx.load(str(path)).producer_name == 'gluonzoo' and onnx.load(str(path)).graph.name == 'small'
    assert json.loads(about.pop('gluonzoo')) == {'task': 'none', 'seen': True} and not about


def test_int8_has_scales_by_hand(net, tmp_path):
    """Weights of 7 bits, -64 to 64, by the greatest of each channel; the input's range is that of the calibration."""
    path = tmp_path / 'small.onnx'
    ends = {'image': np.zeros(SHAPE, 'float32')}
    ends['image'][0, 0, 0, :2] = -1, 3
    to_small_onnx(net, path, {'image': SHAPE}, ['map'], precision='int8', judge=accepted, calibration=[ends])
    values = initializers(path)
    weights, = (value for value in values.values() if value.dtype == 'int8' and value.ndim == 4)
    assert np.abs(weights.astype(int)).max((1, 2, 3)).tolist() == [64] * 4
    exact = net[0].weight.data().asnumpy()
    scale = np.abs(exact).max((1, 2, 3)) / 64
    assert any(value.shape == (4,) and np.allclose(value, scale) for value in values.values())
    assert_allclose(weights * scale[:, None, None, None], exact, atol=.51 * scale.max())
    assert any(value.shape == () and np.isclose(value, 4 / 255, rtol=.01) or np.isclose(value, 4 / 127, rtol=.01)
               for name, value in values.items() if 'image' in name and 'scale' in name)
    nodes = [node.op_type for node in onnx.load(str(path)).graph.node]
    assert 'QuantizeLinear' in nodes and 'DequantizeLinear' in nodes


@pytest.mark.parametrize('form', ['onnx', 'mxnet'])
def test_each_channel_of_weights_has_a_scale(tmp_path, form):
    """One weight of 1, and 256 of .003, which would be 0 at the scale of the other; their outputs are alike."""
    net = nn.Conv2D(2, 8, in_channels=4, use_bias=False)
    net.initialize()
    weight = np.full((2, 4, 8, 8), .003, 'float32')
    weight[0] = np.eye(1, 256).reshape(4, 8, 8)
    net.weight.set_data(mx.nd.array(weight))
    vectors = [{'image': np.abs(each['image'])} for each in noise(9)]
    common = dict(judge=accepted, calibration=vectors[:8])
    if form == 'onnx':
        to_small_onnx(net, tmp_path / 'a.onnx', {'image': SHAPE}, ['map'], precision='int8', **common)
        found, = outputs_of(tmp_path / 'a.onnx', vectors[8])
    else:
        to_small_symbol(net, tmp_path / 'a', {'image': SHAPE}, ['map'], **common)
        assert 'quantize' in (tmp_path / 'a-symbol.json').read_text()
        copy = mx.gluon.SymbolBlock.imports(str(tmp_path / 'a-symbol.json'), ['image'],
                                            str(tmp_path / 'a-0000.params'))
        found = copy(mx.nd.array(vectors[8]['image'])).asnumpy()
    expected = (vectors[8]['image'] * weight).sum((1, 2, 3))
    assert expected[1] > .5   # so zeros would tell
    assert_allclose(found.reshape(2), expected, atol=.03)


class Rows(HybridBlock):
    """Rows of class 0, score and box, from a map: numbers that 8 bits would not hold."""

    def hybrid_forward(self, F, x, views):
        score = F.reshape(F.slice_axis(x, axis=1, begin=0, end=1), (0, -1, 1))   # [B, 64, 1]
        rows = F.concat(F.zeros_like(score), F.sigmoid(score), dim=2)
        box = F.broadcast_mul(F.ones_like(F.concat(rows, rows, dim=2)), F.expand_dims(views, axis=1))
        return F.concat(rows, box, dim=2)


@pytest.mark.parametrize('precision', ['float16', 'int8', 'mxnet'])
def test_decoder_stays_in_float32(net, tmp_path, precision):
    arrays, = noise(1)
    views = np.array([[.1, 1234.567, 1 / 3, 70001]], 'float32')   # none of which float16 has
    common = dict(inputs={'image': SHAPE}, outputs=['map'], judge=accepted, decoder=Rows(),
                  decoder_inputs={'views': views})
    if precision == 'mxnet':
        paths, _ = to_small_symbol(net, tmp_path / 'a', calibration=noise(8), **common)
        copy = mx.gluon.SymbolBlock.imports(str(paths[0]), ['image', 'views'], str(paths[1]))
        rows = copy(mx.nd.array(arrays['image']), mx.nd.array(views)).asnumpy()
    else:
        to_small_onnx(net, tmp_path / 'a.onnx', precision=precision,
                      calibration=noise(8) if precision == 'int8' else None, **common)
        session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'), providers=['CPUExecutionProvider'])
        assert [one.name for one in session.get_inputs()] == ['image', 'views']
        assert [one.name for one in session.get_outputs()] == ['detections']
        rows, = session.run(None, {**arrays, 'views': views})
    assert rows.shape == (1, 64, 6)
    assert_array_equal(rows[0, :, 2:], np.tile(views, (64, 1)))
    exact = net(mx.nd.array(arrays['image'])).asnumpy()[0, 0].reshape(-1)
    assert_allclose(rows[0, :, 1], 1 / (1 + np.exp(-exact)), atol=.05)


@pytest.mark.parametrize('form', ['onnx', 'mxnet'])
def test_no_file_is_left_of_what_is_judged_badly(net, tmp_path, form):
    def refuse(compute):
        found, = compute(noise(1)[0])
        assert found.shape == (1, 4, 8, 8)
        raise ValueError('too bad')

    former = tmp_path / ('a.onnx' if form == 'onnx' else 'a-symbol.json')
    former.write_text('former')
    with pytest.raises(ValueError, match='too bad'):
        if form == 'onnx':
            to_small_onnx(net, former, {'image': SHAPE}, precision='float16', judge=refuse)
        else:
            to_small_symbol(net, tmp_path / 'a', {'image': SHAPE}, calibration=noise(1), judge=refuse)
    assert [path.name for path in tmp_path.iterdir()] == [former.name] and former.read_text() == 'former'


def test_numbers_beyond_float16_are_refused(net, tmp_path):
    net[0].weight.set_data(net[0].weight.data() * 1e6)
    with pytest.raises(ExportError, match='float16 is not enough for this network: output by .*; 0.05 is allowed'):
        to_small_onnx(net, tmp_path / 'a.onnx', {'image': SHAPE}, precision='float16', judge=accepted)
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_not_finite(net, tmp_path, monkeypatch):
    monkeypatch.setattr(smaller, 'difference', lambda *_: np.inf)
    for make, path, words in ((to_small_onnx, 'a.onnx', {'precision': 'int8'}), (to_small_symbol, 'a', {})):
        with pytest.raises(ExportError, match='map: has numbers that are not finite in this precision'):
            make(net, tmp_path / path, {'image': SHAPE}, ['map'], judge=accepted, calibration=noise(1), **words)
    assert not list(tmp_path.iterdir())


def test_network_and_decoder_that_do_not_fit_together(net, tmp_path, monkeypatch):
    monkeypatch.setattr(smaller, 'detection_difference', lambda *_: 1e-3)
    with pytest.raises(ExportError, match='together compute something else than one after the other'):
        to_small_onnx(net, tmp_path / 'a.onnx', {'image': SHAPE}, ['map'], precision='float16', judge=accepted,
                      decoder=Rows(), decoder_inputs={'views': np.ones((1, 4), 'float32')})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('precision', ['float16', 'int8'])
def test_newer_opset(net, tmp_path, precision):
    path, (arrays,) = tmp_path / 'a.onnx', noise(1)
    to_small_onnx(net, path, {'image': SHAPE}, ['map'], precision=precision, judge=accepted, opset=17,
                  calibration=noise(4) if precision == 'int8' else None)
    assert [entry.version for entry in onnx.load(str(path)).opset_import if entry.domain == ''] == [17]
    expected = net(mx.nd.array(arrays['image'])).asnumpy()
    assert_allclose(outputs_of(path, arrays)[0], expected, atol=.03 * np.abs(expected).max())


@pytest.mark.parametrize('words, said', [
    (dict(precision='int4'), 'precision: must be one of'), (dict(precision='int8'), 'calibration: must be inputs'),
    (dict(precision='float16', calibration=[{}]), 'calibration: must be inputs')])
def test_bad_arguments(net, tmp_path, words, said):
    with pytest.raises(ValueError, match=said):
        to_small_onnx(net, tmp_path / 'a.onnx', {'image': SHAPE}, judge=accepted, **words)


def test_dense_layer_without_bias(tmp_path):
    """Which has a 0 in place of a bias in ONNX."""
    net = nn.Dense(3, use_bias=False, in_units=4)
    net.initialize(mx.init.Normal(1))
    vectors = [{'vector': np.random.default_rng(i).uniform(-1, 1, (1, 4)).astype('float32')} for i in range(8)]
    to_small_onnx(net, tmp_path / 'a.onnx', {'vector': (1, 4)}, precision='int8', calibration=vectors, judge=accepted)
    found, = outputs_of(tmp_path / 'a.onnx', vectors[3])
    expected = vectors[3]['vector'] @ net.weight.data().asnumpy().T
    assert_allclose(found, expected, atol=.03 * np.abs(expected).max())


def test_all_outputs_of_one_operator(net, tmp_path):
    """Its symbol counts as one output."""
    class Halves(HybridBlock):
        def __init__(self):
            super().__init__()
            self.net = net

        def hybrid_forward(self, F, x):
            return F.split(self.net(x), num_outputs=2, axis=1)
    _, differences = to_small_symbol(Halves(), tmp_path / 'a', {'image': SHAPE}, ['first', 'second'],
                                     calibration=noise(2), judge=accepted)
    assert list(differences) == ['first', 'second']
    found = mx.gluon.SymbolBlock.imports(f'{tmp_path}/a-symbol.json', ['image'], f'{tmp_path}/a-0000.params')
    assert [part.shape for part in found(mx.nd.array(noise(1)[0]['image']))] == [(1, 2, 8, 8)] * 2
