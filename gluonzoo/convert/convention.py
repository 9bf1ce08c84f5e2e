"""What weights want of their network: mean and std, with which pictures became inputs, and what shapes do not show.

A network takes (RGB of 0..255 - mean) / std. Of one network there are weights that want one convention, and weights
that want another; with the wrong one they find next to nothing. So the convention belongs to the weights. Our files
have it in their metadata, as ``{"mean": [0, 0, 0], "std": [255, 255, 255]}`` in JSON under the key 'network': these are
keywords with which the network must be made. Where official weights are of other anchors or another activation than
usual, these are among them: the weights would fit any. A file that has none is for a network as it is made by default.
"""
import json

from ..reading import FileError, parse_json, quoted
from ..values import NUMBER, NUMBERS
from .errors import WeightsError

__all__ = ['DARKNET', 'GLUONCV', 'KEYWORDS', 'OF_NETWORK', 'as_metadata', 'differences', 'from_metadata', 'plain',
           'same']

KEYWORDS = ('mean', 'std')
OF_NETWORK = ('anchors', 'activation')   # those that a file may have besides
DARKNET = {'mean': (0, 0, 0), 'std': (255, 255, 255)}
# ImageNet's. GluonCV divides by 255 first: .485, .456, .406 and .229, .224, .225.
GLUONCV = {'mean': (123.675, 116.28, 103.53), 'std': (58.395, 57.12, 57.375)}

_KEY = 'network'


def as_metadata(convention):
    """The metadata of a file with weights of this convention, a dict with 'mean', 'std' and maybe more."""
    return {_KEY: json.dumps({key: plain(convention[key]) for key in (*KEYWORDS, *OF_NETWORK) if key in convention})}


def from_metadata(metadata, path):
    """The convention that a file's metadata have: dict with 'mean', 'std' and maybe more, or empty.

    Raises WeightsError, which names `path`, if they have something else in its place.
    """
    if _KEY not in metadata:
        return {}
    try:
        found = parse_json(metadata[_KEY], f"{path}: metadata '{_KEY}'")
    except FileError as error:
        raise WeightsError(str(error)) from error
    if not _is_convention(found):
        raise WeightsError(f"{path}: metadata '{_KEY}': must be an object with mean and std, three numbers each, those "
                           f'of std above 0, and maybe anchors and activation: {quoted(found)}')
    return {key: tuple(value) if key in KEYWORDS else value for key, value in found.items()}


def _is_convention(found):
    """Whether it is one, but for anchors and activation, which the network checks."""
    return (isinstance(found, dict) and set(KEYWORDS) <= set(found) <= {*KEYWORDS, *OF_NETWORK}
            and all(_are_colours(found[key]) for key in KEYWORDS) and min(found['std']) > 0)


def _are_colours(values):
    return NUMBERS.holds(values) and len(values) == 3


def same(values, others):
    """Whether both are the same numbers, in lists or tuples of the same form, or the same word."""
    return plain(values) == plain(others)


def plain(values):
    """Tuples and lists within each other as lists of floats; all else as it is."""
    if isinstance(values, (list, tuple)):
        return [plain(value) for value in values]
    return float(values) if NUMBER.holds(values) else values


def differences(net, convention):
    """Yields, in words, what of a convention is not the network's own."""
    for key, values in convention.items():
        here = getattr(net, key, None)
        if not same(here, values):
            of_input = ' of the input' * (key in KEYWORDS)
            yield f'{key} {_shown(values)}{of_input} in the file, {_shown(here)} here'


def _shown(values):
    return list(values) if isinstance(values, tuple) else values
