"""Official weights: a network gets all of a file or none, and gives them back as they were."""
import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from mxnet.gluon import nn

from gluonzoo.convert import (
    NameMap,
    Transform,
    WeightsError,
    load_weights,
    read_weights,
    torch_state,
    with_prefix,
    without_prefix,
    without_wrappers,
)
from gluonzoo.nn.conv import sequential

RULES = [(r'^(\d)\.0\.', r'features.\1.conv.'), (r'^(\d)\.1\.', r'features.\1.bn.')]
TURNED = {'1.0.weight': Transform(np.transpose, np.transpose)}


@pytest.fixture
def net():
    net = sequential(sequential(nn.Conv2D(2, 3, in_channels=1), nn.BatchNorm(in_channels=2)),
                     sequential(nn.Dense(2, in_units=3), nn.PReLU()))
    net.initialize()
    return net


@pytest.fixture
def weights():
    def numbers(*shape):
        return np.arange(np.prod(shape), dtype='f4').reshape(shape) + 1

    return {'features.0.conv.weight': numbers(2, 1, 3, 3), 'features.0.conv.bias': numbers(2),
            'features.0.bn.weight': numbers(2), 'features.0.bn.bias': -numbers(2),
            'features.0.bn.running_mean': numbers(2), 'features.0.bn.running_var': numbers(2) + 5,
            'features.0.bn.num_batches_tracked': np.array(7),
            'features.1.conv.weight': numbers(2, 3), 'features.1.conv.bias': numbers(2),
            'features.1.bn.weight': np.array([.25], 'f4')}


def values(net):
    return {name: p.data().asnumpy().copy() for name, p in net._collect_params_with_prefix().items()}


def test_every_weight_in_its_place(net, weights):
    load_weights(net, weights, NameMap(RULES))
    assert {name: array.ravel()[0] for name, array in values(net).items()} == {
        '0.0.weight': 1, '0.0.bias': 1, '0.1.gamma': 1, '0.1.beta': -1, '0.1.running_mean': 1, '0.1.running_var': 6,
        '1.0.weight': 1, '1.0.bias': 1, '1.1.alpha': .25}
    np.testing.assert_array_equal(values(net)['0.0.weight'], weights['features.0.conv.weight'])


def test_other_floats_become_ours(net, weights):
    load_weights(net, {name: np.asarray(a, 'f8' if 'conv' in name else 'f2') for name, a in weights.items()},
                 NameMap(RULES))
    assert values(net)['0.0.weight'].dtype == np.float32 and values(net)['0.1.beta'].tolist() == [-1, -2]


def test_parts_of_larger_arrays(net, weights):
    turned = weights['features.1.conv.weight'].T.copy()
    load_weights(net, {**weights, 'features.1.conv.weight': turned.T}, NameMap(RULES))
    np.testing.assert_array_equal(values(net)['1.0.weight'], turned.T)


def test_transform(net, weights):
    load_weights(net, {**weights, 'features.1.conv.weight': weights['features.1.conv.weight'].T},
                 NameMap(RULES, transforms=TURNED))
    np.testing.assert_array_equal(values(net)['1.0.weight'], weights['features.1.conv.weight'])


@pytest.mark.parametrize('shape', [(2, 3), (), (2,)])
def test_shapes_of_transformed_weights_are_the_official_ones(net, weights, shape):
    with pytest.raises(WeightsError) as caught:
        load_weights(net, {**weights, 'features.1.conv.weight': np.ones(shape, 'f4')},
                     NameMap(RULES, transforms=TURNED))
    assert str(caught.value).splitlines()[1:] == [
        f"  'features.1.conv.weight' ('1.0.weight'): shape {shape} in the file, (3, 2) here"]


def test_unused_names_are_whole_names(net, weights):
    extra = {**weights, 'head.weight': np.ones(1, 'f4'), 'head.weight2': np.ones(1, 'f4')}
    with pytest.raises(WeightsError, match="unknown here: 'head.weight2'$"):
        load_weights(net, extra, NameMap(RULES, unused=[r'head\.weight']))
    load_weights(net, extra, NameMap(RULES, unused=[r'head\..*']))


FAULTS = {
    'unknown': (lambda w: {**w, 'features.2.conv.weight': w['features.0.conv.weight'], 'step': np.array(1.)},
                ["unknown here: 'features.2.conv.weight'", "unknown here: 'step'"]),
    'missing': (lambda w: {name: a for name, a in w.items() if 'running' not in name},
                ["not in the file: 'features.0.bn.running_mean' ('0.1.running_mean')",
                 "not in the file: 'features.0.bn.running_var' ('0.1.running_var')"]),
    'empty': (lambda w: {}, ["not in the file: 'features.0.conv.weight' ('0.0.weight')",
                             "not in the file: 'features.1.bn.weight' ('1.1.alpha')"]),
    'shape': (lambda w: {**w, 'features.1.conv.weight': w['features.1.conv.weight'].T,
                         'features.0.bn.bias': np.ones((), 'f4')},
              ["'features.1.conv.weight' ('1.0.weight'): shape (3, 2) in the file, (2, 3) here",
               "'features.0.bn.bias' ('0.1.beta'): shape () in the file, (2,) here"]),
    'dtype': (lambda w: {**w, 'features.1.conv.bias': np.array([1, 2])},
              ["'features.1.conv.bias' ('1.0.bias'): dtype int64 in the file, float32 here"]),
    'not finite': (lambda w: {**w, 'features.1.conv.bias': np.array([1, np.nan], 'f4'),
                              'features.0.conv.bias': np.array([1, 1e300])},
                   ["'features.1.conv.bias' ('1.0.bias'): has values that are not finite",
                    "'features.0.conv.bias' ('0.0.bias'): has values that are not finite"]),
    'twice': (lambda w: {**w, 'module.features.0.conv.bias': w['features.0.conv.bias']},
              ["unknown here: 'module.features.0.conv.bias'"]),
    'ours': (lambda w: {**w, '0.0.bias': w['features.0.conv.bias'], 'features.0.bn.beta': w['features.0.bn.bias']},
             ["unknown here: '0.0.bias'", "unknown here: 'features.0.bn.beta'"]),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_all_faults_are_listed_and_nothing_is_changed(net, weights, fault):
    spoil, lines = FAULTS[fault]
    before = values(net)
    with pytest.raises(WeightsError) as caught:
        load_weights(net, spoil(weights), NameMap(RULES))
    message = str(caught.value)
    assert message.startswith('the weights do not fit HybridSequential:\n')
    for line in lines:
        assert f'\n  {line}' in message
    if fault != 'empty':
        assert len(message.splitlines()) == 1 + len(lines)
    assert all(np.array_equal(array, before[name]) for name, array in values(net).items())


def test_network_must_be_initialized(weights):
    with pytest.raises(ValueError, match='net: must be initialized'):
        load_weights(nn.Dense(2, in_units=3), weights, NameMap(RULES))
    deferred = nn.Dense(2)
    deferred.initialize()
    with pytest.raises(ValueError, match='net: must be initialized, with the shapes of all parameters known'):
        load_weights(deferred, weights, NameMap(RULES))
    with pytest.raises(ValueError, match='net: must be initialized'):
        torch_state(deferred, NameMap(RULES))


def test_prefix():
    assert without_prefix({'module.a': 1, 'module.module.b': 2}) == {'a': 1, 'module.b': 2}
    some = {'module.a': 1, 'b': 2}
    assert without_prefix(some) is some
    assert without_prefix({'net.a': 1}, 'net.') == {'a': 1}


def test_wrappers():
    for prefix in ('', 'module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.', 'module.module.'):
        assert without_wrappers({prefix + 'a.b': 1, prefix + 'c': 2}) == ({'a.b': 1, 'c': 2}, prefix)
    assert without_wrappers({'module.a': 1, 'b': 2}) == ({'module.a': 1, 'b': 2}, '')
    assert without_wrappers({}) == ({}, '')


def test_one_network_of_several():
    weights = {'netG.a': 1, 'netG.b.c': 2, 'netD.a': 3, 'step': 4}
    assert with_prefix(weights, 'netG.') == {'a': 1, 'b.c': 2}
    with pytest.raises(WeightsError, match="--prefix: no name begins with 'net.'; they begin with 'netD.', 'netG.'$"):
        with_prefix(weights, 'net.')


def test_what_would_mend_a_prefix(net, weights):
    with pytest.raises(WeightsError, match=r'\n  --prefix netG\. takes those that begin so$'):
        load_weights(net, {'netD.x': np.ones(1), **{f'netG.{name}': a for name, a in weights.items()}}, NameMap(RULES))


def test_our_own_names(net):
    with pytest.raises(WeightsError, match=r'\n  these are our own names already: gluonzoo predict and train take'):
        load_weights(net, values(net), NameMap(RULES))


def test_what_thop_has_added_is_ignored_and_named(net, weights):
    added = {'total_ops': np.zeros(1), 'features.0.conv.total_params': np.zeros(1)}
    assert load_weights(net, {**weights, **added}, NameMap(RULES)) == list(added)
    assert load_weights(net, weights, NameMap(RULES)) == []
    with pytest.raises(WeightsError, match="unknown here: 'subtotal_ops'$"):
        load_weights(net, {**weights, 'subtotal_ops': np.zeros(1)}, NameMap(RULES))


def test_numbers_that_are_not_finite_may_be_asked_for(net, weights):
    weights['features.0.conv.bias'][:] = [np.nan, np.inf]
    load_weights(net, weights, NameMap(RULES), finite=False)
    np.testing.assert_array_equal(values(net)['0.0.bias'], [np.nan, np.inf])


def test_the_prefix_of_the_map_may_be_absent(net, weights):
    name_map = NameMap(RULES, prefix='module.')
    for prefix in ('module.', ''):
        net.initialize(force_reinit=True)
        load_weights(net, {prefix + name: array for name, array in weights.items()}, name_map)
        np.testing.assert_array_equal(values(net)['0.0.weight'], weights['features.0.conv.weight'])
    some = {('' if 'bn' in name else 'module.') + name: array for name, array in weights.items()}
    with pytest.raises(WeightsError, match="unknown here: 'module.features.0.conv.weight'"):
        load_weights(net, some, name_map)


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_there_and_back(net, weights, prefix):
    name_map = NameMap(RULES, transforms=TURNED, prefix=prefix)
    weights['features.1.conv.weight'] = weights['features.1.conv.weight'].T
    weights = {prefix + name: array for name, array in weights.items()}
    load_weights(net, weights, name_map)
    state = torch_state(net, name_map)
    assert set(state) == set(weights)
    counter = state.pop(f'{prefix}features.0.bn.num_batches_tracked')
    assert counter == 0 and counter.dtype == np.int64 and counter.shape == ()
    for name, array in state.items():
        np.testing.assert_array_equal(array, weights[name])
        assert array.dtype == np.float32 and array.flags.c_contiguous
    before = values(net)
    for array in state.values():
        array[:] = 0   # copies
    assert all(np.array_equal(array, before[name]) for name, array in values(net).items())


def test_state_through_a_file(net, weights, tmp_path):
    """Which holds the wrong numbers of an array in any other order."""
    load_weights(net, weights, NameMap(RULES))
    safetensors.numpy.save_file(torch_state(net, NameMap(RULES, transforms=TURNED)), tmp_path / 'w.safetensors')
    turned = read_weights(tmp_path / 'w.safetensors')['features.1.conv.weight']
    np.testing.assert_array_equal(turned, weights['features.1.conv.weight'].T)


def test_state_of_a_network_on_several_devices_and_in_another_dtype(net, weights):
    load_weights(net, weights, NameMap(RULES))
    net.cast('float64')
    net.collect_params().reset_ctx([mx.cpu(1), mx.cpu(2)])
    state = torch_state(net, NameMap(RULES))
    np.testing.assert_array_equal(state['features.0.bn.running_var'], weights['features.0.bn.running_var'])
    assert state['features.0.bn.running_var'].dtype == np.float64


def test_networks_are_of_floats(net, weights):
    net.cast(np.dtype([('bfloat16', np.uint16)]))
    for use in (lambda: torch_state(net, NameMap(RULES)), lambda: load_weights(net, weights, NameMap(RULES))):
        with pytest.raises(ValueError, match="net: must be of float16, float32 or float64: '0.0.weight' is .*bfloat16"):
            use()


def test_loading_on_an_other_context(net, weights):
    net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    load_weights(net, weights, NameMap(RULES))
    for copy in net[0][0].weight.list_data():
        np.testing.assert_array_equal(copy.asnumpy(), weights['features.0.conv.weight'])
