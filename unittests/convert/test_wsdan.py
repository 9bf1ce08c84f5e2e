"""Weights for WS-DAN: whole networks of GuYuc's, trunks of torchvision's; files that do not fit."""
import json

import numpy as np
import pytest
import safetensors.numpy
from run_checks import error_of

from gluonzoo.commands.main import main
from gluonzoo.convert import NAME_MAPS, convention_of, load_own_weights, torch_state
from gluonzoo.registry import get_model

SMALL = {'classes': 3, 'maps': 4}
IMAGENET = {'mean': (123.675, 116.28, 103.53), 'std': (58.395, 57.12, 57.375)}


def random_state(name, keywords):
    """Official weights of a network, all of whose numbers differ."""
    net, rng = get_model(name, **keywords), np.random.default_rng(0)
    net.initialize()
    return {official: rng.uniform(.1, 1, array.shape).astype('f4') if array.ndim else array
            for official, array in torch_state(net, NAME_MAPS[name](net)).items()}


@pytest.fixture
def convert(tmp_path, capsys):
    """Converts official weights; the path of what is written, or the error."""
    def convert(weights, model, settings, fails=False):
        path, out = tmp_path / 'theirs.safetensors', tmp_path / 'ours.safetensors'
        safetensors.numpy.save_file(weights, path)
        words = ['convert', '--model', model, '--weights', str(path), '--settings', json.dumps(settings), '--out',
                 str(out)]
        if fails:
            error = error_of(words, capsys)
            assert not out.exists() and error.startswith(f'gluonzoo convert: {path}: ') and error.count('\n') == 1
            return error[len(f'gluonzoo convert: {path}: '):-1]
        assert main(words) == 0
        return out
    return convert


@pytest.mark.parametrize('name, keywords, names', [
    ('wsdan_resnet34', {}, {'features.4.0.conv1.bias': 'features.4.0.conv1.bias',
                            'features.5.0.downsample.1.weight': 'features.5.0.downsample.1.gamma'}),
    ('wsdan_vgg19_bn', {}, {'features.50.running_var': 'features.50.running_var'}),
    ('wsdan_inception_v3', {}, {'features.0.conv.weight': 'features.0.0.weight',
                                'features.7.branch5x5_2.bn.bias': 'features.7.1.1.1.beta',
                                'features.14.branch_pool.conv.weight': 'features.14.3.1.0.weight'}),
    ('wsdan_inception_v3', {'end': 'mixed_7c'},
     {'features.17.branch3x3_2b.conv.weight': 'features.17.1.1.1.0.0.weight'})])
def test_whole_networks(name, keywords, names, convert, capsys):
    """They want ImageNet's mean and deviation, also on Inception v3; the file says so where that is not usual."""
    keywords = {**SMALL, **keywords}
    weights = random_state(name, keywords)
    attention = {'attentions.conv.weight': 'attention.0.weight', 'attentions.bn.weight': 'attention.1.gamma'}
    if 'end' in keywords:   # GuYuc's network has the attention that it does not use
        weights.update({'attentions.conv.weight': np.zeros((4, 2048, 1, 1), 'f4'),
                        'attentions.bn.weight': np.zeros(4, 'f4')})
        attention = {}
    out = convert(weights, name, keywords)
    arrays = safetensors.numpy.load_file(out)
    for theirs, ours in {**names, **attention, 'fc.weight': 'output.weight'}.items():
        np.testing.assert_array_equal(arrays[ours], weights[theirs])
    assert convention_of(out) == (IMAGENET if 'inception' in name else {})
    net = get_model(name, **keywords, **IMAGENET)
    net.initialize()
    assert load_own_weights(net, out) == []


def test_another_convention_can_be_said(convert):
    settings = {**SMALL, 'mean': [1, 2, 3], 'std': [4, 5, 6]}
    out = convert(random_state('wsdan_inception_v3', SMALL), 'wsdan_inception_v3', settings)
    assert convention_of(out) == {'mean': (1, 2, 3), 'std': (4, 5, 6)}


@pytest.mark.parametrize('trunk', ['resnet34', 'vgg19_bn', 'inception_v3'])
def test_trunk_of_a_classifier(trunk, convert, capsys):
    """All of the trunk, nothing else, and exactly; the training starts the rest anew."""
    small = {'classes': 2, 'hidden': 4} if trunk == 'vgg19_bn' else {'classes': 2}
    weights = random_state(trunk, small)
    if trunk == 'inception_v3':
        weights['AuxLogits.fc.weight'] = np.ones((2, 768), 'f4')
    model = f'wsdan_{trunk}'
    out = convert(weights, model, SMALL)
    assert 'The backbone alone: gluonzoo train --partial starts from it.' in capsys.readouterr().out
    assert convention_of(out) == {}
    net, classifier = get_model(model, **SMALL), get_model(trunk, **small)
    for block in (net, classifier):
        block.initialize()
    anew = load_own_weights(net, out, partial=True)
    biases = [f'features.{stage}.{block}.conv{number}.bias' for stage, depth in zip((4, 5, 6, 7), (3, 4, 6, 3))
              for block in range(depth) for number in (1, 2)] if trunk == 'resnet34' else []
    assert sorted(anew) == sorted([*biases, 'attention.0.weight', *(f'attention.1.{kind}' for kind in (
        'gamma', 'beta', 'running_mean', 'running_var')), 'output.weight'])
    ours = NAME_MAPS[trunk](classifier).inverse(classifier._collect_params_with_prefix())
    named = net._collect_params_with_prefix()
    checked = [official for official, name in ours.items() if name in named and name.startswith('features.')]
    assert len(checked) > 80
    for official in checked:
        np.testing.assert_array_equal(named[ours[official]].data().asnumpy(), weights[official])


def test_official_attention_is_pretrained(convert):
    """The first channels of the convolution that follows the trunk."""
    weights = random_state('inception_v3', {'classes': 2})
    out = convert(weights, 'wsdan_inception_v3', {**SMALL, 'variant': 'official'})
    arrays = safetensors.numpy.load_file(out)
    for theirs, ours in {'conv.weight': '0.weight', 'bn.weight': '1.gamma', 'bn.bias': '1.beta',
                         'bn.running_mean': '1.running_mean', 'bn.running_var': '1.running_var'}.items():
        found, wanted = arrays[f'attention.{ours}'], weights[f'Mixed_7a.branch3x3_1.{theirs}']
        assert len(wanted) == 192
        np.testing.assert_array_equal(found, wanted[:4])


def test_official_of_dogs_starts_as_the_classifier(convert):
    out = convert(random_state('inception_v3', {'classes': 2}), 'wsdan_inception_v3',
                  {**SMALL, 'variant': 'official', 'end': 'mixed_7c'})
    assert {name.partition('.')[0] for name in safetensors.numpy.load_file(out)} == {'features'}


def test_compact_pooling_starts_from_a_classifier(convert):
    out = convert(random_state('resnet34', {'classes': 2}), 'wsdan_resnet34',
                  {**SMALL, 'pooling': 'compact', 'sketch': 64})
    assert {name.partition('.')[0] for name in safetensors.numpy.load_file(out)} == {'features'}


@pytest.mark.parametrize('theirs, keywords, model, settings, message', [
    ('resnet34', {'classes': 2}, 'wsdan_resnet50', {},
     'is of resnet34, not of resnet50, the backbone of wsdan_resnet50, nor of a whole WS-DAN'),
    ('inception_v3', {'classes': 2}, 'wsdan_vgg19_bn', {},
     'is of inception_v3, not of vgg19_bn, the backbone of wsdan_vgg19_bn, nor of a whole WS-DAN'),
    ('inception_v3', {'classes': 2}, 'wsdan_inception_v3', {'variant': 'official', 'maps': 193},
     "has attention for up to 192 maps of the variant 'official': 193"),
    ('wsdan_resnet34', SMALL, 'wsdan_resnet50', SMALL,
     'is of WS-DAN on resnet34, not on resnet50, as wsdan_resnet50 is'),
    ('wsdan_vgg19_bn', SMALL, 'wsdan_inception_v3', SMALL,
     'is of WS-DAN on vgg19_bn, not on inception_v3, as wsdan_inception_v3 is'),
    ('wsdan_inception_v3', SMALL, 'wsdan_resnet34', SMALL,
     'is of WS-DAN on inception_v3, not on resnet34, as wsdan_resnet34 is'),
    ('wsdan_inception_v3', SMALL, 'wsdan_inception_v3', {**SMALL, 'end': 'mixed_7c'},
     "is of a trunk up to mixed_6e: --settings '{\"end\": \"mixed_6e\"}'"),
    ('wsdan_inception_v3', SMALL, 'wsdan_inception_v3', {**SMALL, 'variant': 'official'},
     "is of GuYuc's code: make wsdan_inception_v3 with variant 'guyuc'"),
    ('wsdan_resnet34', SMALL, 'wsdan_resnet34', {}, "is of 3 classes, the network here of 200: --settings "
                                                    "'{\"classes\": 3}'"),
    ('wsdan_resnet34', SMALL, 'wsdan_resnet34', {'classes': 3}, "is of 4 maps, the network here of 32: --settings "
                                                                "'{\"maps\": 4}'"),
    ('wsdan_resnet34', SMALL, 'wsdan_resnet34', {**SMALL, 'pooling': 'compact', 'sketch': 64},
     "is of exact pooling: make wsdan_resnet34 with pooling 'exact'"),
    ('ghostnet_0_5', {}, 'wsdan_resnet34', {},
     'is of another network, not of resnet34, the backbone of wsdan_resnet34, nor of a whole WS-DAN')])
def test_what_does_not_fit_is_said_in_one_line(theirs, keywords, model, settings, message, convert):
    assert convert(random_state(theirs, keywords), model, settings, fails=True) == message


def test_back_to_guyuc(tmp_path):
    """--to-torch writes what his network loads, but for attention that it does not use."""
    net = get_model('wsdan_resnet34', **SMALL)
    net.initialize()
    ours, theirs = tmp_path / 'ours.safetensors', tmp_path / 'theirs.safetensors'
    arrays = {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}
    safetensors.numpy.save_file(arrays, ours)
    assert main(['convert', '--model', 'wsdan_resnet34', '--settings', json.dumps(SMALL), '--weights', str(ours),
                 '--to-torch', '--out', str(theirs)]) == 0
    found = safetensors.numpy.load_file(theirs)
    assert found['fc.weight'].shape == (3, 2048) and found['attentions.conv.weight'].shape == (4, 512, 1, 1)
    np.testing.assert_array_equal(found['features.0.weight'], net.features[0].weight.data().asnumpy())


def test_there_and_back_on_inception(convert, tmp_path):
    """What the file says of its pictures is followed; no setting needs to repeat it."""
    weights = random_state('wsdan_inception_v3', SMALL)
    ours, theirs = convert(weights, 'wsdan_inception_v3', SMALL), tmp_path / 'back.safetensors'
    assert main(['convert', '--model', 'wsdan_inception_v3', '--settings', json.dumps(SMALL), '--weights', str(ours),
                 '--to-torch', '--out', str(theirs)]) == 0
    found = safetensors.numpy.load_file(theirs)
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)
