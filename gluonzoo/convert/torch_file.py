"""Reads the tensors of a PyTorch file without PyTorch, and without running anything that the file says.

A file is a pickle, which says what the tensors are (:mod:`gluonzoo.convert.torch_pickle`), and their numbers
(:mod:`gluonzoo.convert.torch_storages`). Neither is trusted.
"""
import struct
import zipfile

from ..reading import FileError, open_ordinary
from .errors import WeightsError
from .file_kinds import LOOKED_AT, is_safetensors, kind_of_file
from .torch_pickle import Object, Tensor, kind_of
from .torch_storages import LegacyFile, ZipFile

__all__ = ['read_torch']

_LONGEST_MESSAGE = 2000   # characters, where the file has a say in them
_OFFERED = 5   # places of weights that a message names

# What zipfile and pickletools raise for damaged input, and the interpreter for a program that makes no sense.
_DAMAGED = (zipfile.BadZipFile, struct.error, ValueError, LookupError, TypeError, EOFError, OverflowError,
            NotImplementedError, RuntimeError)

# Under which keys codes save the moving average of the weights.
_EMA = ('state_dict_ema', 'ema_state_dict', 'model_ema', 'params_ema', 'ema')


def read_torch(path, key=None, ema=False):
    """The tensors in a file that ``torch.save`` has written, in the format of today or that before PyTorch 1.6.

    Parameters
    ----------
    path : str or Path
    key : str, optional
        of a checkpoint, where the weights are in it: 'state_dict', or 'models.generator' within another dict
    ema : bool
        whether to take the moving average of the weights, which a checkpoint has under one of several usual keys

    Returns
    -------
    dict of name -> NumPy array, read-only; bfloat16 becomes float32.

    Raises
    ------
    WeightsError
        if the file is anything else or is damaged. The message says what the file is, and what to do.
    """
    try:
        with open_ordinary(path) as file:
            start = file.read(LOOKED_AT)
            file.seek(0)
            source = _open(file, start)
            state = _choose(source.content, key, ema)
            return {name: _array(source, name, tensor) for name, tensor in state.items()}
    except WeightsError as error:
        reason, cause = str(error), None
    except FileError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        reason, cause = f'cannot be read: {error.strerror or error}', error
    except _DAMAGED as error:
        reason, cause = f'not a PyTorch file, or damaged: {error}', error
    raise WeightsError(f'{path}: {_one_line(reason)}') from cause


def _one_line(reason):
    """A message without control characters, which a file may have in its names."""
    shown = (letter if letter.isprintable() else repr(letter)[1:-1] for letter in reason[:_LONGEST_MESSAGE])
    return ''.join(shown)[:_LONGEST_MESSAGE]


def _open(file, start):
    kind = kind_of_file(start)
    if kind and (is_safetensors(start) or not start.startswith((b'\x80', b'PK'))):
        raise WeightsError(kind)
    return LegacyFile(file) if start.startswith(b'\x80') else ZipFile(file)


def _array(source, name, tensor):
    try:
        return source.array(tensor)
    except WeightsError as error:
        raise WeightsError(f'{name!r} {error}' if tensor.dtype else str(error)) from None


# -- the state_dict among what was saved -----------------------------------------------------------------------------

def _choose(content, key, ema):
    """The dict of name -> Tensor that is meant."""
    if key is not None:
        found, where = _at(content, key), f'--key {key}: '
    elif ema:
        key = next((key for key in _EMA if isinstance(content, dict) and key in content), None)
        if key is None:
            raise WeightsError(f'--ema: has no {" or ".join(_EMA)}{_offer(content)}')
        found, where = content[key], f'--ema: {key}: '
    else:
        found, where = content, ''
    if _is_state(found):
        return found
    if isinstance(found, Object):
        raise WeightsError(f'{where}holds what {kind_of(found)} would make, such as a whole network, and not weights. '
                           "Write these where the network's code is: torch.save(net.state_dict(), 'weights.pth')")
    if not isinstance(found, dict):
        raise WeightsError(f'{where}holds {kind_of(found)}, not a state_dict: save net.state_dict()')
    if {'state', 'param_groups'} <= found.keys():
        raise WeightsError(f'{where}the state of an optimizer, which has no weights: save net.state_dict()')
    others = [f'{name!r} ({kind_of(value)})' for name, value in found.items()
              if not isinstance(name, str) or not isinstance(value, Tensor)]
    raise WeightsError(f'{where}not a state_dict by itself: {", ".join(others)} not being tensors'
                       f'{_offer(found, f"{key}." if key else "")}')


def _is_state(value):
    return isinstance(value, dict) and all(isinstance(name, str) and isinstance(entry, Tensor)
                                           for name, entry in value.items())


def _at(content, key):
    """What is under a key, or under keys that are joined by dots."""
    if isinstance(content, dict):
        if key in content:
            return content[key]
        first, dot, rest = key.partition('.')
        while dot:
            if first in content:
                return _at(content[first], rest)
            more, dot, rest = rest.partition('.')
            first = f'{first}.{more}'
    raise WeightsError(f'--key: has no {key!r}{_offer(content)}')


def _offer(content, above=''):
    """Where weights are, in words."""
    if not isinstance(content, dict):
        return f'; it is {kind_of(content)}'
    keys = [f'{name}' for name, value in content.items() if value and _is_state(value)]
    keys += [f'{name}.{inner}' for name, value in content.items() if isinstance(value, dict)
             for inner, state in value.items() if state and _is_state(state)]
    said = [f'--key {above}{key}' for key in keys if key.isprintable()]
    return f'. Weights are here: {" or ".join(said[:_OFFERED])}' if said else ''
