"""Writes files whole or not at all, and reads and writes arrays without pickle."""
import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from .. import reading
from ..files import replacing

__all__ = ['CheckpointError', 'writing', 'write_file', 'sync_directory', 'write_arrays', 'read_arrays',
           'read_json', 'require_finite', 'sha256']

# MXNet's bfloat16 in NumPy. In a file it is uint16, and the metadata say which arrays are meant.
_BFLOAT16 = np.dtype([('bfloat16', np.uint16)])

_NAMED = 5   # arrays that a message names


class CheckpointError(RuntimeError):
    """A checkpoint or a run's directory cannot be written, read or used. The message is one line."""


@contextmanager
def writing(path):
    """Turns an error while `path` is written into a CheckpointError that names `path`."""
    try:
        yield
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(f'cannot write {path}: {error}') from error


def write_file(path, content):
    """Writes the bytes `content` to the file `path` in one step. After a kill or on a full disk the former file stays.

    Raises CheckpointError if the file cannot be written.
    """
    path = Path(path)
    with writing(path):
        with replacing(path) as (partial,), partial.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)


def sync_directory(path):
    """Makes the names in a directory survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_arrays(path, arrays, metadata=None):
    """Writes a dict of name -> NumPy array as a safetensors file. The file is on the disk when the function returns.

    Shapes and dtypes are kept; MXNet's bfloat16 is stored as uint16 and named in the file's metadata. These have the
    dict of str -> str `metadata` besides.

    Raises CheckpointError if it cannot be written.
    """
    plain = {name: np.asarray(array.view(np.uint16) if array.dtype == _BFLOAT16 else array, order='C')
             for name, array in arrays.items()}
    bfloat16 = [name for name, array in arrays.items() if array.dtype == _BFLOAT16]
    with writing(path):
        safetensors.numpy.save_file(plain, path, metadata={'bfloat16': json.dumps(bfloat16), **(metadata or {})})
        with open(path, 'rb') as file:
            os.fchmod(file.fileno(), _mode_of_files(path))   # safetensors lets nobody else read
            os.fsync(file.fileno())


def read_arrays(path, digest):
    """The dict of name -> NumPy array that :func:`write_arrays` put into a file whose SHA-256 is `digest`.

    Raises CheckpointError if the file is absent, or is not that file.
    """
    content = _read(path)
    if hashlib.sha256(content).hexdigest() != digest:
        raise CheckpointError(f'{path}: damaged or exchanged ({len(content)} bytes): its SHA-256 is not the one that '
                              'state.json has')
    try:
        arrays = safetensors.numpy.load(content)
        header = json.loads(content[8:8 + int.from_bytes(content[:8], 'little')])
        for name in json.loads(header['__metadata__']['bfloat16']):
            arrays[name] = arrays[name].view(_BFLOAT16)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f'{path}: not a file of arrays: {type(error).__name__}: {error}') from error
    return arrays


def require_finite(arrays, path):
    """CheckpointError that names the arrays of a file in which a number is infinite or NaN."""
    bad = [name for name, array in arrays.items() if not _is_finite(array)]
    if bad:
        more = f' and {len(bad) - _NAMED} more' if len(bad) > _NAMED else ''
        raise CheckpointError(f'{path}: has numbers that are not finite: {", ".join(bad[:_NAMED])}{more} '
                              '(--allow-not-finite takes them)')


def _is_finite(array):
    if array.dtype == _BFLOAT16:   # with an exponent of ones, a number is infinite or NaN
        return ((array.view(np.uint16) & 0x7f80) != 0x7f80).all()
    return array.dtype.kind != 'f' or np.isfinite(array).all()


def read_json(path):
    """What a JSON file holds. Raises CheckpointError if it is absent, is no ordinary file or is not JSON."""
    with _reading(path):
        return reading.read_json(path)


def _read(path):
    with _reading(path), reading.open_ordinary(path) as file:
        return file.read()


@contextmanager
def _reading(path):
    """Turns an error while `path` is read into a CheckpointError that names `path`."""
    try:
        yield
    except reading.FileError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f'cannot read {path}: {error.strerror}') from error
    except MemoryError as error:
        raise CheckpointError(f'cannot read {path}: it has {os.path.getsize(path)} bytes, more than there is memory '
                              'for') from error


def _mode_of_files(path):
    """The mode that the system gives to a new file beside `path`: what the umask leaves."""
    scratch = Path(path).with_name(f'{Path(path).name}.mode')   # os.umask() would have to change it to tell it
    try:
        with open(scratch, 'xb') as file:
            return os.fstat(file.fileno()).st_mode & 0o777
    finally:
        scratch.unlink(missing_ok=True)


def sha256(path):
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
