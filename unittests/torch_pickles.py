"""Writes PyTorch's files by hand, opcode by opcode: whole ones, and such as PyTorch would never write.

What these functions return is a part of a pickle, bytes.
"""
import struct
import zipfile

import numpy as np


def text(value):
    return b'X' + struct.pack('<I', len(value.encode())) + value.encode()


def integer(value):
    if isinstance(value, bytes):
        return value
    if abs(value) < 1 << 31:
        return b'J' + struct.pack('<i', value)
    return b'\x8a\x10' + value.to_bytes(16, 'little', signed=True)


def tuple_(*items):
    return b'(' + b''.join(items) + b't'


def function(module, name):
    return f'c{module}\n{name}\n'.encode()


def call(called, *arguments):
    return called + tuple_(*arguments) + b'R'


ORDERED_DICT = call(function('collections', 'OrderedDict'))


def storage(key='0', kind='FloatStorage', length=6, module='torch', what='storage'):
    return tuple_(text(what), function(module, kind), text(key), text('cuda:0'), integer(length)) + b'Q'


def tensor(shape=(2, 3), strides=(3, 1), offset=0, storage_=None, name='_rebuild_tensor_v2'):
    return call(function('torch._utils', name), storage() if storage_ is None else storage_, integer(offset),
                tuple_(*map(integer, shape)), tuple_(*map(integer, strides)), b'\x89', ORDERED_DICT)


def state(entries, end=b'.'):
    return (b'\x80\x02' + ORDERED_DICT + b'(' + b''.join(text(name) + value for name, value in entries.items()) + b'u'
            + end)


NUMBERS = np.arange(6, dtype='<f4')


def view(offset, length, key='0', whole=6, kind='FloatStorage'):
    """A part of a storage, as PyTorch had it before 0.4 or so."""
    return tuple_(text('storage'), function('torch', kind), text(key), text('cpu'), integer(whole),
                  tuple_(text('99'), integer(offset), integer(length))) + b'Q'


def old_storage(key='0', kind='FloatStorage', length=6):
    return tuple_(text('storage'), function('torch', kind), text(key), text('cpu'), integer(length), b'N') + b'Q'


def entries(values):
    return b'}(' + b''.join(text(name) + value for name, value in values.items()) + b'u'


def zip_file(path, pickled, storages=None, others=None, method=zipfile.ZIP_STORED, directory='archive'):
    """Writes a file of PyTorch 1.6 or later; storages: key -> bytes; others: entry -> bytes."""
    with zipfile.ZipFile(path, 'w', method) as archive:
        archive.writestr(f'{directory}/data.pkl', pickled)
        for key, content in ({'0': NUMBERS.tobytes()} if storages is None else storages).items():
            archive.writestr(f'{directory}/data/{key}', content)
        for name, content in (others or {'archive/version': b'3\n'}).items():
            archive.writestr(name, content)
    return path


def legacy(pickled, storages=None, version=1001, keys=None, magic=b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.',
           sizes=b'\x80\x02}q\x00.'):
    """A file of the format before PyTorch 1.6; storages: key -> bytes of float32, or (count, bytes)."""
    storages = {'0': NUMBERS.tobytes()} if storages is None else storages
    keys = sorted(storages) if keys is None else keys
    numbers = b''
    for content in storages.values():
        count, content = content if isinstance(content, tuple) else (len(content) // 4, content)
        numbers += struct.pack('<q', count) + content
    listed = b'\x80\x02](' + b''.join(map(text, keys)) + b'e.' if isinstance(keys, list) else keys
    return magic + b'\x80\x02' + integer(version) + b'.' + sizes + pickled + listed + numbers
