"""Reads and writes the weight files of darknet.

Source: github.com/pjreddie/darknet, src/parser.c: load_weights_upto and save_weights_upto.

A file has a header, and then the numbers of one layer after the other. All of it is little-endian::

    int32    major, minor, revision: the version of the form
    int64    the pictures that the training has seen; int32 before version 0.2
    float32  of a layer with batch normalisation: beta, gamma, mean, variance, weights [out, in, rows, columns]
             of a layer without:                  bias, weights

There are no names, no shapes and no marks between layers. Only the number of bytes tells whether a file is of a
network, so the number is checked before anything else. darknet itself checks nothing: with a file that is too short,
the last layers keep what they were initialized with.
"""
import os
import struct
from math import prod
from typing import NamedTuple

import numpy as np

from ..reading import FileError, open_ordinary
from .errors import WeightsError
from .file_kinds import LOOKED_AT, kind_of_file

__all__ = ['Layer', 'numbers_of', 'read_darknet', 'size_of_file', 'write_darknet']

_VERSION = struct.Struct('<3i')
# (major, minor) -> the bytes of what follows. Larger numbers of the first meant that matrices were transposed.
_SEEN = {(0, 1): 4, (0, 2): 8}
_WRITTEN = struct.pack('<3iq', 0, 2, 0, 0)


class Layer(NamedTuple):
    """A convolution, and the batch normalisation that may follow it."""
    name: str
    """where it is in the network, for messages: 'stages.0.1.0'"""
    shapes: dict
    """name of our parameter -> shape, in the order of the file"""


def numbers_of(layers):
    """How many numbers the layers have."""
    return sum(prod(shape) for layer in layers for shape in layer.shapes.values())


def size_of_file(layers):
    """The bytes of a file of these layers, with the header that darknet writes today."""
    return len(_WRITTEN) + 4 * numbers_of(layers)


def read_darknet(path, layers, what, hint=lambda numbers: ''):
    """The numbers of a file that holds `layers`, no more and no less.

    Parameters
    ----------
    path : str or Path
    layers : list of Layer
        in the order of the file
    what : str
        what the layers are, for messages
    hint : function of how many numbers the file has -> str
        what to do, for the message that they do not fit

    Returns
    -------
    dict of name -> float32 array

    Raises
    ------
    WeightsError
        if the file cannot be read, is another kind of file, has a header of unknown version, or is shorter or longer.
        No more memory is taken than the layers need.
    """
    try:
        with open_ordinary(path) as file:
            size = os.fstat(file.fileno()).st_size
            header = _length_of_header(file.read(LOOKED_AT))
            _check_size(size, header, layers, what, hint)
            file.seek(header)
            return {name: _read(file, shape) for layer in layers for name, shape in layer.shapes.items()}
    except FileError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        raise WeightsError(f'{path}: cannot be read: {error.strerror or error}') from error
    except WeightsError as error:
        raise WeightsError(f'{path}: {error}') from None


def write_darknet(path, layers, array_of):
    """Writes a file that darknet reads. It is on the disk when the function returns. OSError if it cannot be written.

    Parameters
    ----------
    path : str or Path
    layers : list of Layer
    array_of : function of a name -> array of floats

    The training has seen no pictures, as the file says: darknet would begin one with its first batch.
    """
    with open(path, 'wb') as file:
        file.write(_WRITTEN)
        for layer in layers:
            for name, shape in layer.shapes.items():
                array = np.ascontiguousarray(array_of(name), '<f4')
                if array.shape != shape:
                    raise ValueError(f'array_of: must have the shape {shape} for {name!r}: {array.shape}')
                file.write(array.data)
        file.flush()
        os.fsync(file.fileno())


def _length_of_header(start):
    """The bytes before the first number."""
    if len(start) < _VERSION.size:
        raise WeightsError(f'ends within its header: it has {len(start)} bytes')
    version = _VERSION.unpack_from(start)
    if version[:2] in _SEEN:   # of any revision
        return _VERSION.size + _SEEN[version[:2]]
    if kind_of_file(start):
        raise WeightsError(f'not a file of darknet, but {kind_of_file(start)}')
    raise WeightsError(f'not a file of darknet, or of an unknown version: its header begins with '
                       f'{", ".join(map(str, version))}; known are the versions 0.1 and 0.2')


def _check_size(size, header, layers, what, hint):
    if size < header:
        raise WeightsError(f'ends within its header: it has {size} bytes')
    expected = header + 4 * numbers_of(layers)
    if size == expected:
        return
    numbers, rest = divmod(size - header, 4)
    said = f'must have {expected:,} bytes for {what}; it has {size:,}'
    if size > expected:
        said += f', {size - expected:,} of them after the last layer'
    else:
        number, layer = _layer_at(numbers, layers)
        said += f', and ends in layer {number} of {len(layers)}, {layer.name}'
    more = hint(numbers) if not rest else 'within a number'
    raise WeightsError(': '.join(filter(None, [said, more])))


def _layer_at(numbers, layers):
    """The layer in which a file of so many numbers ends, with its number from 1."""
    for number, layer in enumerate(layers, 1):
        numbers -= numbers_of([layer])
        if numbers < 0:
            return number, layer
    raise ValueError('numbers: must be fewer than the layers have')


def _read(file, shape):
    numbers = np.frombuffer(file.read(4 * prod(shape)), '<f4')
    if numbers.size != prod(shape):
        raise WeightsError('has become shorter while it was read')
    return numbers.reshape(shape)
