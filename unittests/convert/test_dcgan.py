"""The names of WGAN's and MMagic's files of DCGAN and of fully connected networks, spelt out."""
from gluonzoo.convert import NAME_MAPS
from gluonzoo.registry import get_model


def to_ours(name, **settings):
    net = get_model(name, **settings)
    return NAME_MAPS[name](net).inverse(net._collect_params_with_prefix())


def test_wgan():
    generator = to_ours('dcgan_generator', extra_layers=2)
    for official, ours in {
            'main.initial:100-512:convt.weight': 'body.0.weight', 'main.initial:512:batchnorm.weight': 'body.1.gamma',
            'main.pyramid:512-256:convt.weight': 'body.3.weight',
            'main.pyramid:64:batchnorm.running_var': 'body.10.running_var',
            'main.extra-layers-0:64:conv.weight': 'body.12.weight',
            'main.extra-layers-1:64:batchnorm.bias': 'body.16.beta',
            'main.final:64-3:convt.weight': 'body.18.weight'}.items():
        assert generator[official] == ours
    critic = to_ours('dcgan_discriminator', size=32, channels=1, norm='none')
    assert critic == {
        'main.initial:1-64:conv.weight': 'body.0.weight', 'main.pyramid:64-128:conv.weight': 'body.2.weight',
        'main.pyramid:128-256:conv.weight': 'body.4.weight', 'main.final:256-1:conv.weight': 'body.6.weight'}


def test_mmagic():
    generator = to_ours('dcgan_generator', variant='mmagic')
    for official, ours in {
            'noise2feat.conv.weight': 'body.0.weight', 'noise2feat.bn.bias': 'body.1.beta',
            'upsampling.0.conv.weight': 'body.3.weight', 'upsampling.2.bn.running_mean': 'body.10.running_mean',
            'output_layer.conv.weight': 'body.12.weight', 'output_layer.conv.bias': 'body.12.bias'}.items():
        assert generator[official] == ours
    discriminator = to_ours('dcgan_discriminator', variant='mmagic')
    for official, ours in {
            'downsamples.0.conv.bias': 'body.0.bias', 'downsamples.1.conv.weight': 'body.2.weight',
            'downsamples.3.bn.weight': 'body.9.gamma', 'output_layer.conv.bias': 'body.11.bias'}.items():
        assert discriminator[official] == ours


def test_fully_connected():
    assert to_ours('mlp_generator')['main.6.bias'] == 'body.6.bias'
    assert to_ours('mlp_critic')['main.2.weight'] == 'body.3.weight'
