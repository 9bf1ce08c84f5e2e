"""What a pickle of PyTorch's describes, without running it.

A pickle is a program: its opcodes make dicts, lists, strings and numbers, and call functions by their names. Here the
opcodes are read one by one. The functions that rebuild a tensor are known by name, and become a :class:`Tensor`, which
says what part of which storage it is. Whatever else the program would call becomes an :class:`Object`, which has no
more than the name: nothing is imported, and nothing is called.

The program is not trusted. Opcodes that PyTorch does not use are an error. So is a tensor that is not within its
storage. What is made is about as large as the program, of which :func:`interpret` takes so much and no more.
"""
import math
import pickletools
from dataclasses import dataclass
from typing import Optional

from .errors import WeightsError

__all__ = ['Function', 'LONGEST', 'Object', 'Storage', 'Tensor', 'interpret', 'kind_of']

LONGEST = 1 << 24   # bytes; the pickle of 10,000 tensors takes about 1 MB
_MOST = 1 << 22   # opcodes; 10,000 tensors take about 400,000
_LONGEST_NAME = 1000   # characters
_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Function:
    """A function or class, as the pickle names it."""
    module: str
    name: str

    def __str__(self):
        return f'{self.module}.{self.name}'


@dataclass(frozen=True, eq=False)
class Object:
    """What the pickle would get by a call."""
    of: Function


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers, in one dimension, which lie elsewhere in the file."""
    kind: Function
    key: str
    length: int
    view: Optional[tuple] = None
    """(offset, length) of the part that is meant; None: the whole"""

    @property
    def size(self):
        return self.view[1] if self.view else self.length


@dataclass(frozen=True, eq=False)
class Tensor:
    """Part of a storage, in a shape of its own; offset and strides count numbers, not bytes."""
    storage: Storage
    offset: int
    shape: tuple
    strides: tuple
    dtype: Optional[Function] = None
    """None: the storage says it"""


def kind_of(value):
    """What a value is, in words."""
    if isinstance(value, Tensor):
        return 'a tensor'
    return str(value.of)[:_LONGEST_SHOWN] if isinstance(value, Object) else type(value).__name__


# -- functions that are known ----------------------------------------------------------------------------------------

def _tensor(storage, offset, shape, strides, dtype=None):
    if not isinstance(storage, Storage):
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
    return Tensor(storage, offset, shape, strides, dtype)


def _tensor_v2(storage, offset, shape, strides, requires_grad, hooks, metadata=None):
    return _tensor(storage, offset, shape, strides)


def _tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype, metadata=None):
    return _tensor(storage, offset, shape, strides, _expect(dtype, Function))


def _parameter(tensor, requires_grad, hooks):
    return _expect(tensor, Tensor)


def _size(numbers):
    return _expect(numbers, tuple)


def _ordered_dict(pairs=()):
    """Python 2 gives the pairs, Python 3 sets the entries later."""
    entries = {}
    for pair in _expect(pairs, (list, tuple)):
        if len(_expect(pair, (list, tuple))) != 2:
            raise WeightsError('has a dict of what are no pairs')
        _set(entries, pair)
    return entries


_CALLS = {
    Function('collections', 'OrderedDict'): _ordered_dict,
    Function('torch', 'Size'): _size,
    Function('torch._utils', '_rebuild_tensor'): _tensor,   # before PyTorch 0.4
    Function('torch._utils', '_rebuild_tensor_v2'): _tensor_v2,
    Function('torch._utils', '_rebuild_tensor_v3'): _tensor_v3,   # of dtypes that have no storage of their own
    Function('torch._utils', '_rebuild_parameter'): _parameter,
}


def _call(function, arguments):
    return _CALLS[function](*arguments) if function in _CALLS else Object(function)


def _storage(what, *description):
    """What a persistent id names: ('storage', kind, key, device, length), before PyTorch 1.6 with a view of it."""
    if what == 'module':   # a class, with its source
        return _expect(description[0], Function)
    if what != 'storage':
        raise WeightsError('refers to something that is not a storage')
    kind, key, _, length, *view = description
    view = view[0] if view else None
    if view is not None:
        _, *view = _expect(view, tuple)   # its own key
        if len(view) != 2 or any(type(number) is not int for number in view) \
                or not 0 <= view[0] <= view[0] + view[1] <= _expect(length, int):
            raise WeightsError('has a view that is not within its storage')
        view = tuple(view)
    return Storage(_expect(kind, Function), _expect(key, str), _expect(length, int), view)


# -- opcodes ---------------------------------------------------------------------------------------------------------

# Opcodes whose argument is the value.
_VALUES = ('BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8',
           'BINSTRING', 'SHORT_BINSTRING',   # Python 2's
           'BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8')
_CONSTANTS = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False, 'EMPTY_TUPLE': ()}
_TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_NOTHING = ('PROTO', 'FRAME')
_SET = Object(Function('builtins', 'set'))


def interpret(file, storages=None):
    """What the pickle that begins at the position of a binary file describes.

    The file is left at the end of the pickle. It should have no more than `LONGEST` bytes. Every Storage is appended to
    the list `storages`, if one is given: also those of which an Object is made.

    Returns
    -------
    of dicts, lists, tuples, strings, bytes, numbers, None, Tensor, Storage, Function and Object

    Raises
    ------
    WeightsError, and for damage ValueError, LookupError, TypeError, EOFError, OverflowError
    """
    stack, marks, memo = [], [], {}

    def above_mark():
        start = marks.pop()
        values = stack[start:]
        del stack[start:]
        return values

    for count, (opcode, argument, position) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if count > _MOST:
            raise WeightsError(f'its pickle has more than {_MOST} opcodes')
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == 'EMPTY_DICT':
            stack.append({})
        elif name == 'EMPTY_LIST':
            stack.append([])
        elif name == 'EMPTY_SET':
            stack.append(_SET)
        elif name == 'FROZENSET':
            above_mark()
            stack.append(_SET)
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
        elif name in ('APPEND', 'APPENDS', 'ADDITEMS'):
            values = [stack.pop()] if name == 'APPEND' else above_mark()
            if not isinstance(stack[-1], Object):
                _expect(stack[-1], list).extend(values)
        elif name in ('SETITEM', 'SETITEMS'):
            values = above_mark() if name == 'SETITEMS' else [stack.pop(-2), stack.pop()]
            if not isinstance(stack[-1], Object):
                _set(_expect(stack[-1], dict), values)
        elif name == 'GLOBAL':
            stack.append(Function(*argument.split(' ', 1)))
        elif name == 'STACK_GLOBAL':
            module, function = stack.pop(-2), stack.pop()
            stack.append(Function(_expect(module, str), _expect(function, str)))
        elif name == 'BINPERSID':
            found = _storage(*_expect(stack.pop(), tuple))
            stack.append(found)
            if storages is not None and isinstance(found, Storage):
                storages.append(found)
        elif name in ('REDUCE', 'NEWOBJ'):
            arguments = _expect(stack.pop(), tuple)
            function = _expect(stack.pop(), Function)
            stack.append(_call(function, arguments) if name == 'REDUCE' else Object(function))
        elif name == 'BUILD':   # of a state_dict, the versions of its layers
            state = stack.pop()
            if not isinstance(stack[-1], Object):
                _expect(state, dict)
                _expect(stack[-1], dict)
        elif name == 'STOP':
            if len(stack) != 1:
                raise WeightsError('its pickle does not end where it stops')
            return stack[0]
        elif name not in _NOTHING:
            raise WeightsError(f'its pickle does what no file of weights needs: {name} at byte {position}')


def _expect(value, kind):
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise WeightsError(f'its pickle has {kind_of(value)} in the place of {" or ".join(k.__name__ for k in kinds)}')
    return value


def _set(entries, values):
    for name, value in zip(values[::2], values[1::2]):
        if not isinstance(name, (str, int, float, type(None))):
            name = object()   # a name that nobody can ask for; the hash of tuples in tuples could take for ever
        elif isinstance(name, str) and len(name) > _LONGEST_NAME:
            raise WeightsError(f'has an entry whose name is longer than {_LONGEST_NAME} characters')
        if name in entries:
            raise WeightsError(f'has an entry twice: {name!r}')
        entries[name] = value
