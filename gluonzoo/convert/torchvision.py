"""The names of torchvision's weights for ImageNet, and ours.

Of github.com/pytorch/vision: ``resnet34-*.pth`` is :func:`resnet34`, ``resnet50-*.pth`` :func:`resnet50`,
``vgg19_bn-*.pth`` :func:`vgg19_bn`, and ``inception_v3_google-*.pth`` :func:`inception_v3`, less its auxiliary
classifier. The first three want ImageNet's mean and deviation, the last one pictures of -1..1: so our networks have it.
"""
import re

from .errors import WeightsError, require_count
from .name_map import NameMap

__all__ = ['INCEPTION_PARTS', 'MAPS', 'NORMALIZED', 'RESNET_PARTS', 'check_fit', 'check_shapes', 'inception',
           'inception_units', 'resnet', 'resnet_depth', 'vgg', 'vgg_layers', 'whose']

# The parts of the trunks in order. Those without weights have no name.
RESNET_PARTS = ('conv1', 'bn1', '', '', 'layer1', 'layer2', 'layer3', 'layer4')
_A = ('branch1x1', 'branch5x5_1', 'branch5x5_2', 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3', 'branch_pool')
_B = ('branch3x3', 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3')
_C = ('branch1x1', 'branch7x7_1', 'branch7x7_2', 'branch7x7_3', 'branch7x7dbl_1', 'branch7x7dbl_2', 'branch7x7dbl_3',
      'branch7x7dbl_4', 'branch7x7dbl_5', 'branch_pool')
_D = ('branch3x3_1', 'branch3x3_2', 'branch7x7x3_1', 'branch7x7x3_2', 'branch7x7x3_3', 'branch7x7x3_4')
_E = ('branch1x1', 'branch3x3_1', 'branch3x3_2a', 'branch3x3_2b', 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3a',
      'branch3x3dbl_3b', 'branch_pool')
_ALONE = ('',)   # a convolution without branches
# Name of the part, and the names of its convolutions, in the order in which GluonCV has them, too.
INCEPTION_PARTS = (('Conv2d_1a_3x3', _ALONE), ('Conv2d_2a_3x3', _ALONE), ('Conv2d_2b_3x3', _ALONE), ('', ()),
                   ('Conv2d_3b_1x1', _ALONE), ('Conv2d_4a_3x3', _ALONE), ('', ()), ('Mixed_5b', _A), ('Mixed_5c', _A),
                   ('Mixed_5d', _A), ('Mixed_6a', _B), ('Mixed_6b', _C), ('Mixed_6c', _C), ('Mixed_6d', _C),
                   ('Mixed_6e', _C), ('Mixed_7a', _D), ('Mixed_7b', _E), ('Mixed_7c', _E))
NORMALIZED = ('.conv.', '.bn.')   # the two layers of one of these convolutions


def resnet(net):
    """The map for :func:`gluonzoo.models.resnet.resnet34` and the like."""
    return NameMap([(r'^features\.(\d)\.', lambda found: RESNET_PARTS[int(found[1])] + '.'), (r'^output\.', 'fc.')])


def vgg(net):
    """The map for a :class:`VGG19BN`."""
    return NameMap([(r'^head\.', 'classifier.'), (r'^classifier\.2\.', 'classifier.3.'),
                    (r'^output\.', 'classifier.6.')])


def inception(net):
    """The map for :func:`gluonzoo.models.inception.inception_v3`."""
    units = inception_units(net.features, [name for name, _ in INCEPTION_PARTS])
    return NameMap([(r'^(features\.[\d.]+)\.([01])\.', lambda found: units[found[1]] + NORMALIZED[int(found[2])]),
                    (r'^output\.', 'fc.')], unused=[r'AuxLogits\..*'])


def inception_units(features, part_names):
    """Dict of the path of each convolution with its normalisation in our trunk -> its official path.

    Parameters
    ----------
    features : HybridSequential
        see :func:`gluonzoo.models.inception.inception_v3_features`
    part_names : list of str
        the official names of its parts
    """
    units = {}
    for place, (part, name, (_, branches)) in enumerate(zip(features, part_names, INCEPTION_PARTS)):
        ours = [path[:-len('0.weight')] for path in part._collect_params_with_prefix() if path.endswith('0.weight')]
        for path, branch in zip(ours, branches):
            units[f'features.{place}.{path}'[:-1]] = '.'.join(filter(None, (name, branch)))
    return units


# Model -> function that makes the map for a network of it.
MAPS = {'resnet34': resnet, 'resnet50': resnet, 'vgg19_bn': vgg, 'inception_v3': inception}


def check_fit(net, model, weights, path):
    """WeightsError, in one line, if a file of torchvision's is of another model or of other classes than a network.

    Parameters
    ----------
    net : HybridBlock
    model : str
        its name, a key of :data:`MAPS`
    weights : dict of torchvision's name -> array
    path : str or Path
        of the file, for messages
    """
    found = whose(weights)
    if found not in (None, model):
        raise WeightsError(f'{path}: is of {found}, not of {model}')
    last = weights.get('classifier.6.bias' if found == 'vgg19_bn' else 'fc.bias')
    if found and last is not None:
        require_count(net, 'classes', last.size, path)
    check_shapes(net, model, weights, MAPS[model](net), path)


def check_shapes(net, model, weights, name_map, path, names=None):
    """WeightsError, in one line, if weights whose names a network has are of other shapes.

    `names` are our parameters that the weights are of; by default all of them.
    """
    parameters = net._collect_params_with_prefix()
    found = []
    for official, name in name_map.inverse(parameters if names is None else names).items():
        shape = name_map.official_shape(name, parameters[name].shape)
        if official in weights and weights[official].shape != shape:
            found.append(f'{official!r} is {weights[official].shape}, and {shape} in {model}')
    if found:
        more = f'; and {len(found) - 1} more' if len(found) > 1 else ''
        raise WeightsError(f'{path}: {found[0]}{more}')


def whose(weights):
    """The name of torchvision's classifier that weights of such names are of; None if they do not tell."""
    if 'Conv2d_1a_3x3.conv.weight' in weights:
        return 'inception_v3'
    if 'layer1.0.conv1.weight' in weights:
        return f'resnet{resnet_depth(weights, "layer{}.")}'
    if 'features.0.weight' in weights and 'classifier.6.weight' in weights:
        return vgg_layers(weights)
    return None


def resnet_depth(names, stage):
    """How many layers a ResNet has whose names are such; `stage` is what names in stage 1 to 4 begin with."""
    blocks = [len({name[len(stage.format(number)):].partition('.')[0] for name in names
                   if name.startswith(stage.format(number))}) for number in range(1, 5)]
    return 2 + (3 if stage.format(1) + '0.conv3.weight' in names else 2) * sum(blocks)


def vgg_layers(weights):
    """The name of the VGG whose trunk has such weights: 'vgg16', 'vgg19_bn' ..."""
    layers = [weights[name] for name in weights if re.fullmatch(r'features\.\d+\.weight', name)]
    convolutions = sum(weight.ndim == 4 for weight in layers)
    return f'vgg{convolutions + 3}' + '_bn' * (len(layers) > convolutions)
