"""Weights between networks and files: the official files of a family, and files of our own.

Official weights, into a network and out of a network::

    net = gluonzoo.get_model('unet256')
    net.initialize()
    load_weights(net, read_weights('latest_net_G.pth'), NAME_MAPS['unet256'](net))
    ...
    safetensors.numpy.save_file(torch_state(net, NAME_MAPS['unet256'](net)), 'generator.safetensors')

darknet's files have no names, but an order. GluonCV's have names, in a form of MXNet's::

    load_darknet(net, 'yolov3.weights', DARKNET_FORMS['yolo3_darknet53'])
    load_weights(net, read_params('yolo3_darknet53_coco.params'), GLUONCV_MAPS['yolo3_darknet53'](net))

A file of our own, as a checkpoint has them and ``gluonzoo convert`` writes them, into a network::

    load_own_weights(net, 'generator.safetensors')
"""
from . import centernet, cifar_resnet, dcgan, ghostnet, mmagic_wgan_gp, pix2pix, wsdan
from .darknet import FORMS as DARKNET_FORMS
from .darknet import load_darknet, save_darknet
from .errors import WeightsError
from .gluoncv import MAPS as GLUONCV_MAPS
from .gluoncv import check_fit as check_gluoncv
from .mxnet_params import read_params
from .name_map import NameMap, Transform
from .official import load_weights, torch_state, with_prefix, without_prefix, without_wrappers
from .own import convention_of, load_own_weights
from .torchvision import MAPS as TORCHVISION_MAPS
from .torchvision import check_fit as check_torchvision
from .weights import read_weights

__all__ = ['CONVERTED', 'DARKNET_FORMS', 'GLUONCV_MAPS', 'NAME_MAPS', 'TORCHVISION_MAPS', 'NameMap', 'Transform',
           'WeightsError', 'check_gluoncv', 'check_torchvision', 'convention_of', 'load_darknet', 'load_own_weights',
           'load_weights', 'read_params', 'read_weights', 'save_darknet', 'torch_state', 'with_prefix',
           'without_prefix', 'without_wrappers', 'wsdan']

# Model -> function that makes the map from PyTorch's names for a network of it.
NAME_MAPS = {
    'unet256': pix2pix.unet,
    'unet128': pix2pix.unet,
    'resnet_9blocks': pix2pix.resnet_generator,
    'resnet_6blocks': pix2pix.resnet_generator,
    'patchgan': pix2pix.patchgan,
    'pixelgan': pix2pix.pixelgan,
    'dcgan_generator': dcgan.dcgan,
    'dcgan_discriminator': dcgan.dcgan,
    'mlp_generator': dcgan.mlp_gan,
    'mlp_critic': dcgan.mlp_gan,
    'mmagic_wgan_gp_generator': mmagic_wgan_gp.generator,
    'mmagic_wgan_gp_critic': mmagic_wgan_gp.critic,
    'ghostnet_0_5': ghostnet.classifier,
    'ghostnet_1_0': ghostnet.classifier,
    'ghostnet_1_3': ghostnet.classifier,
    **{f'cifar_resnet{depth}': cifar_resnet.resnet for depth in (20, 32, 44, 56, 110)},
    'centernet_hourglass52': centernet.hourglass,
    'centernet_hourglass104': centernet.hourglass,
    **TORCHVISION_MAPS,
    **wsdan.MAPS,
}

# Every model that has official weights of some kind.
CONVERTED = tuple(sorted({*NAME_MAPS, *DARKNET_FORMS, *GLUONCV_MAPS}))
