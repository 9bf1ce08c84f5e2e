"""The input convention of weights: mean and std, with which pictures became the inputs of the training.

A network takes (RGB of 0..255 - mean) / std. Of one network there are weights that want one convention, and weights
that want another; with the wrong one they find next to nothing. So the convention belongs to the weights. Our files
have it in their metadata, as ``{"mean": [0, 0, 0], "std": [255, 255, 255]}`` in JSON under the key 'network': these are
keywords with which the network must be made. A file that has none is for a network as it is made by default.
"""
import json

from ..reading import FileError, parse_json, quoted
from ..values import NUMBERS
from .errors import WeightsError

__all__ = ['DARKNET', 'GLUONCV', 'KEYWORDS', 'as_metadata', 'differences', 'from_metadata', 'same']

KEYWORDS = ('mean', 'std')
DARKNET = {'mean': (0, 0, 0), 'std': (255, 255, 255)}
# ImageNet's. GluonCV divides by 255 first: .485, .456, .406 and .229, .224, .225.
GLUONCV = {'mean': (123.675, 116.28, 103.53), 'std': (58.395, 57.12, 57.375)}

_KEY = 'network'


def as_metadata(convention):
    """The metadata of a file with weights of this convention, a dict with 'mean' and 'std'."""
    return {_KEY: json.dumps({key: [float(value) for value in convention[key]] for key in KEYWORDS})}


def from_metadata(metadata, path):
    """The convention that a file's metadata have: dict with 'mean' and 'std', or empty.

    Raises WeightsError, which names `path`, if they have something else in its place.
    """
    if _KEY not in metadata:
        return {}
    try:
        found = parse_json(metadata[_KEY], f"{path}: metadata '{_KEY}'")
    except FileError as error:
        raise WeightsError(str(error)) from error
    if not isinstance(found, dict) or set(found) != set(KEYWORDS) or not all(map(_are_colours, found.values())) or (
            min(found['std']) <= 0):
        raise WeightsError(f"{path}: metadata '{_KEY}': must be an object with mean and std, three numbers each, those "
                           f'of std above 0: {quoted(found)}')
    return {key: tuple(found[key]) for key in KEYWORDS}


def _are_colours(values):
    return NUMBERS.holds(values) and len(values) == 3


def same(values, others):
    """Whether both are the same three numbers."""
    return _are_colours(values) and list(values) == list(others)


def differences(net, convention):
    """Yields, in words, what of a convention is not the network's own."""
    for key, values in convention.items():
        here = getattr(net, key, None)
        if not same(here, values):
            yield f'{key} {list(values)} of the input in the file, {here if here is None else list(here)} here'
