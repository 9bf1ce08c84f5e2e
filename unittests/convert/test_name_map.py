"""The map of names, and that a network gets all weights of a file or none."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.convert import NAME_MAPS, NameMap, WeightsError, load_weights, without_prefix
from gluonzoo.convert import pix2pix as name_maps
from gluonzoo.models.patchgan import PatchGAN, PixelGAN
from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.models.unet import UNet
from gluonzoo.nn.conv import sequential

RULES = [(r'^features\.(\d+)\.', r'\1.'), (r'^(\d+)\.conv\.', r'\1.0.'), (r'^(\d+)\.bn\.', r'\1.1.')]


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
                 NameMap(RULES, transforms={'1.0.weight': np.transpose}))
    np.testing.assert_array_equal(values(net)['1.0.weight'], weights['features.1.conv.weight'])


def test_unused_names_are_whole_names(net, weights):
    extra = {**weights, 'head.weight': np.ones(1, 'f4'), 'head.weight2': np.ones(1, 'f4')}
    with pytest.raises(WeightsError, match="unknown here: 'head.weight2'$"):
        load_weights(net, extra, NameMap(RULES, unused=[r'head\.weight']))
    load_weights(net, extra, NameMap(RULES, unused=[r'head\..*']))


FAULTS = {
    'unknown': (lambda w: {**w, 'features.2.conv.weight': w['features.0.conv.weight'], 'step': np.array(1.)},
                ["unknown here: 'features.2.conv.weight'", "unknown here: 'step'"]),
    'missing': (lambda w: {name: a for name, a in w.items() if 'running' not in name},
                ["not in the file: '0.1.running_mean'", "not in the file: '0.1.running_var'"]),
    'empty': (lambda w: {}, ["not in the file: '0.0.weight'", "not in the file: '1.1.alpha'"]),
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
    'one for two': (lambda w: {**w, '0.conv.bias': w['features.0.conv.bias']},
                    ["'0.0.bias' is more than one: 'features.0.conv.bias', '0.conv.bias'"]),
}


@pytest.mark.filterwarnings('ignore:overflow encountered in cast')
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


def test_prefix():
    assert without_prefix({'module.a': 1, 'module.module.b': 2}) == {'a': 1, 'module.b': 2}
    some = {'module.a': 1, 'b': 2}
    assert without_prefix(some) is some
    assert without_prefix({'net.a': 1}, 'net.') == {'a': 1}


# -- the official names of pix2pix, spelt out ------------------------------------------------------------------------

def names(net, make):
    name_map, parameters = make(net), net._collect_params_with_prefix()
    return lambda name: name_map.name(name, parameters)


def test_names_of_unet():
    to_ours = names(UNet(7, width=1), name_maps.unet)
    inside = 'model.model.1.model.3.model'
    for official, ours in {
            'model.model.0.weight': 'encoder.0.0.weight', 'model.model.3.bias': 'decoder.6.1.bias',
            'model.model.1.model.1.weight': 'encoder.1.1.weight', 'model.model.1.model.2.bias': 'encoder.1.2.beta',
            'model.model.1.model.5.weight': 'decoder.5.1.weight', 'model.model.1.model.6.weight': 'decoder.5.2.gamma',
            f'{inside}.2.running_var': 'encoder.2.2.running_var',
            f'{inside}.3.model.3.model.3.model.3.model.1.weight': 'encoder.6.1.weight',
            f'{inside}.3.model.3.model.3.model.3.model.3.weight': 'decoder.0.1.weight',
            f'{inside}.3.model.3.model.3.model.3.model.4.weight': 'decoder.0.2.gamma',
            f'{inside}.3.model.3.model.3.model.3.model.5.weight': None, 'model.model.1.weight': None}.items():
        assert to_ours(official) == ours


@pytest.mark.parametrize('dropout, second', [(0, 5), (.5, 6)])
def test_names_of_resnet_generator(dropout, second):
    to_ours = names(ResNetGenerator(9, width=1, norm='batch', dropout=dropout), name_maps.resnet_generator)
    for official, ours in {
            'model.1.weight': 'stem.1.weight', 'model.2.weight': 'stem.2.gamma',
            'model.7.weight': 'halvings.1.0.weight',
            'model.10.conv_block.1.weight': 'blocks.0.body.1.weight',
            f'model.18.conv_block.{second}.weight': f'blocks.8.body.{second}.weight',
            f'model.18.conv_block.{second + 1}.bias': f'blocks.8.body.{second + 1}.beta',
            'model.19.weight': 'doublings.0.0.weight', 'model.23.bias': 'doublings.1.1.beta',
            'model.26.bias': 'output.1.bias', 'model.27.bias': None}.items():
        assert to_ours(official) == ours


def test_names_of_discriminators():
    patchgan = names(PatchGAN(width=1, norm='none'), name_maps.patchgan)
    assert [patchgan(f'model.{i}.weight') for i in (0, 2, 5, 8, 11)] == [
        f'body.{i}.weight' for i in (0, 2, 4, 6, 8)]
    pixelgan = names(PixelGAN(width=1), name_maps.pixelgan)
    assert [pixelgan(f'net.{i}.weight') for i in (0, 2, 3, 5)] == [
        'body.0.weight', 'body.2.weight', 'body.3.gamma', 'body.5.weight']


@pytest.mark.parametrize('norm, uses', [('instance', False), ('none', False), ('batch', True)])
def test_statistics_of_instance_normalisation_are_not_used(norm, uses):
    name_map = name_maps.patchgan(PatchGAN(width=1, norm=norm))
    assert name_map.uses('model.3.running_mean') == name_map.uses('model.3.running_var') == uses
    assert not name_map.uses('model.3.num_batches_tracked') and name_map.uses('model.3.weight')


def test_name_maps_are_of_models():
    import gluonzoo.models.centernet
    import gluonzoo.models.ghostnet
    assert set(NAME_MAPS) <= set(gluonzoo.list_models())


def test_loading_on_an_other_context(net, weights):
    net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    load_weights(net, weights, NameMap(RULES))
    for copy in net[0][0].weight.list_data():
        np.testing.assert_array_equal(copy.asnumpy(), weights['features.0.conv.weight'])
