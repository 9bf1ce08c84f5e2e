"""The official names of pix2pix and CycleGAN, spelt out."""
import pytest

from gluonzoo.convert import pix2pix as name_maps
from gluonzoo.models.patchgan import PatchGAN, PixelGAN
from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.models.unet import UNet


def to_ours(net, make):
    return make(net).inverse(net._collect_params_with_prefix()).get


def test_unet():
    ours = to_ours(UNet(7, width=1), name_maps.unet)
    inside = 'model.model.1.model.3.model'
    for official, name in {
            'model.model.0.weight': 'encoder.0.0.weight', 'model.model.3.bias': 'decoder.6.1.bias',
            'model.model.1.model.1.weight': 'encoder.1.1.weight', 'model.model.1.model.2.bias': 'encoder.1.2.beta',
            'model.model.1.model.5.weight': 'decoder.5.1.weight', 'model.model.1.model.6.weight': 'decoder.5.2.gamma',
            f'{inside}.2.running_var': 'encoder.2.2.running_var',
            f'{inside}.3.model.3.model.3.model.3.model.1.weight': 'encoder.6.1.weight',
            f'{inside}.3.model.3.model.3.model.3.model.3.weight': 'decoder.0.1.weight',
            f'{inside}.3.model.3.model.3.model.3.model.4.weight': 'decoder.0.2.gamma',
            f'{inside}.3.model.3.model.3.model.3.model.5.weight': None, 'model.model.1.weight': None}.items():
        assert ours(official) == name


@pytest.mark.parametrize('dropout, second', [(0, 5), (.5, 6)])
def test_resnet_generator(dropout, second):
    ours = to_ours(ResNetGenerator(9, width=1, norm='batch', dropout=dropout), name_maps.resnet_generator)
    for official, name in {
            'model.1.weight': 'stem.1.weight', 'model.2.weight': 'stem.2.gamma',
            'model.7.weight': 'halvings.1.0.weight',
            'model.10.conv_block.1.weight': 'blocks.0.body.1.weight',
            f'model.18.conv_block.{second}.weight': f'blocks.8.body.{second}.weight',
            f'model.18.conv_block.{second + 1}.bias': f'blocks.8.body.{second + 1}.beta',
            'model.19.weight': 'doublings.0.0.weight', 'model.23.bias': 'doublings.1.1.beta',
            'model.26.bias': 'output.1.bias', 'model.27.bias': None}.items():
        assert ours(official) == name


def test_discriminators():
    patchgan = to_ours(PatchGAN(width=1, norm='none'), name_maps.patchgan)
    assert [patchgan(f'model.{i}.weight') for i in (0, 2, 5, 8, 11)] == [
        f'body.{i}.weight' for i in (0, 2, 4, 6, 8)]
    pixelgan = to_ours(PixelGAN(width=1), name_maps.pixelgan)
    assert [pixelgan(f'net.{i}.weight') for i in (0, 2, 3, 5)] == [
        'body.0.weight', 'body.2.weight', 'body.3.gamma', 'body.5.weight']


@pytest.mark.parametrize('norm, uses', [('instance', False), ('none', False), ('batch', True)])
def test_statistics_of_instance_normalisation_are_not_used(norm, uses):
    net = PatchGAN(width=1, norm=norm)
    name_map = name_maps.patchgan(net)
    assert name_map.uses('model.3.running_mean') == name_map.uses('model.3.running_var') == uses
    assert not name_map.uses('model.3.num_batches_tracked') and name_map.uses('model.3.weight')
    assert name_map.counters(net._collect_params_with_prefix()) == [
        f'model.{i}.num_batches_tracked' for i in (3, 6, 9) if uses]
