"""The names of MMagic's files of WGAN-GP, spelt out, and the weights that are laid out in another way."""
import numpy as np
import pytest

from gluonzoo.convert import NAME_MAPS
from gluonzoo.registry import get_model


def to_ours(name, **settings):
    net = get_model(name, **settings)
    return NAME_MAPS[name](net).inverse(net._collect_params_with_prefix())


def test_generator():
    names = to_ours('mmagic_wgan_gp_generator')
    for official, ours in {
            'noise2feat.bias': 'body.0.bias', 'noise2feat.linear.weight': 'body.0.product.0.weight',
            'noise2feat.norm.running_mean': 'body.0.rest.1.running_mean', 'conv_blocks.0.conv.weight': 'body.1.weight',
            'conv_blocks.2.conv.bias': 'body.4.bias', 'conv_blocks.3.bn.weight': 'body.8.gamma',
            'conv_blocks.15.conv.weight': 'body.31.weight', 'to_rgb.conv.bias': 'body.34.bias'}.items():
        assert names[official] == ours


@pytest.mark.parametrize('norm, module', [('group', 'GN'), ('layer', 'LN2d'), ('batch', 'bn')])
def test_critic(norm, module):
    names = to_ours('mmagic_wgan_gp_critic', size=64, norm=norm)
    for official, ours in {
            'from_rgb.conv.weight': 'body.0.weight', 'conv_blocks.0.conv.weight': 'body.2.weight',
            f'conv_blocks.1.{module}.weight': 'body.6.gamma', 'conv_blocks.3.conv.bias': 'body.9.bias',
            'conv_blocks.10.conv.weight': 'body.26.weight', 'decision.conv.conv.weight': 'body.30.weight',
            f'decision.conv.{module}.bias': 'body.31.beta', 'decision.linear.weight': 'body.33.weight'}.items():
        assert names[official] == ours
    assert 'decision.conv.conv.bias' in to_ours('mmagic_wgan_gp_critic', norm='none')


def test_weights_behind_a_doubling_are_turned():
    name_map = NAME_MAPS['mmagic_wgan_gp_generator'](get_model('mmagic_wgan_gp_generator', size=8, width=2))
    official = np.arange(36.).reshape(2, 2, 3, 3)
    ours = name_map.to_ours('body.4.weight', official)
    assert ours[1, 0, 0, 0] == official[0, 1, 2, 2] and ours[0, 1, 2, 0] == official[1, 0, 0, 2]
    assert (name_map.to_official('body.4.weight', ours) == official).all()
    assert (name_map.to_ours('body.1.weight', official) == official).all()
