"""torchvision's names, spelt out; files of other networks. (Values: unittests/parity/test_wsdan_parity.py.)"""
import numpy as np
import pytest
from run_checks import error_of

from gluonzoo.convert import NAME_MAPS, torch_state, torchvision
from gluonzoo.convert.official import load_weights
from gluonzoo.registry import get_model

NAMES = {
    'resnet34': {'conv1.weight': 'features.0.weight', 'bn1.running_var': 'features.1.running_var',
                 'layer1.0.conv2.weight': 'features.4.0.conv2.weight', 'layer4.2.bn1.bias': 'features.7.2.bn1.beta',
                 'layer2.0.downsample.1.weight': 'features.5.0.downsample.1.gamma', 'fc.bias': 'output.bias'},
    'resnet50': {'layer3.5.conv3.weight': 'features.6.5.conv3.weight',
                 'layer1.0.downsample.0.weight': 'features.4.0.downsample.0.weight', 'fc.weight': 'output.weight'},
    'vgg19_bn': {'features.0.bias': 'features.0.bias', 'features.50.running_mean': 'features.50.running_mean',
                 'classifier.0.weight': 'head.0.weight', 'classifier.3.bias': 'head.2.bias',
                 'classifier.6.weight': 'output.weight'},
    'inception_v3': {'Conv2d_1a_3x3.conv.weight': 'features.0.0.weight', 'Conv2d_4a_3x3.bn.bias': 'features.5.1.beta',
                     'Mixed_5b.branch5x5_2.conv.weight': 'features.7.1.1.0.weight',
                     'Mixed_5d.branch_pool.bn.weight': 'features.9.3.1.1.gamma',
                     'Mixed_6a.branch3x3dbl_3.conv.weight': 'features.10.1.2.0.weight',
                     'Mixed_6e.branch7x7dbl_5.bn.running_mean': 'features.14.2.4.1.running_mean',
                     'Mixed_7a.branch7x7x3_4.conv.weight': 'features.15.1.3.0.weight',
                     'Mixed_7b.branch3x3_2b.conv.weight': 'features.16.1.1.1.0.0.weight',
                     'Mixed_7c.branch3x3dbl_3a.bn.bias': 'features.17.2.1.0.0.1.beta', 'fc.weight': 'output.weight'},
}


@pytest.mark.parametrize('name', NAMES)
def test_names(name):
    net = get_model(name, classes=2)
    ours = NAME_MAPS[name](net).inverse(net._collect_params_with_prefix())
    assert {official: ours[official] for official in NAMES[name]} == NAMES[name]


def test_auxiliary_classifier_is_left_out():
    net = get_model('inception_v3', classes=2)
    net.initialize()
    name_map = NAME_MAPS['inception_v3'](net)
    weights = {**torch_state(net, name_map), 'AuxLogits.fc.weight': np.zeros((2, 768), 'f4')}
    assert load_weights(net, weights, name_map) == ['AuxLogits.fc.weight']


def file_of(name, path, **keywords):
    import safetensors.numpy
    net = get_model(name, **keywords)
    net.initialize()
    safetensors.numpy.save_file(torch_state(net, NAME_MAPS[name](net)), path)
    return path


def test_whose():
    shapes = {'resnet18': (2, 2, 2, 2), 'resnet34': (3, 4, 6, 3)}
    for name, depths in shapes.items():
        names = {f'layer{stage}.{block}.conv{number}.weight': np.zeros(1) for stage, depth in enumerate(depths, 1)
                 for block in range(depth) for number in (1, 2)}
        assert torchvision.whose(names) == name
    names = {f'layer{stage}.{block}.conv{number}.weight': np.zeros(1) for stage, depth in enumerate((3, 4, 23, 3), 1)
             for block in range(depth) for number in (1, 2, 3)}
    assert torchvision.whose(names) == 'resnet101'
    vgg16 = {**{f'features.{place}.weight': np.zeros((1, 1, 1, 1)) for place in range(13)},
             'classifier.6.weight': np.zeros(1)}
    assert torchvision.whose(vgg16) == 'vgg16'
    assert torchvision.whose({'stem.weight': np.zeros(1)}) is None


@pytest.mark.parametrize('theirs, keywords, ours, message', [
    ('resnet34', {'classes': 2}, 'resnet50', 'is of resnet34, not of resnet50'),
    ('inception_v3', {'classes': 2}, 'resnet50', 'is of inception_v3, not of resnet50'),
    ('resnet34', {'classes': 2}, 'resnet34', 'is of 2 classes, the network here of 1000: --settings '
                                             '\'{"classes": 2}\'')])
def test_a_file_of_another_network_is_said_in_one_line(theirs, keywords, ours, message, tmp_path, capsys):
    path, out = file_of(theirs, tmp_path / 'theirs.safetensors', **keywords), tmp_path / 'out.safetensors'
    words = ['convert', '--model', ours, '--weights', str(path), '--out', str(out)]
    assert error_of(words, capsys) == f'gluonzoo convert: {path}: {message}\n'
    assert not out.exists()


def test_other_shapes_are_said_in_one_line(tmp_path, capsys):
    """As of wide_resnet50_2, whose names are those of resnet50."""
    import safetensors.numpy
    path = file_of('resnet50', tmp_path / 'theirs.safetensors')
    weights = safetensors.numpy.load_file(path)
    for name in ('layer1.0.conv1.weight', 'layer1.0.bn1.weight'):
        weights[name] = np.concatenate([weights[name]] * 2)
    safetensors.numpy.save_file(weights, path)
    for model in ('resnet50', 'wsdan_resnet50'):
        words = ['convert', '--model', model, '--weights', str(path), '--out', str(tmp_path / 'out.safetensors')]
        assert error_of(words, capsys) == (f"gluonzoo convert: {path}: 'layer1.0.conv1.weight' is (128, 64, 1, 1), and "
                                           f'(64, 64, 1, 1) in {model}; and 1 more\n')
