"""Reads the tensors of a PyTorch file without PyTorch, and without running anything that the file says.

``torch.save(net.state_dict(), path)`` writes a zip archive. The numbers of every storage are an entry of their own. A
pickle says which tensor is which part of which storage. A pickle is a program, and unpickling runs the program. Here
the opcodes are read one by one, and only the few that a state_dict needs are accepted. Names of functions stay names:
nothing is imported and nothing is called.

The file is not trusted. Entries must not be compressed, so the memory that the tensors take is about the size of the
file. Every tensor must lie within its storage. Anything else in the file is an error.
"""
import math
import pickletools
import struct
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import WeightsError

__all__ = ['read_torch']

_ORDERED_DICT = 'collections', 'OrderedDict'
_TENSOR = 'torch._utils', '_rebuild_tensor_v2'
_DTYPES = {('torch', f'{name}Storage'): dtype for name, dtype in (
    ('Double', 'f8'), ('Float', 'f4'), ('Half', 'f2'), ('BFloat16', 'u2'), ('Long', 'i8'), ('Int', 'i4'),
    ('Short', 'i2'), ('Char', 'i1'), ('Byte', 'u1'), ('Bool', '?'))}
_BFLOAT16 = 'torch', 'BFloat16Storage'

_LEGACY = b'\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.'   # a pickled number; what PyTorch wrote up to version 1.5
_LONGEST_PICKLE = 1 << 24   # bytes; those of 10,000 tensors take about 1 MB
_LONGEST_NAME = 1000   # characters
_LONGEST_MESSAGE = 2000   # characters, where the file has a say in them

# What zipfile and pickletools raise for damaged input, and the interpreter below for a program that makes no sense.
_DAMAGED = (zipfile.BadZipFile, struct.error, ValueError, LookupError, TypeError, EOFError, OverflowError,
            NotImplementedError, RuntimeError)


class _Function(NamedTuple):
    """What the pickle calls one."""
    module: str
    name: str


def read_torch(path):
    """The tensors in a file that ``torch.save(net.state_dict(), path)`` has written, PyTorch 1.6 or later.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of name -> NumPy array, read-only; bfloat16 becomes float32.

    Raises
    ------
    WeightsError
        if the file is anything else, is damaged, or has the format before PyTorch 1.6 (the message says how to convert
        such a file).
    """
    try:
        with open(path, 'rb') as file:
            if file.read(len(_LEGACY)) == _LEGACY:
                raise WeightsError(
                    'in the format before PyTorch 1.6. Write it anew with a PyTorch of today: python -c "import torch; '
                    f'torch.save(torch.load({str(path)!r}, map_location=\'cpu\', weights_only=True), \'new.pth\')"')
            with zipfile.ZipFile(file) as archive:
                return _state(_Archive(archive, Path(path).stat().st_size))
    except WeightsError as error:
        reason, cause = str(error), None
    except OSError as error:
        reason, cause = f'cannot be read: {error.strerror or error}', error
    except _DAMAGED as error:
        reason, cause = f'not a PyTorch file, or damaged: {error}', error
    raise WeightsError(f'{path}: {reason:.{_LONGEST_MESSAGE}}') from cause


def _state(archive):
    state = _interpret(archive.read('data.pkl', _LONGEST_PICKLE), archive)
    if not isinstance(state, dict):
        raise WeightsError(f'holds {_kind(state)}, not a state_dict: save net.state_dict()')
    others = [f'{name!r} ({_kind(value)})' for name, value in state.items() if not isinstance(value, np.ndarray)]
    if others:
        raise WeightsError(f'not a state_dict by itself: {", ".join(others)} not being tensors')
    return state


def _kind(value):
    return 'a tensor' if isinstance(value, np.ndarray) else type(value).__name__


class _Archive:
    """The entries of the zip file, and the storages in them."""

    def __init__(self, archive, size):
        self._archive, self._storages = archive, {}
        entries = archive.infolist()
        compressed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
        if compressed:
            raise WeightsError(f'has a compressed entry, which PyTorch does not write: {compressed[0]!r}')
        if sum(entry.file_size for entry in entries) > size:
            raise WeightsError('its entries are larger than the file')
        twice = [name for name, times in Counter(entry.filename for entry in entries).items() if times > 1]
        if twice:
            raise WeightsError(f'has an entry twice: {twice[0]!r}')
        pickles = [entry.filename for entry in entries if entry.filename.split('/')[1:] == ['data.pkl']]
        if len(pickles) != 1:
            raise WeightsError('a zip archive that PyTorch has not written: it has no data.pkl')
        self._directory = pickles[0][:-len('data.pkl')]
        order = self.read('byteorder', 8) if self._directory + 'byteorder' in archive.namelist() else b'little'
        if order not in (b'little', b'big'):
            raise WeightsError(f'has an unknown byte order: {order!r}')
        self._order = '<' if order == b'little' else '>'

    def read(self, name, longest=None):
        entry = self._archive.getinfo(self._directory + name)
        if longest is not None and entry.file_size > longest:
            raise WeightsError(f'{name} has {entry.file_size} bytes; {longest} are the most')
        return self._archive.read(entry)

    def storage(self, kind, key, length):
        """The numbers of a storage, in one dimension."""
        if kind not in _DTYPES:
            raise WeightsError(f'has an unknown kind of storage: {".".join(kind)}')
        if (kind, key) not in self._storages:
            numbers = np.frombuffer(self.read(f'data/{key}'), np.dtype(_DTYPES[kind]).newbyteorder(self._order))
            if kind == _BFLOAT16:   # the upper half of a float32
                numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
                numbers.setflags(write=False)
            self._storages[kind, key] = numbers
        numbers = self._storages[kind, key]
        if numbers.size != length:
            raise WeightsError(f'storage {key!r} has {numbers.size} numbers, and not {length}')
        return numbers


def _tensor(storage, offset, shape, strides, requires_grad, hooks, metadata=None):
    """Part of a storage, as an array of its own shape. The arguments are those of PyTorch's function."""
    if not isinstance(storage, np.ndarray):
        raise WeightsError('has a tensor without a storage')
    if not isinstance(shape, tuple) or not isinstance(strides, tuple) or len(shape) != len(strides):
        raise WeightsError('has a tensor whose shape and strides are not tuples of the same length')
    # What is something else is not shown: of tuples that hold each other twice, a text would have no end.
    if any(type(number) is not int for number in (offset, *shape, *strides)):
        raise WeightsError('has a tensor whose offset, shape and strides are not whole numbers')
    if min(offset, *shape, *strides, 0) < 0:
        raise WeightsError(f'has a tensor of shape {shape}, strides {strides} at {offset}, where one is negative')
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
    size = math.prod(shape)
    # One whose elements share a place could be larger than the file.
    if size > storage.size or size and last >= storage.size:
        raise WeightsError(f'has a tensor of shape {shape}, strides {strides} at {offset}, which is not within its '
                           f'storage of {storage.size}')
    if not size:
        return np.empty(shape, storage.dtype)
    bytes_ = storage.itemsize
    return np.ndarray(shape, storage.dtype, storage, offset * bytes_, [stride * bytes_ for stride in strides])


# Opcodes whose argument is the value.
_VALUES = ('BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT', 'BINUNICODE', 'SHORT_BINUNICODE')
_CONSTANTS = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False, 'EMPTY_TUPLE': ()}
_TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_NOTHING = ('PROTO', 'FRAME')


def _interpret(program, archive):
    """What the pickle describes, of dicts, lists, tuples, strings, numbers and tensors."""
    stack, marks, memo = [], [], {}

    def above_mark():
        start = marks.pop()
        values = stack[start:]
        del stack[start:]
        return values

    for opcode, argument, position in pickletools.genops(program):
        name = opcode.name
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == 'EMPTY_DICT':
            stack.append({})
        elif name == 'EMPTY_LIST':
            stack.append([])
        elif name == 'MARK':
            marks.append(len(stack))
        elif name == 'TUPLE':
            stack.append(tuple(above_mark()))
        elif name in _TUPLES:
            values = tuple(stack.pop() for _ in range(_TUPLES[name]))
            stack.append(values[::-1])
        elif name in ('BINPUT', 'LONG_BINPUT'):
            memo[argument] = stack[-1]
        elif name == 'MEMOIZE':
            memo[len(memo)] = stack[-1]
        elif name in ('BINGET', 'LONG_BINGET'):
            stack.append(memo[argument])
        elif name in ('APPEND', 'APPENDS'):
            values = above_mark() if name == 'APPENDS' else [stack.pop()]
            _expect(stack[-1], list).extend(values)
        elif name in ('SETITEM', 'SETITEMS'):
            values = above_mark() if name == 'SETITEMS' else [stack.pop(-2), stack.pop()]
            _set(_expect(stack[-1], dict), values)
        elif name == 'GLOBAL':
            stack.append(_Function(*argument.split(' ')))
        elif name == 'STACK_GLOBAL':
            module, function = stack.pop(-2), stack.pop()
            stack.append(_Function(_expect(module, str), _expect(function, str)))
        elif name == 'BINPERSID':
            what, kind, key, _, length = stack.pop()   # not read: the device that it was on
            if what != 'storage':
                raise WeightsError('refers to something that is not a storage')
            stack.append(archive.storage(_expect(kind, _Function), _expect(key, str), _expect(length, int)))
        elif name == 'REDUCE':
            arguments = _expect(stack.pop(), tuple)
            stack.append(_call(_expect(stack.pop(), _Function), arguments))
        elif name == 'BUILD':   # a state_dict's versions of its layers
            _expect(stack.pop(), dict)
            _expect(stack[-1], dict)
        elif name == 'STOP':
            if len(stack) != 1 or position + 1 != len(program):
                raise WeightsError('its pickle does not end where it stops')
            return stack[0]
        elif name not in _NOTHING:
            raise WeightsError(f'its pickle does what no state_dict needs: {name} at byte {position}')


def _expect(value, kind):
    if not isinstance(value, kind):
        raise WeightsError(f'its pickle has {_kind(value)} in the place of {kind.__name__}')
    return value


def _set(entries, values):
    for name, value in zip(values[::2], values[1::2]):
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            raise WeightsError(f'has an entry whose name is not a string of at most {_LONGEST_NAME} characters')
        if name in entries:
            raise WeightsError(f'has an entry twice: {name!r}')
        entries[name] = value


def _call(function, arguments):
    """What `function` returns; it is known by its name, and none is called but ours."""
    if function == _ORDERED_DICT and not arguments:
        return {}
    if function == _TENSOR:
        return _tensor(*arguments)
    raise WeightsError(f'its pickle calls {".".join(map(str, function))}, which is none of a state_dict\'s functions')
