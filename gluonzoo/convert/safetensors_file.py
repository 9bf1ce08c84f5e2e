"""Reads safetensors files, also those with bfloat16, which NumPy does not have."""
import json

import numpy as np
import safetensors

from ..reading import FileError, open_ordinary
from .errors import WeightsError
from .file_kinds import LOOKED_AT, is_safetensors, kind_of_file

__all__ = ['float32', 'read_metadata', 'read_safetensors']

_DTYPES = {'F64': '<f8', 'F32': '<f4', 'F16': '<f2', 'BF16': '<u2', 'I64': '<i8', 'I32': '<i4', 'I16': '<i2',
           'I8': 'i1', 'U64': '<u8', 'U32': '<u4', 'U16': '<u2', 'U8': 'u1', 'BOOL': '?'}


def read_safetensors(path):
    """The arrays in a safetensors file, and its metadata.

    Returns
    -------
    dict of name -> NumPy array; bfloat16 becomes float32
    dict of str -> str

    Raises
    ------
    WeightsError
        for an array of another type, such as float8, by name; for a pipe, a device or a folder.
    OSError, SafetensorError, ValueError
        if the file cannot be read, or is none.
    """
    _require_safetensors(path)
    with safetensors.safe_open(path, framework='numpy'), open_ordinary(path) as file:   # the first checks the header
        length = int.from_bytes(file.read(8), 'little')
        header = json.loads(file.read(length))
        metadata = header.pop('__metadata__', {})
        arrays = {}
        for name, entry in header.items():
            dtype = entry['dtype']
            if dtype not in _DTYPES:
                raise WeightsError(f'{path}: {name!r} is of {dtype}, which NumPy and MXNet do not have: save it as '
                                   'float32 or float16')
            begin, end = entry['data_offsets']
            file.seek(8 + length + begin)
            array = np.frombuffer(file.read(end - begin), _DTYPES[dtype]).reshape(entry['shape'])
            arrays[name] = float32(array) if dtype == 'BF16' else array
    return arrays, metadata


def read_metadata(path):
    """The metadata of a safetensors file, dict of str -> str. What is wrong is said as by :func:`read_safetensors`."""
    _require_safetensors(path)
    with safetensors.safe_open(path, framework='numpy') as file:
        return file.metadata() or {}


def _require_safetensors(path):
    """WeightsError for no ordinary file; ValueError for what is known to be another kind of file."""
    try:
        with open_ordinary(path) as file:
            start = file.read(LOOKED_AT)
    except FileError as error:
        raise WeightsError(str(error)) from error
    if not is_safetensors(start) and kind_of_file(start):
        raise ValueError(f'it is {kind_of_file(start)}')


def float32(bfloat16):
    """The numbers whose upper halves, as float32, are in an array of uint16."""
    if bfloat16.dtype != np.uint16:
        raise TypeError(f'bfloat16 must be stored as uint16: {bfloat16.dtype}')
    return (bfloat16.astype(np.uint32) << 16).view(np.float32)
