"""The names of weights for WS-DAN, and ours.

Of github.com/GuYuc/WS-DAN.PyTorch: whole networks, which train.py there saves under the key 'state_dict'. They want
ImageNet's mean and deviation, also those on Inception v3.
Of torchvision: the trunk alone, to start a training from. It is that of a classifier, see
:mod:`gluonzoo.convert.torchvision`. For the variant 'official' attention starts as the first channels of the
convolution that follows the trunk there.
"""
import re

import numpy as np

from . import torchvision
from .errors import WeightsError, require_count
from .name_map import NameMap, Transform
from .torchvision import INCEPTION_PARTS, NORMALIZED

__all__ = ['BACKBONES', 'MAPS', 'backbone', 'backbone_names', 'check_backbone', 'check_fit', 'inception', 'is_whole',
           'network']

# Model -> the classifier whose trunk it has.
BACKBONES = {'wsdan_inception_v3': 'inception_v3', 'wsdan_resnet34': 'resnet34', 'wsdan_resnet50': 'resnet50',
             'wsdan_vgg19_bn': 'vgg19_bn'}

_ATTENTION = {'0': 'attentions.conv.', '1': 'attentions.bn.'}
_PRETRAINED = {'0': 'Mixed_7a.branch3x3_1.conv.', '1': 'Mixed_7a.branch3x3_1.bn.'}
_PRETRAINED_CHANNELS = 192


# -- whole networks --------------------------------------------------------------------------------------------------

def is_whole(weights):
    """Whether weights of these official names are of a whole WS-DAN, and not of a classifier."""
    return any(name.startswith('attentions.') for name in weights)


def network(net):
    """The map from GuYuc's names for a :class:`WSDAN` on a ResNet or VGG."""
    return NameMap(_rules())


def inception(net):
    """The map from GuYuc's names for a :class:`WSDAN` on Inception v3. With 'mixed_7c' he has attention to no use."""
    units = torchvision.inception_units(net.features, [f'features.{place}' for place in range(len(net.features))])
    return NameMap([*_rules(), _in_units(units)], unused=[r'attentions\..*'] if net.attention is None else [])


# Model -> function that makes the map for a whole network of it.
MAPS = {model: inception if trunk == 'inception_v3' else network for model, trunk in BACKBONES.items()}


def _rules():
    return [(r'^attention\.([01])\.', lambda found: _ATTENTION[found[1]]), (r'^output\.', 'fc.')]


def _in_units(units):
    return r'^(features\.[\d.]+)\.([01])\.', lambda found: units[found[1]] + NORMALIZED[int(found[2])]


def check_fit(net, model, weights, path):
    """WeightsError, in one line, if a whole network's file is of another backbone, or of other classes or maps.

    Parameters
    ----------
    net : WSDAN
    model : str
        its name, a key of :data:`MAPS`
    weights : dict of GuYuc's name -> array
    path : str or Path
        of the file, for messages
    """
    trunk, wanted = _trunk(weights), BACKBONES[model]
    if trunk not in (None, wanted):
        raise WeightsError(f'{path}: is of WS-DAN on {trunk}, not on {wanted}, as {model} is')
    if net.variant != 'guyuc':
        raise WeightsError(f"{path}: is of GuYuc's code: make {model} with variant 'guyuc'")
    if net.feature_length != net.maps * net.channels:
        raise WeightsError(f"{path}: is of exact pooling: make {model} with pooling 'exact'")
    if trunk == 'inception_v3':
        end = 'mixed_7c' if any(name.startswith('features.17.') for name in weights) else 'mixed_6e'
        if (end == 'mixed_7c') != (net.attention is None):
            raise WeightsError(f"{path}: is of a trunk up to {end}: --settings '{{\"end\": \"{end}\"}}'")
    output, maps = weights.get('fc.weight'), weights.get('attentions.conv.weight')
    found = {'classes': len(output)} if output is not None and output.ndim == 2 else {}
    if maps is not None and maps.ndim == 4:
        found['maps'] = len(maps)
    for keyword, count in found.items():
        require_count(net, keyword, count, path)
    torchvision.check_shapes(net, model, weights, MAPS[model](net), path)


def _trunk(weights):
    """Which trunk a whole network has; None if the names do not tell."""
    if 'features.7.branch1x1.conv.weight' in weights:
        return 'inception_v3'
    if 'features.4.0.conv1.weight' in weights:
        stages = {re.sub(r'^features\.([4-7])\.', r'\1.', name) for name in weights}
        return f'resnet{torchvision.resnet_depth({_later(name) for name in stages}, "layer{}.")}'
    if 'features.0.weight' in weights:
        return torchvision.vgg_layers(weights)
    return None


def _later(name):
    return f'layer{int(name[0]) - 3}{name[1:]}' if re.match(r'[4-7]\.', name) else name


# -- the trunk alone -------------------------------------------------------------------------------------------------

def backbone(net, model):
    """The map from torchvision's names for the trunk of a :class:`WSDAN`.

    Its names are those of :func:`backbone_names`. With the variant 'official' attention is among them.
    """
    if BACKBONES[model] != 'inception_v3':
        rules = [(r'^features\.(\d)\.', lambda found: torchvision.RESNET_PARTS[int(found[1])] + '.')]
        return NameMap(rules if 'resnet' in model else [], unused=[r'(fc|classifier)\..*'])
    units = torchvision.inception_units(net.features, [name for name, _ in INCEPTION_PARTS])
    used = {f'{unit}{layer}' for unit in units.values() for layer in NORMALIZED}
    rules, transforms = [_in_units(units)], {}
    if _starts_pretrained(net):
        rules.append((r'^attention\.([01])\.', lambda found: _PRETRAINED[found[1]]))
        used.update(_PRETRAINED.values())
        first = Transform(lambda array: array[:net.maps], _filled)
        transforms = {name: first for name in backbone_names(net) if name.startswith('attention.')}
    known = '|'.join(map(re.escape, sorted(used)))
    return NameMap(rules, unused=[rf'(?!{known}).*'], transforms=transforms)


def backbone_names(net):
    """The parameters of a :class:`WSDAN` that a classifier's file has. torchvision's ResNets have no biases."""
    return [name for name in net._collect_params_with_prefix()
            if name.startswith('features.') and not re.fullmatch(r'features\.\d\.\d+\.conv\d\.bias', name)
            or name.startswith('attention.') and _starts_pretrained(net)]


def check_backbone(net, model, weights, path):
    """WeightsError, in one line, if a classifier's file is not of the backbone of a network."""
    found = torchvision.whose(weights)
    if found != BACKBONES[model]:
        raise WeightsError(f'{path}: is of {found or "another network"}, not of {BACKBONES[model]}, the backbone of '
                           f'{model}, nor of a whole WS-DAN')
    if _starts_pretrained(net) and net.maps > _PRETRAINED_CHANNELS:
        raise WeightsError(f"{path}: has attention for up to {_PRETRAINED_CHANNELS} maps of the variant 'official': "
                           f'{net.maps}')
    torchvision.check_shapes(net, model, weights, backbone(net, model), path, backbone_names(net))


def _starts_pretrained(net):
    return net.variant == 'official' and net.attention is not None


def _filled(array):
    """As many channels as torchvision's convolution has; those that are not here are 0."""
    return np.concatenate([array, np.zeros((_PRETRAINED_CHANNELS - len(array), *array.shape[1:]), array.dtype)])
