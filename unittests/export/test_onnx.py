"""gluonzoo.export.to_onnx: every network, decoder and operator beside onnxruntime, and what it refuses."""
import json
import os
import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import HybridBlock
from mxnet.gluon.nn import HybridLambda
from numpy.testing import assert_allclose, assert_array_equal
from small_settings import SMALL

import gluonzoo
from gluonzoo.export import ExportError, to_onnx, to_symbol
from gluonzoo.export.tracing import Chain, detection_difference, difference
from gluonzoo.models.centernet import HEADS
from gluonzoo.nn.filled_conv import FilledConv
from gluonzoo.ops import BottomPool, LeftPool, RightPool, TopPool, bottom_pool, left_pool, right_pool, route, top_pool
from gluonzoo.tasks.detection.keypoint_decode import CenterCheck, KeypointDecoder
from gluonzoo.tasks.detection.multibox import MultiBoxDecoder

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype('float32')


def call(block, *arrays):
    """What MXNet says: a list of arrays."""
    with autograd.predict_mode():
        outputs = block(*map(mx.nd.array, arrays))
    return [y.asnumpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def check(block, path, *arrays, **options):
    """Exports, and compares with inputs other than the exporter's."""
    inputs = {f'input{i}': array.shape for i, array in enumerate(arrays)}
    to_onnx(block, path, inputs, **options)
    wanted, found = call(block, *arrays), session(path).run(None, dict(zip(inputs, arrays)))
    assert len(wanted) == len(found)
    for a, b in zip(wanted, found):
        assert a.shape == b.shape
        assert_allclose(b, a, rtol=1e-5, atol=1e-5)


# -- networks --------------------------------------------------------------------------------------------------------

def disturb(net, gammas):
    """Numbers that matter in place of the zeros and ones that biases and statistics start with.

    `gammas` are the least and the greatest of normalisations.
    """
    mx.random.seed(0)
    for name, parameter in net.collect_params().items():
        if name.endswith(('bias', 'beta', 'running_mean')):
            parameter.set_data(parameter.data() + mx.nd.random.normal(0, .1, shape=parameter.shape))
        elif name.endswith(('gamma', 'running_var')):
            least, most = gammas if name.endswith('gamma') else (.5, 1.5)
            parameter.set_data(parameter.data() * mx.nd.random.uniform(least, most, shape=parameter.shape))


@pytest.mark.parametrize('name', gluonzoo.list_models())
def test_every_model(name, tmp_path):
    small = SMALL[name]
    net = gluonzoo.get_model(name, **small.arguments)
    mx.random.seed(1)
    net.initialize(mx.init.Xavier())
    _, *shape = small.shape
    call(net, np.zeros((1, *shape), 'float32'))   # parameters have shapes now
    disturb(net, small.gammas)
    path = tmp_path / 'net.onnx'
    differences = to_onnx(net, path, {'image': (1, *shape)}, dynamic=list(small.dynamic))
    assert max(differences.values()) < 1e-4
    model = onnx.load(str(path))
    assert [value.name for value in model.graph.input] == ['image']
    dims = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert dims == ['batch', shape[0], *(['height', 'width'] if 'size' in small.dynamic else shape[1:])]
    assert [value.name for value in model.graph.output] == list(differences)
    assert [(i.domain, i.version) for i in model.opset_import] == [('', 13)] and model.ir_version == 7
    weights = sum(int(np.prod(weight.dims)) for weight in model.graph.initializer if weight.data_type == 1)
    assert weights >= sum(p.data().size for p in net.collect_params().values())
    x = normal(3, *shape)
    for a, b in zip(call(net, x), session(path).run(None, {'image': x})):
        assert_allclose(b, a, rtol=0, atol=1e-4 * np.abs(a).max())
        assert a.std(axis=0).max() > 1e-3 * np.abs(a).max()   # it depends on the input


def test_every_output_by_its_name(tmp_path):
    net = gluonzoo.get_model('ghost_centernet_0_5', **SMALL['ghost_centernet_0_5'].arguments)
    net.initialize()
    to_onnx(net, tmp_path / 'net.onnx', {'image': (2, 3, 64, 64)}, HEADS, metadata={'stride': 4, 'classes': ['é']})
    x = normal(2, 3, 64, 64)
    got = session(tmp_path / 'net.onnx')
    assert [output.name for output in got.get_outputs()] == list(HEADS)
    assert [output.shape for output in got.get_outputs()] == [[2, c, 16, 16] for c in (3, 3, 3, 1, 1, 2, 2, 2)]
    assert got.get_modelmeta().custom_metadata_map == {'gluonzoo': '{"stride": 4, "classes": ["\\u00e9"]}'}
    assert got.get_modelmeta().producer_name == 'gluonzoo'
    heat, = got.run(['ct_heat'], {'image': x})
    assert_allclose(heat, call(net, x)[HEADS.index('ct_heat')], rtol=1e-4)


def test_shapes_that_are_not_known_yet(tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(2))
    net.initialize()
    check(net, tmp_path / 'net.onnx', normal(2, 3, 5, 6))


# -- decoders --------------------------------------------------------------------------------------------------------

def identities(F, *heads):
    return [F.identity(head) for head in heads]


@pytest.mark.parametrize('scale', [1, 4, 0], ids=['many', 'sure', 'none'])
def test_multibox_decoder(scale, tmp_path):
    """The same detections, in the same order, for other heads and another batch than at the export."""
    low = rng.uniform(0, .7, (60, 2))
    anchors = np.concatenate([low, low + rng.uniform(.05, .4, (60, 2))], 1)[None].astype('float32')
    decoder = MultiBoxDecoder(anchors, 3, candidates=20, keep=30)
    decoder.initialize()
    to_onnx(decoder, tmp_path / 'd.onnx', {'class_logits': (1, 60, 4), 'box_offsets': (1, 60, 4)}, ['detections'],
            dynamic=['batch'])
    logits, offsets = scale * normal(4, 60, 4), normal(4, 60, 4)
    logits[..., 0] += 100 if scale == 0 else 0
    wanted, = call(decoder, logits, offsets)
    got, = session(tmp_path / 'd.onnx').run(None, {'class_logits': logits, 'box_offsets': offsets})
    assert (wanted[..., 0] >= 0).sum(1).min() > 20 if scale else (wanted == -1).all()
    assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def test_scores_that_are_all_the_same(tmp_path):
    """Which of them suppresses the others is nobody's fault."""
    anchors = rng.uniform(0, .5, (1, 50, 4)).astype('float32') + np.array([0, 0, .5, .5], 'float32')
    decoder = MultiBoxDecoder(anchors, 1)
    decoder.initialize()
    sure = HybridLambda(lambda F, x, y: [F.concat(-1e3 * F.ones_like(x), F.ones_like(x), dim=2), y])
    differences = to_onnx(sure, tmp_path / 'd.onnx', {'x': (1, 50, 1), 'y': (1, 50, 4)}, ['logits', 'offsets'],
                          decoder=decoder, dynamic=['batch'], metadata={'a': 1})
    assert set(differences) == {'logits', 'offsets', 'detections'}
    assert [path.name for path in tmp_path.iterdir()] == ['d.onnx']
    got = session(tmp_path / 'd.onnx')
    assert [(value.name, value.shape) for value in got.get_outputs()] == [('detections', ['batch', 50, 6])]
    assert [value.name for value in got.get_inputs()] == ['x', 'y']
    assert (got.run(None, {'x': normal(3, 50, 1), 'y': normal(3, 50, 4)})[0][:, :5, 1] == 1).all()


class Triplets(HybridBlock):
    """CenterNet's decoding of one stack to rows."""

    def __init__(self, classes, **options):
        super().__init__()
        self.decoder, self.check = KeypointDecoder(classes, **options), CenterCheck()

    def hybrid_forward(self, F, *inputs):
        *heads, views = inputs
        boxes, scores, labels, centers, *_ = self.decoder(heads, views)
        scores = self.check(boxes, scores, labels, centers)
        labels = F.where(scores < 0, scores, labels)
        return F.concat(F.expand_dims(labels, 2), F.expand_dims(scores, 2), boxes, dim=2)


@pytest.mark.parametrize('classes, height, width', [(2, 12, 14), (40, 10, 9)])
def test_keypoint_decoder_and_center_check(classes, height, width, tmp_path):
    block = Triplets(classes, top=20, pairs=80)

    def inputs(batch):
        heads = [normal(batch, channels, height, width) * deviation for channels, deviation in
                 zip((*3 * [classes], 1, 1, 2, 2, 2), (2, 2, 2, .2, .2, .1, .1, .1))]
        for heat in heads[:3]:
            heat[:, 1:] -= 9   # else classes hardly ever agree
        views = np.tile(np.array([[3, -2, 4, 5, 4 * width, 5 * height]], 'float32'), (batch, 1))
        return dict(zip((*HEADS, 'views'), (*heads, views)))

    heads = inputs(1)
    views = {'views': heads.pop('views')}
    differences = to_onnx(HybridLambda(identities), tmp_path / 'd.onnx', {f'{name}_in': x for name, x in heads.items()},
                          list(heads), decoder=block, decoder_inputs=views, dynamic=['batch', 'size'])
    assert list(differences) == [*HEADS, 'detections'] and max(differences.values()) < 1e-5
    arrays = inputs(3)
    wanted, = call(block, *arrays.values())
    got, = session(tmp_path / 'd.onnx').run(None, {'views': arrays.pop('views'),
                                                   **{f'{name}_in': x for name, x in arrays.items()}})
    assert (wanted[..., 0] >= 0).sum() > 5
    assert detection_difference(wanted, got) < 1e-5
    assert_array_equal(got[..., 0] >= 0, wanted[..., 0] >= 0)


# -- corner pools ----------------------------------------------------------------------------------------------------

POOLS = {'top_pool': (TopPool, top_pool), 'bottom_pool': (BottomPool, bottom_pool),
         'left_pool': (LeftPool, left_pool), 'right_pool': (RightPool, right_pool)}


@pytest.mark.parametrize('pool', POOLS)
def test_pools_are_exact(pool, tmp_path):
    """For any shape, with NaN and infinities. Of +0 and -0, which are equal, either may come."""
    make, function = POOLS[pool]
    path = tmp_path / 'pool.onnx'
    assert to_onnx(make(), path, {'x': (1, 2, 5, 7)}, ['y'], dynamic=['batch', 'channels', 'size']) == {'y': 0}
    assert [node.op_type for node in onnx.load(str(path)).graph.node].count('Scan') == 1
    got = session(path)
    for shape in ((2, 3, 9, 4), (1, 1, 1, 6), (1, 1, 6, 1), (1, 1, 1, 1), (1, 2, 130, 3)):
        x = normal(*shape)
        for values in (x, np.where(rng.random(shape) < .1, np.nan, x), np.where(rng.random(shape) < .5, -np.inf, x),
                       np.full(shape, np.nan), rng.choice([0., -0.], shape)):
            values = values.astype('float32')
            assert_array_equal(got.run(None, {'x': values})[0], function(mx.nd.array(values)).asnumpy())


@pytest.mark.skipif(route() == 'composition', reason='there is no operator')
@pytest.mark.parametrize('pool', POOLS)
def test_pools_of_a_symbol_that_was_loaded(pool, tmp_path):
    data = mx.sym.var('data', dtype='float32')
    symbol = mx.sym.load_json(POOLS[pool][1](data).tojson())
    check(mx.gluon.SymbolBlock(symbol, [data]), tmp_path / 'pool.onnx', normal(1, 2, 5, 4))


def test_pools_by_composition(tmp_path):
    """As on a machine without a compiler: the same nodes."""
    code = ('import sys\nfrom gluonzoo.export import to_onnx\nfrom gluonzoo.ops import RightPool, route\n'
            'assert route() == "composition"\nto_onnx(RightPool(), sys.argv[1], {"x": (1, 2, 5, 9)}, ["y"])')
    path = tmp_path / 'pool.onnx'
    subprocess.run([sys.executable, '-c', code, str(path)], check=True, env=environment('composition'))
    assert [node.op_type for node in onnx.load(str(path)).graph.node] == ['Gather', 'Scan', 'Identity']
    x = normal(1, 2, 5, 9)
    assert_array_equal(session(path).run(None, {'x': x})[0], np.maximum.accumulate(x, axis=3))


def environment(ops=None):
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path), **({'GLUONZOO_OPS': ops} if ops else {})}


# -- operators -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('function', [
    lambda F, x: F.pick(x, F.argmax(x, axis=2), axis=2),
    lambda F, x: F.pick(x, F.argmin(x, axis=1), axis=1),
    lambda F, x: F.pick(F.abs(x), F.argmax(F.abs(x), axis=-1)),
    lambda F, x: (x <= .5) + (3 - x) * 2,
    lambda F, x: F.broadcast_maximum(x, F.slice_axis(x, axis=1, begin=1, end=2)),
    lambda F, x: F.dot(F.reshape(x, (-3, 0)), F.transpose(F.reshape(x * x, (-3, 0)))),
    lambda F, x: F.dot(F.reshape(x, (-3, 0)), F.reshape(x * x, (-3, 0)), transpose_b=True),
    lambda F, x: F.dot(F.reshape(x, (-3, 0)), F.reshape(x * x, (-3, 0)), transpose_a=True),
    lambda F, x: F.dot(x, F.transpose(F.reshape(x * x, (-3, 0)))),
    lambda F, x: (F.floor(x) >= 0) + (x >= .5),
], ids=['pick', 'pick inside', 'pick last', 'scalars', 'broadcast_maximum', 'dot', 'dot turned', 'dot, first turned',
        'dot, first of three', 'at least'])
def test_operator(function, tmp_path):
    check(HybridLambda(function), tmp_path / 'f.onnx', normal(2, 3, 4))


@pytest.mark.parametrize('codes', [
    (0, -1), (-1,), (5, 0, -1, 3), (-2,), (0, -2), (2, -2), (-3, -2), (-3, -3), (-3, -1), (0, -3, 0), (-1, 0, -3),
    (-4, 1, 2, -2), (0, -4, -1, 2, 0, 0), (0, -4, 2, -1, -3), (0, 0, -4, 3, 1, 5), (-3, -4, 3, -1, 0),
    (0, -1, 1, 1, 5)])
def test_reshape(codes, tmp_path):
    check(HybridLambda(lambda F, x: F.reshape(x, codes)), tmp_path / 'f.onnx', normal(2, 4, 3, 5))


@pytest.mark.parametrize('codes', [(0, -1), (-2,), (0, -4, 2, 2, -2), (-3, -2), (0, -3, 0), (0, 0, -3), (-3, -3),
                                   (0, -4, -1, 2, 0, 0), (0, 2, -1, 0), (-3, 0, 0), (-4, -1, 1, -2)])
@pytest.mark.parametrize('dynamic', [('batch',), ('batch', 'size')], ids=str)
def test_reshape_of_any_size(codes, dynamic, tmp_path):
    check(HybridLambda(lambda F, x: F.reshape(x, codes)), tmp_path / 'f.onnx', normal(2, 4, 3, 5), dynamic=dynamic)


@pytest.mark.parametrize('codes', [(-1, 0), (0, -1, 5), (-1, 0, 0), (-2, -3, 0), (-2, 0), (0, -3, -1), (2, -3, 0),
                                   (0, -1, 2, -4, 0, 0)])
def test_reshape_from_behind(codes, tmp_path):
    check(HybridLambda(lambda F, x: F.reshape(x, codes, reverse=True)), tmp_path / 'f.onnx', normal(2, 4, 3, 5))


class Twice(HybridBlock):
    def __init__(self):
        super().__init__()
        self.layer = mx.gluon.nn.Dense(4, activation='relu')

    def hybrid_forward(self, F, x):
        return self.layer(x), self.layer(1 - self.layer(x))


def test_a_block_that_is_called_twice(tmp_path):
    """Two operators of one name would be one in ONNX."""
    block = Twice()
    block.initialize(mx.init.Normal(1))
    check(block, tmp_path / 'f.onnx', normal(3, 4))
    to_symbol(block, tmp_path / 'f', {'x': (3, 4)})
    names = [node['name'] for node in json.loads((tmp_path / 'f-symbol.json').read_text())['nodes']]
    assert len(set(names)) == len(names)


def test_an_operator_with_several_outputs(tmp_path):
    """Each becomes an output of the files."""
    block, x = HybridLambda(lambda F, x: F.split(x, num_outputs=2, axis=1)), normal(2, 4)
    check(block, tmp_path / 'f.onnx', x)
    assert [output.name for output in session(tmp_path / 'f.onnx').get_outputs()] == ['output0', 'output1']
    to_symbol(block, tmp_path / 'f', {'x': (2, 4)}, ['left', 'right'])
    assert mx.sym.load(str(tmp_path / 'f-symbol.json')).list_outputs() == ['left_output', 'right_output']


@pytest.mark.parametrize('function', [
    lambda F, x: F.relu(F.split(x, num_outputs=2, axis=1, name='part')[0], name='part1') + 1,
    lambda F, x: F.relu(F.split(x, num_outputs=2, axis=1, name='output')[0], name='x0'),
    lambda F, x: F.sign(F.round(F.relu(x), name='a'), name='a_step0'),
    lambda F, x: F.broadcast_add(F.round(x, name='a'), F.ones((1,), name='a_constant1')),
    lambda F, x: F.relu(F.sign(x, name='output')), lambda F, x: F.relu(x, name='é "ü/')],
    ids=['outputs', 'outputs as the output', 'steps', 'constants', 'output', 'letters'])
def test_names_that_the_file_has_otherwise(function, tmp_path):
    check(HybridLambda(function), tmp_path / 'f.onnx', normal(2, 4))
    to_symbol(HybridLambda(function), tmp_path / 'f', {'x': (2, 4)})


def test_symbol_files_have_no_spare_channels(tmp_path):
    """FilledConv fills up its weight with zeros, which only training needs."""
    block = FilledConv(7, 1, in_channels=4)
    block.initialize()
    to_symbol(block, tmp_path / 'f', {'x': (1, 4, 3, 3)}, ['y'])
    assert [node['op'] for node in json.loads((tmp_path / 'f-symbol.json').read_text())['nodes']] == [
        'null', 'null', 'null', 'Convolution', '_copy']


@pytest.mark.parametrize('function, words', [
    (lambda F, x: F.contrib.quantize_v2(x)[0], '_contrib_quantize_v2 of .*: there is .* the network in float32'),
    (lambda F, x: F.gamma(x), 'gamma of layer function[0-9]+_gamma0: there is no translation to ONNX; compute it of'),
    (lambda F, x: F.diag(x), r'cannot be exported: diag of layer \w+: diag: can be exported only of vectors and mat'),
    (lambda F, x: F.broadcast_add(x, F.ones((1, 2, 6))), r'does not take input0 \[2, 3, 6\]: '),
], ids=['quantized', 'gamma', 'diag of three axes', 'shape'])
def test_operator_is_refused(function, words, tmp_path):
    path = tmp_path / 'f.onnx'
    path.write_text('the former one')
    with pytest.raises(ExportError, match=words):
        to_onnx(HybridLambda(function, prefix='function0_'), path, {'input0': (2, 3, 6)})
    assert path.read_text() == 'the former one' and list(tmp_path.iterdir()) == [path]


def test_images_that_are_too_small(tmp_path):
    """By the layer that does not take them, not by the place in MXNet's sources."""
    net = gluonzoo.get_model('resnet_6blocks', width=2)
    net.initialize()
    with pytest.raises(ExportError, match=r'^the network does not take image \[1, 3, 4, 4\]: (layer \w+: )?'
                                          r'Current .* padding sizes smaller than the input size\.$'):
        to_onnx(net, tmp_path / 'f.onnx', {'image': (1, 3, 4, 4)})


def test_all_that_is_refused_is_said_at_once(tmp_path):
    """Each operator once for each reason, with the names of its layers; not what comes after it."""
    class Layers(HybridBlock):
        def __init__(self):
            super().__init__(prefix='net_')
            with self.name_scope():
                self.first, self.second = (HybridLambda(lambda F, x: F.gamma(x) + 1, prefix=f'{name}_')
                                           for name in ('first', 'second'))

        def hybrid_forward(self, F, x):
            return F.split_v2(F.gammaln(self.second(F.relu(self.first(x))), name='last'), (1,), axis=1)

    with pytest.raises(ExportError) as caught:
        to_onnx(Layers(), tmp_path / 'f.onnx', {'x': (2, 3)})
    first, *lines = str(caught.value).split('\n')
    assert first == 'cannot be exported:' and [line.split(': there is no')[0] for line in lines] == [
        '  gamma of layers net_first_gamma0, net_second_gamma0', '  gammaln of layer net_last']


# -- what keeps a wrong file from being written ----------------------------------------------------------------------

def test_what_computes_something_else_is_not_written(tmp_path, monkeypatch):
    from gluonzoo.export.translations import TRANSLATIONS

    monkeypatch.setitem(TRANSLATIONS, 'relu', TRANSLATIONS['_copy'])
    decoder = HybridLambda(lambda F, x: F.relu(x))
    with pytest.raises(ExportError, match='something else than MXNet: detections by inf'):
        to_onnx(HybridLambda(identities), tmp_path / 'f.onnx', {'x': (2, 30, 6)}, ['y'], decoder=decoder)
    with pytest.raises(ExportError, match=r'computes something else than MXNet: y by [\d.]+ of its greatest number'):
        to_onnx(HybridLambda(lambda F, x: F.relu(x)), tmp_path / 'f.onnx', {'x': (2, 3)}, ['y'])
    assert not list(tmp_path.iterdir())


def test_decoder_that_is_joined_wrongly_is_not_written(tmp_path, monkeypatch):
    from gluonzoo.export import onnx as module

    monkeypatch.setattr(module, 'Chain', lambda block, decoder, count: Chain(
        block, HybridLambda(lambda F, x: decoder(x) * 2), count))
    with pytest.raises(ExportError, match='something else than MXNet: detections by'):
        to_onnx(HybridLambda(identities), tmp_path / 'f.onnx', {'x': (2, 30, 6)}, ['y'],
                decoder=HybridLambda(lambda F, x: F.relu(x)))
    assert not list(tmp_path.iterdir())


def test_tolerance(tmp_path):
    block = HybridLambda(lambda F, x: F.exp(x))
    with pytest.raises(ExportError, match='-1 is allowed'):
        to_onnx(block, tmp_path / 'f.onnx', {'x': (2, 3)}, tolerance=-1)
    assert to_onnx(block, tmp_path / 'f.onnx', {'x': (2, 3)}) == {'output': pytest.approx(0, abs=1e-6)}


def test_what_is_fixed_in_size_cannot_be_dynamic(tmp_path):
    block = HybridLambda(lambda F, x: F.broadcast_add(x, F.ones((1, 3, 4, 4))))
    with pytest.raises(ExportError, match=r'does not take x \[1, 3, 8, 4\]: '):
        to_onnx(block, tmp_path / 'f.onnx', {'x': (1, 3, 4, 4)}, dynamic=['size'])
    assert not list(tmp_path.iterdir())


def test_reshapes_that_do_not_divide(tmp_path):
    """MXNet writes beyond its arrays then, and perhaps ends. The example with a pixel more is left out."""
    block, x = HybridLambda(lambda F, x: F.reshape(x, (-1, 4, 3, 2))), normal(1, 4, 6, 8)
    check(block, tmp_path / 'f.onnx', x, dynamic=['batch', 'size'])
    for write in to_onnx, to_symbol:
        with pytest.raises(ExportError, match=r'^the network does not take x \[1, 4, 3, 5\]: layer \w+: \[1, 4, 3, 5\] '
                                              r'cannot become \(-1, 4, 3, 2\)$'):
            write(block, tmp_path / 'g', {'x': (1, 4, 3, 5)})
    with pytest.raises(ExportError, match=r'does not take x \[3, 4, 3, 1\]: '):
        to_onnx(block, tmp_path / 'g', {'x': (2, 4, 3, 1)}, dynamic=['batch'])


def test_larger_examples_have_no_ties(tmp_path):
    """Which MXNet and onnxruntime sort in different ways."""
    to_onnx(HybridLambda(lambda F, x: [F.topk(F.reshape(x, (0, -1)), k=40, ret_typ='both'), F.argsort(x, axis=None)]),
            tmp_path / 'f.onnx', {'x': (2, 4, 6, 8)}, ['values', 'places', 'order'], dynamic=['batch', 'size'])


def test_what_varies_of_an_output(tmp_path):
    to_onnx(HybridLambda(lambda F, x, y: [F.reshape(x, (1, -1)), F.sum(x, axis=3), y]), tmp_path / 'f.onnx',
            {'x': (2, 3, 4, 5), 'y': (2, 7)}, dynamic=['batch', 'size'])
    got = session(tmp_path / 'f.onnx')
    assert [value.shape for value in got.get_inputs()] == [['batch', 3, 'height', 'width'], ['batch', 7]]
    assert [value.shape for value in got.get_outputs()] == [[1, 'output0_1'], ['batch', 3, 'output1_2'], ['batch', 7]]


@pytest.mark.parametrize('options, words', [
    (dict(dynamic=['height']), "dynamic: must be of 'batch', 'channels', 'size': 'height'"),
    (dict(outputs=['a', 'b']), r"outputs: must be 1 names, one for each output: \['a', 'b'\]"),
    (dict(outputs=['x']), r"must all have different names, .*: \['x'\]"),
    (dict(inputs={'x': (0, 3)}), r"inputs: 'x' must have a shape of whole numbers above 0: \(0, 3\)"),
    (dict(inputs={'x': (1, 2.5)}), 'whole numbers'),
    (dict(inputs={'x': (1, 3), 'unused': (1,)}), 'inputs: no output depends on unused'),
], ids=['dynamic', 'outputs', 'names', 'shape', 'number', 'unused'])
def test_wrong_arguments(options, words, tmp_path):
    block = HybridLambda(lambda F, x, *_: F.relu(x))
    with pytest.raises(ValueError, match=words):
        to_onnx(block, tmp_path / 'f.onnx', **{'inputs': {'x': (1, 3)}, **options})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('package', ['onnx', 'onnxruntime'])
def test_missing_package(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportError, match=rf"need the package {package}: pip install 'gluonzoo\[onnx\]'"):
        to_onnx(TopPool(), tmp_path / 'f.onnx', {'x': (1, 1, 2, 2)})


def test_neither_package_is_needed_before():
    code = ('import sys\nsys.modules["onnx"] = sys.modules["onnxruntime"] = None\n'
            'import gluonzoo, gluonzoo.export.onnx, gluonzoo.export.symbol')
    subprocess.run([sys.executable, '-c', code], check=True, env=environment())


@pytest.mark.parametrize('function', [lambda F, x: F.relu(x), lambda F, x: F.gamma(x)], ids=['done', 'refused'])
def test_nothing_is_changed_for_others(function, tmp_path):
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

    def state():
        context = onnx.checker.DEFAULT_CONTEXT
        return ({version: dict(table) for version, table in MXNetGraph.registry_.items()}, hasattr(onnx, 'mapping'),
                dict(context.opset_imports), context.ir_version, mx.sym.contrib.top_pool)

    before = state()
    try:
        to_onnx(HybridLambda(function), tmp_path / 'f.onnx', {'x': (2, 3)})
    except ExportError:
        pass
    assert state() == before and 'sign' not in before[0][13]


# -- how far apart ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('expected, got, wanted', [
    ([1, 2, 4], [1, 2, 3], .25), ([0, 0], [0, .5], .5), ([-8, 1], [-8, 3], .25), ([np.nan, 2], [np.nan, 1], .5),
    ([np.inf, 2], [np.inf, 2], 0), ([np.inf, 2], [-np.inf, 2], np.inf), ([np.nan, 2], [2, 2], np.inf),
    ([1, 2], [1, np.nan], np.inf), ([np.nan], [np.nan], 0)])
def test_difference(expected, got, wanted):
    value = difference(np.array(expected, 'float32'), np.array(got, 'float32'))
    assert value == wanted


def test_difference_of_shapes():
    with pytest.raises(ExportError, match=r'float32 \[2\] in place of float32 \[3\]'):
        difference(np.zeros(3, 'float32'), np.zeros(2, 'float32'))


def test_detection_difference():
    rows = np.concatenate([np.arange(60).reshape(60, 1) % 3, rng.uniform(.1, 1, (60, 5))], 1).astype('float32')[None]
    rows[0, 41:] = -1   # 41 are left; three of them may be missing
    assert detection_difference(rows, rows[:, rng.permutation(60)]) == 0
    moved = rows.copy()
    moved[0, :41, 5] += .01 * rows[0, :41, 5].max()
    assert detection_difference(rows, moved) == pytest.approx(.01, rel=1e-3)
    for count, same in ((3, True), (4, False)):
        other = rows.copy()
        other[0, :count, 0] = 7
        assert [detection_difference(*pair) < .01 for pair in ((rows, other), (other, rows))] == [same, same]
        other[0, :count] = -1
        assert [detection_difference(*pair) < .01 for pair in ((rows, other), (other, rows))] == [same, same]
    endless = rows.copy()
    endless[0, :3, 5] = np.inf, np.nan, -np.inf
    assert detection_difference(endless, endless) == detection_difference(endless, rows) == 0
    endless[0, 3, 5] = np.nan
    assert detection_difference(rows, endless) > .01
    nothing = np.full_like(rows, -1)
    assert detection_difference(nothing, nothing) == 0
    assert detection_difference(rows, nothing) == detection_difference(nothing, rows) == np.inf
