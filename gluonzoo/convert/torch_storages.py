"""Where PyTorch's two formats keep what is pickled, and the numbers.

Since version 1.6 a file is a zip archive: data.pkl, and an entry for the numbers of every storage. Before that a file
was a row of pickles (a magic number, the version of the format, the sizes of types, what was saved, the keys of the
storages), and after them the numbers of one storage after the other, each with its length before it.
"""
import io
import os
import zipfile
from collections import Counter

import numpy as np

from .errors import WeightsError
from .torch_pickle import LONGEST, Function, interpret

__all__ = ['LegacyFile', 'ZipFile']

_DTYPES = {Function('torch', f'{name}Storage'): dtype for name, dtype in (
    ('Double', 'f8'), ('Float', 'f4'), ('Half', 'f2'), ('BFloat16', 'u2'), ('Long', 'i8'), ('Int', 'i4'),
    ('Short', 'i2'), ('Char', 'i1'), ('Byte', 'u1'), ('Bool', '?'))}
_BFLOAT16 = Function('torch', 'BFloat16Storage')
# Bytes a number of those that are no weights, but may lie between weights.
_OTHER_SIZES = {Function('torch.storage', 'UntypedStorage'): 1, **{
    Function('torch', f'{name}Storage'): size for name, size in (
        ('ComplexFloat', 8), ('ComplexDouble', 16), ('QInt8', 1), ('QUInt8', 1), ('QInt32', 4))}}

_MAGIC = 0x1950a86a20f9469cfc6c   # with which the format before 1.6 begins
_LEGACY_VERSION = 1001


class _File:
    """What both formats have in common. `content` is what was saved."""

    def __init__(self):
        self._storages = {}

    def array(self, tensor):
        """A Tensor's numbers, as an array of its own shape that cannot be written; bfloat16 becomes float32."""
        if tensor.dtype is not None:
            raise WeightsError(f'is of {tensor.dtype}, which NumPy and MXNet do not have: save '
                               'net.float().state_dict()')
        numbers, storage = self._numbers(tensor.storage), tensor.storage
        if 0 in tensor.shape:
            return np.empty(tensor.shape, numbers.dtype)
        bytes_ = numbers.itemsize
        begin = (storage.view[0] if storage.view else 0) + tensor.offset
        return np.ndarray(tensor.shape, numbers.dtype, numbers, begin * bytes_,
                          [stride * bytes_ for stride in tensor.strides])

    def _numbers(self, storage):
        """All numbers of a storage, in one dimension."""
        kind, key = storage.kind, storage.key
        dtype = _dtype(kind)
        if (kind, key) not in self._storages:
            numbers = np.frombuffer(self._read(key), dtype.newbyteorder(self._order))
            if kind == _BFLOAT16:   # the upper half of a float32
                numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
                numbers.setflags(write=False)
            self._storages[kind, key] = numbers
        numbers = self._storages[kind, key]
        if numbers.size != storage.length:
            raise WeightsError(f'storage {key!r} has {numbers.size} numbers, and not {storage.length}')
        return numbers


def _dtype(kind):
    if kind not in _DTYPES:
        raise WeightsError(f'has an unknown kind of storage: {kind}')
    return np.dtype(_DTYPES[kind])


def _size(kind):
    return _OTHER_SIZES[kind] if kind in _OTHER_SIZES else _dtype(kind).itemsize


class ZipFile(_File):
    """A file of PyTorch 1.6 or later.

    Entries must not be compressed, so the memory that the tensors take is about the size of the file.
    """

    def __init__(self, file):
        super().__init__()
        self._archive = archive = zipfile.ZipFile(file)
        entries = archive.infolist()
        names = Counter(entry.filename for entry in entries)
        if any(name.split('/')[1:] == ['constants.pkl'] for name in names):
            raise WeightsError('a TorchScript archive (torch.jit.save), a program with its weights. With PyTorch, '
                               "write these alone: torch.save(torch.jit.load(path, 'cpu').state_dict(), 'weights.pth')")
        compressed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
        if compressed:
            raise WeightsError(f'has a compressed entry, which PyTorch does not write: {compressed[0]!r}')
        if sum(entry.file_size for entry in entries) > os.fstat(file.fileno()).st_size:
            raise WeightsError('its entries are larger than the file')
        twice = [name for name, times in names.items() if times > 1]
        if twice:
            raise WeightsError(f'has an entry twice: {twice[0]!r}')
        pickles = [name for name in names if name.split('/')[1:] == ['data.pkl']]
        if len(pickles) != 1:
            raise WeightsError(f'a zip archive that torch.save has not written: it has no data.pkl{_instead(names)}')
        self._directory = pickles[0][:-len('data.pkl')]
        order = self._entry('byteorder', 8) if self._directory + 'byteorder' in names else b'little'
        if order not in (b'little', b'big'):
            raise WeightsError(f'has an unknown byte order: {order!r}')
        self._order = '<' if order == b'little' else '>'
        program = io.BytesIO(self._entry('data.pkl', LONGEST))
        self.content = interpret(program)
        if program.read(1):
            raise WeightsError('its pickle does not end where it stops')

    def _entry(self, name, longest=None):
        entry = self._archive.getinfo(self._directory + name)
        if longest is not None and entry.file_size > longest:
            raise WeightsError(f'{name} has {entry.file_size} bytes; {longest} are the most')
        return self._archive.read(entry)

    def _read(self, key):
        return self._entry(f'data/{key}')


def _instead(names):
    """What a zip archive looks like otherwise."""
    if any(name.endswith('.npy') for name in names):
        return ' (arrays of NumPy)'
    if any(name.endswith('serialized_exported_program.json') or '/models/' in name for name in names):
        return ' (a program of torch.export: save its state_dict)'
    return ''


class LegacyFile(_File):
    """A file of the format before PyTorch 1.6, which ``_use_new_zipfile_serialization=False`` still writes."""

    _order = '<'   # on every machine

    def __init__(self, file):
        super().__init__()
        self._file = file
        pickles = io.BytesIO(file.read(LONGEST))
        if not _begins(pickles):
            raise WeightsError('a pickle that torch.save has not written: save net.state_dict() with it')
        version, _ = interpret(pickles), interpret(pickles)   # and the sizes of types, which are always the same
        if version != _LEGACY_VERSION:
            raise WeightsError(f'has version {_short(version)} of the format before PyTorch 1.6, and not '
                               f'{_LEGACY_VERSION}')
        storages = []
        self.content = interpret(pickles, storages)
        keys = interpret(pickles)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise WeightsError('has no list of storages after its pickle')
        self._places = self._find(keys, storages, pickles.tell())

    def _find(self, keys, storages, position):
        """Where the numbers of each storage are: key -> (position, bytes)."""
        size, kinds, places = os.fstat(self._file.fileno()).st_size, {}, {}
        for storage in storages:
            if kinds.setdefault(storage.key, storage.kind) != storage.kind:
                raise WeightsError(f'has a storage of two kinds: {storage.key!r:.50}')
        for key in keys:
            if key not in kinds:
                raise WeightsError(f'has a storage that nothing refers to: {key:.50}')
            self._file.seek(position)
            header = self._file.read(8)
            count = int.from_bytes(header, 'little', signed=True)
            position, length = position + 8, count * _size(kinds[key])
            if len(header) < 8 or count < 0 or position + length > size:
                raise WeightsError(f'ends within the storage {key!r:.50}: it has been cut short')
            if key in places:
                raise WeightsError(f'has a storage twice: {key!r:.50}')
            places[key] = position, length
            position += length
        if position != size:
            raise WeightsError(f'has {size - position} bytes after its last storage')
        return places

    def _read(self, key):
        if key not in self._places:
            raise WeightsError(f'has no storage {key!r:.50}')
        position, length = self._places[key]
        self._file.seek(position)
        return self._file.read(length)


def _begins(pickles):
    """Whether a pickle is the magic number."""
    try:
        return interpret(pickles) == _MAGIC
    except (WeightsError, ValueError, LookupError, TypeError, EOFError, OverflowError):
        return False


def _short(value):
    return value if isinstance(value, int) else type(value).__name__
