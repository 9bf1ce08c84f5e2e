"""Puts a weight file of our own into a network."""
import json
from contextlib import contextmanager

import safetensors

from .convention import differences, from_metadata
from .errors import WeightsError, at_most
from .parameters import faults, float_parameters, put
from .safetensors_file import float32, read_metadata, read_safetensors

__all__ = ['convention_of', 'load_own_weights']


def load_own_weights(net, path, partial=False, finite=True):
    """Puts a weight file that has the names of our parameters into a network.

    ``convert`` writes such files, and a checkpoint has one for each of its networks.

    Parameters
    ----------
    net : HybridBlock
        initialized, with all shapes known
    path : str or Path
        of a safetensors file. Arrays of float16, float32, float64 and bfloat16 become the network's own dtype.
    partial : bool
        whether parameters may keep their values where the file does not have them, or has them in another shape (such
        as a head for other classes)
    finite : bool
        whether numbers must be finite

    Returns
    -------
    list of the names of those parameters, in the network's order; without `partial` it is empty.

    Raises
    ------
    ValueError
        if the network is not initialized
    WeightsError
        if the file cannot be read, or does not fit. The message lists names that are unknown or missing, shapes and
        dtypes that do not fit, arrays that are not finite, and an input convention that is not the network's, 20 of
        them at most. With `partial`, missing names and other shapes are allowed, but at least one parameter must fit.
        The network has not been changed then.
    """
    parameters = float_parameters(net)
    arrays, convention = _read(path)
    anew = [name for name, parameter in parameters.items()
            if name not in arrays or arrays[name].shape != parameter.shape]
    found = [f'unknown here: {name!r}' for name in arrays if name not in parameters]
    found += differences(net, convention)
    for name, parameter in parameters.items():
        if partial and name in anew:
            continue
        if name not in arrays:
            found.append(f'not in the file: {name!r}')
        else:
            found += [f'{name!r}: {fault}'
                      for fault in faults(arrays[name], parameter.shape, parameter.dtype, finite)]
    found = at_most(found)
    if len(anew) == len(parameters):
        found.append('nothing in the file fits; of official weights, gluonzoo convert makes files of ours')
    elif anew and not partial:
        found.append('gluonzoo train --partial starts anew what is not in the file, or has another shape there')
    if found:
        raise WeightsError('\n  '.join([f'{path} does not fit {type(net).__name__}:', *found]))
    put(parameters, {name: arrays[name] for name in parameters if name not in anew})
    return anew


def convention_of(path):
    """The input convention of a weight file of our own: dict with 'mean' and 'std', or empty if the file has none.

    Raises WeightsError if the file cannot be read, or is none.
    """
    with _reading(path):
        return from_metadata(read_metadata(path), path)


def _read(path):
    """The arrays, and the input convention."""
    with _reading(path):
        arrays, metadata = read_safetensors(path)
        # Our files hold bfloat16 as uint16, and their metadata name such arrays.
        for name in json.loads(metadata.get('bfloat16', '[]')):
            arrays[name] = float32(arrays[name])
        return arrays, from_metadata(metadata, path)


@contextmanager
def _reading(path):
    try:
        yield
    except WeightsError:
        raise
    except FileNotFoundError:
        raise WeightsError(f'{path}: No such file') from None
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = str(error) if type(error) is ValueError else f'{type(error).__name__}: {error}'
        raise WeightsError(f'{path}: not a weight file of ours: {reason}. Of official weights, gluonzoo convert makes '
                           'such files') from error
