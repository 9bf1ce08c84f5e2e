"""Exported networks come back from their files, and nothing else does."""
import mxnet as mx
import numpy as np
import pytest
from mutations import outcomes
from numpy.testing import assert_allclose, assert_array_equal

import gluonzoo
from gluonzoo.convert import WeightsError
from gluonzoo.export.loaded import example_inputs, load_exported, require_it_runs
from gluonzoo.graph.checked import SymbolError

SHAPE = (2, 3, 32, 32)


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """The paths of the two files of a network, and the network."""
    name = tmp_path_factory.mktemp('exported') / 'net'
    net = gluonzoo.get_model('cifar_resnet20')
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros(SHAPE)).wait_to_read()
    net.export(str(name))
    return f'{name}-symbol.json', f'{name}-0000.params', net


def test_a_gluon_network(exported):
    symbol, params, net = exported
    x = mx.nd.random.normal(shape=SHAPE)
    found = load_exported(symbol, params, {'data': SHAPE})
    assert_array_equal(found.block(x).asnumpy(), net(x).asnumpy())
    assert found.unused == [] and all(parameter.grad_req == 'null'
                                      for parameter in found.block.collect_params().values())


def test_a_module(tmp_path):
    out = mx.sym.FullyConnected(mx.sym.Flatten(mx.sym.var('data')), num_hidden=5, name='fc')
    module = mx.mod.Module(mx.sym.SoftmaxOutput(out, name='softmax'))
    module.bind([('data', (2, 3, 4))], [('softmax_label', (2,))])
    module.init_params(mx.init.Uniform(1))
    module.save_checkpoint(str(tmp_path / 'mod'), 3)
    x = mx.nd.random.normal(shape=(2, 3, 4))
    module.forward(mx.io.DataBatch([x]), is_train=False)
    found = load_exported(tmp_path / 'mod-symbol.json', tmp_path / 'mod-0003.params', {'data': (2, 3, 4)})
    assert_allclose(found.block(x).asnumpy(), module.get_outputs()[0].asnumpy(), 1e-6)


def test_arrays_that_the_graph_does_not_use(exported, tmp_path):
    """A graph that was cut off at a layer inside comes with all parameters."""
    symbol, params, net = exported
    inside = mx.sym.load(symbol).get_internals()
    inside[next(i for i, name in enumerate(inside.list_outputs()) if 'relu0' in name)].save(str(tmp_path / 'cut.json'))
    found = load_exported(tmp_path / 'cut.json', params, {'data': SHAPE})
    assert found.block(mx.nd.zeros(SHAPE)).shape == (2, 16, 32, 32) and len(found.unused) > 50


def test_half_precision_becomes_single(exported, tmp_path):
    symbol, params, _ = exported
    arrays = {name: array.astype('float16') for name, array in mx.nd.load(params).items()}
    mx.nd.save(str(tmp_path / 'half.params'), arrays)
    found = load_exported(symbol, tmp_path / 'half.params', {'data': SHAPE})
    assert found.block(mx.nd.zeros(SHAPE)).dtype == np.float32


@pytest.mark.parametrize('inputs, words', [
    ({'dato': SHAPE}, "has no input 'dato'; it has 'data'"),
    ({'data': SHAPE, 'more': (1,)}, "has no input 'more'"),
    ({'data': (2, 4, 32, 32)}, r'does not take data \[2, 4, 32, 32\]: .*Provided = \[16,3,3,3\]'),
    ({'data': (2, 3)}, 'does not take data'),
    ({}, "nothing is said of 'data'"),
])
def test_inputs_that_do_not_fit(inputs, words, exported):
    with pytest.raises((SymbolError, WeightsError), match=words):
        load_exported(*exported[:2], inputs)


def test_files_that_do_not_fit(exported, tmp_path):
    symbol, params, _ = exported
    arrays = mx.nd.load(params)
    name = next(name for name in arrays if name.endswith('dense0_bias'))
    mx.nd.save(str(tmp_path / 'c.params'), {**arrays, name: mx.nd.zeros((11,))})
    with pytest.raises(WeightsError, match=r"c.params does not fit .*\n.*: shape \(11,\) in the file, \(10,\) here"):
        load_exported(symbol, tmp_path / 'c.params', {'data': SHAPE})
    missing = {other: array for other, array in arrays.items() if other != name}
    mx.nd.save(str(tmp_path / 'a.params'), missing)
    with pytest.raises(SymbolError, match=f"nothing is said of '{name[4:]}': they must be in the parameter file"):
        load_exported(symbol, tmp_path / 'a.params', {'data': SHAPE})
    mx.nd.save(str(tmp_path / 'b.params'), {**missing, name: arrays[name] * np.nan})
    with pytest.raises(WeightsError, match='not finite'):
        load_exported(symbol, tmp_path / 'b.params', {'data': SHAPE})
    load_exported(symbol, tmp_path / 'b.params', {'data': SHAPE}, finite=False)


def test_regions_of_images():
    """Random numbers would be numbers of images that are not there, and MXNet would die."""
    rois = mx.sym.contrib.ROIAlign(mx.sym.var('x'), mx.sym.var('rois'), pooled_size=(2, 2), spatial_scale=1)
    found = example_inputs(rois, {'x': (1, 3, 64, 64), 'rois': (5, 5)})
    assert found['x'] == (1, 3, 64, 64) and found['rois'].shape == (5, 5) and not found['rois'][:, 0].any()
    assert len({tuple(row) for row in found['rois']}) == 5   # so that an order would tell
    assert (found['rois'][:, 3:] > found['rois'][:, 1:3]).all()


def test_what_mxnet_dies_of(tmp_path):
    """Regions of image 70,000, by numbers that are computed."""
    rois = mx.sym.broadcast_add(mx.sym.zeros_like(mx.sym.var('y')), 70000 * mx.sym.ones((1, 5)))
    symbol = mx.sym.contrib.ROIAlign(mx.sym.var('x'), rois, pooled_size=(2, 2), spatial_scale=1)
    symbol.save(str(tmp_path / 'bad.json'))
    with pytest.raises(SymbolError, match='bad.json: MXNet dies when it computes this network'):
        require_it_runs(tmp_path / 'bad.json', None, {'x': (1, 3, 64, 64), 'y': (4, 5)})


def test_a_trial_that_cannot_begin(tmp_path, monkeypatch):
    """Says nothing good of the network, and files of the user's folder do not get into its way."""
    mx.sym.relu(mx.sym.var('x')).save(str(tmp_path / 'net.json'))
    (tmp_path / 'mxnet.py').write_text('raise SystemExit(3)')
    monkeypatch.chdir(tmp_path)
    require_it_runs('net.json', None, {'x': (1, 3)})
    monkeypatch.setattr('sys.path', [])
    monkeypatch.setenv('PYTHONHOME', '/nowhere')
    with pytest.raises(SymbolError, match='net.json: MXNet dies'):
        require_it_runs('net.json', None, {'x': (1, 3)})


def test_damaged_files():
    """Few of many ways; the others by hand: mutations.py 400."""
    found = outcomes(25, seed=1)
    assert sum(found.values()) == 50
    assert {word for _, word in found} <= {'loaded', 'refused', 'dies when computed'}, found
    assert found['symbol', 'refused'] > 5 and found['params', 'refused'] > 5
