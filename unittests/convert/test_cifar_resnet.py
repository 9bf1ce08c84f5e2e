"""The names of the well-known weights for CIFAR-10, spelt out."""
from gluonzoo.convert import NAME_MAPS
from gluonzoo.models.cifar_resnet import cifar_resnet20


def test_names():
    net = cifar_resnet20(classes=2)
    ours = NAME_MAPS['cifar_resnet20'](net).inverse(net._collect_params_with_prefix())
    for official, name in {
            'conv1.weight': 'stem.0.weight', 'bn1.weight': 'stem.1.gamma', 'bn1.running_var': 'stem.1.running_var',
            'layer1.0.conv1.weight': 'stages.0.0.conv1.weight', 'layer1.2.bn2.bias': 'stages.0.2.bn2.beta',
            'layer3.1.conv2.weight': 'stages.2.1.conv2.weight',
            'layer2.0.bn1.running_mean': 'stages.1.0.bn1.running_mean',
            'linear.weight': 'output.weight', 'linear.bias': 'output.bias'}.items():
        assert ours[official] == name
    assert len(ours) == 5 * 19 + 2   # and nothing of the shortcuts


def test_names_of_projections():
    net = cifar_resnet20(shortcut='B')
    ours = NAME_MAPS['cifar_resnet20'](net).inverse(net._collect_params_with_prefix())
    assert ours['layer2.0.shortcut.0.weight'] == 'stages.1.0.shortcut.0.weight'
    assert ours['layer3.0.shortcut.1.weight'] == 'stages.2.0.shortcut.1.gamma'


def test_which_models():
    assert [name for name in NAME_MAPS if name.startswith(('cifar', 'sknet'))] == [
        f'cifar_resnet{depth}' for depth in (20, 32, 44, 56, 110)]
