"""Weights that were trained elsewhere, in our networks.

::

    net = gluonzoo.get_model('unet256')
    net.initialize()
    load_weights(net, without_prefix(read_weights('latest_net_G.pth')), NAME_MAPS['unet256'](net))
"""
from . import centernet, ghostnet, pix2pix
from .errors import WeightsError
from .name_map import NameMap, load_weights, without_prefix
from .weights import read_weights

__all__ = ['NAME_MAPS', 'NameMap', 'WeightsError', 'load_weights', 'read_weights', 'without_prefix']


def _ghostnet(net):
    return NameMap(ghostnet.NAMES)


def _centernet(net):
    return NameMap(centernet.NAMES, transforms={centernet.BGR: lambda weight: weight[:, ::-1]})


# Model -> function that makes the map for a network of it.
NAME_MAPS = {
    'unet256': pix2pix.unet,
    'unet128': pix2pix.unet,
    'resnet_9blocks': pix2pix.resnet_generator,
    'resnet_6blocks': pix2pix.resnet_generator,
    'patchgan': pix2pix.patchgan,
    'pixelgan': pix2pix.pixelgan,
    'ghostnet_0_5': _ghostnet,
    'ghostnet_1_0': _ghostnet,
    'ghostnet_1_3': _ghostnet,
    'centernet_hourglass52': _centernet,
    'centernet_hourglass104': _centernet,
}
