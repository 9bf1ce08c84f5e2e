"""The kinds of official weight files: whose they are, for which models, and how they go into a network."""
from collections import Counter
from math import prod
from typing import Callable, NamedTuple

from .. import convert
from ..convert import convention, wsdan
from ..train.parameters import named_parameters

__all__ = ['KINDS', 'Kind']


class Kind(NamedTuple):
    """A kind of official weight files."""
    whose: str
    ends: str
    """how the names of the files end, in words"""
    models: dict
    """model -> what says how its files belong to our network"""
    convention: dict
    """the keywords of a network that these weights want; empty: those that it has by default"""
    load: Callable
    """(net, entry of `models`, arguments of the command) -> the names of our parameters that the file has"""


def _load_torch(net, name_map, args):
    weights, wrappers = convert.without_wrappers(convert.read_weights(args.weights, args.key, args.ema))
    if args.prefix:
        total = len(weights)
        weights, more = convert.without_wrappers(convert.with_prefix(weights, args.prefix))
        wrappers += more
        print(f'{len(weights)} of {total} names begin with {args.prefix!r}; the others are left out.')
    if wrappers:
        print(f'The prefix {wrappers!r} of all names is left out.')
    if args.model in convert.TORCHVISION_MAPS:
        convert.check_torchvision(net, args.model, weights, args.weights)
    if args.model in wsdan.BACKBONES:
        return _load_wsdan(net, weights, name_map, args)
    return _load_by_names(net, weights, name_map, args)


def _load_wsdan(net, weights, name_map, args):
    """A whole network, or the trunk of a classifier."""
    if wsdan.is_whole(weights):
        wsdan.check_fit(net, args.model, weights, args.weights)
        for key, values in convention.GLUONCV.items():   # ImageNet's, whatever the backbone
            setattr(net, key, args.settings.get(key, values))
        return _load_by_names(net, weights, name_map, args)
    wsdan.check_backbone(net, args.model, weights, args.weights)
    names = wsdan.backbone_names(net)
    convert.load_weights(net, weights, wsdan.backbone(net, args.model), not args.allow_not_finite, names)
    print('The backbone alone: gluonzoo train --partial starts from it.')
    return names


def _load_gluoncv(net, name_map, args):
    weights = convert.read_params(args.weights, sum(prod(p.shape) for p in named_parameters(net).values()))
    convert.check_gluoncv(net, args.model, weights, args.weights)
    return _load_by_names(net, weights, name_map, args)


def _load_by_names(net, weights, name_map, args):
    """Puts weights by official names into a network, and says what is left out."""
    ignored = convert.load_weights(net, weights, name_map(net), finite=not args.allow_not_finite)
    if ignored:
        kinds = Counter(name.rpartition('.')[2] for name in ignored)
        said = ', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))
        print(f'Ignored, since {args.model} has no use for them: {said}')
    return list(named_parameters(net))


def _load_darknet(net, form, args):
    return convert.load_darknet(net, args.weights, form, finite=not args.allow_not_finite)


def _load_backbone(net, form, args):
    names = convert.load_darknet(net, args.weights, form, backbone=True, finite=not args.allow_not_finite)
    print('The backbone alone: gluonzoo train --partial starts from it.')
    return names


KINDS = {
    'torch': Kind('PyTorch', '.pth or .safetensors', convert.NAME_MAPS, {}, _load_torch),
    'darknet': Kind('darknet', '.weights', convert.DARKNET_FORMS, convention.DARKNET, _load_darknet),
    'backbone': Kind('darknet', '.conv.74', convert.DARKNET_FORMS, convention.DARKNET, _load_backbone),
    'gluoncv': Kind('GluonCV', '.params', convert.GLUONCV_MAPS, convention.GLUONCV, _load_gluoncv),
}
