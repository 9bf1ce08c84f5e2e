"""gluonzoo/data/fine_grained/mat.py: files that are damaged, of another kind, or ask for all memory."""
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from fine_grained_cases import annotations, cells
from scipy.io import loadmat, savemat

from gluonzoo.data.fine_grained.mat import read_mat, texts, whole_numbers

ROWS = [('00001.jpg', 1), ('00002.jpg', 2)]


def content(compress=True, **variables):
    stream = io.BytesIO()
    savemat(stream, variables, do_compression=compress)
    return stream.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(data, variable='annotations'):
        (tmp_path / 'list.mat').write_bytes(data)
        return read_mat(tmp_path / 'list.mat', variable)
    return read


@pytest.mark.parametrize('compress', [False, True])
def test_as_scipy_reads_it(read, compress):
    data = content(compress, annotations=annotations(ROWS), names=cells(['a', 'bb'], (-1, 1)), other=np.eye(3))
    found = read(data)
    assert texts('', found['fname']) == ['00001.jpg', '00002.jpg']
    assert whole_numbers('', found['class'], 2) == [1, 2]
    assert texts('', read(data, 'names')) == ['a', 'bb']
    np.testing.assert_array_equal(read(data, 'other'), loadmat(io.BytesIO(data))['other'])


VALUES = {
    'doubles': np.arange(24.).reshape(2, 3, 4), 'bytes': np.arange(6, dtype='u1').reshape(2, 3), 'one': np.int64(-7),
    'single': np.float32([[1.5, 2]]), 'logical': np.array([[True, False]]), 'none': np.zeros((0, 3)),
    'text': 'abc', 'letters': 'grün 鳥 🐦', 'empty': ''}


@pytest.mark.parametrize('name', VALUES)
@pytest.mark.parametrize('compress', [False, True])
def test_values_of_every_kind(read, name, compress):
    """By themselves, in cells and in a struct, as SciPy reads them."""
    data = content(compress, alone=VALUES[name], within=cells([VALUES[name], 'x'], (1, 2)),
                   struct={'first': VALUES[name], 'second': 'y'})
    wanted = loadmat(io.BytesIO(data))['alone']
    struct_ = read(data, 'struct')
    assert set(struct_) == {'first', 'second'} and struct_['second'] == ['y'] and read(data, 'within')[1] == 'x'
    for found in (read(data, 'alone'), read(data, 'within')[0], struct_['first'][0]):
        if wanted.dtype.kind == 'U':
            assert found == (wanted.item() if wanted.size else '')
        else:
            np.testing.assert_array_equal(found, wanted)


def test_values_that_are_not_read(read):
    """Complex and sparse numbers, and texts of several rows."""
    from scipy.sparse import csc_matrix
    data = content(complex=np.array([[1j]]), sparse=csc_matrix(np.eye(2)), rows=np.array(['ab', 'cd']))
    assert [read(data, name) for name in ('complex', 'sparse', 'rows')] == [None, None, None]


def test_the_other_order_of_bytes(read):
    """As machines wrote it whose numbers begin with the highest byte."""
    def element(kind, payload):
        return struct.pack('>2I', kind, len(payload)) + payload + bytes(-len(payload) % 8)
    numbers = (element(6, struct.pack('>2I', 6, 0)) + element(5, struct.pack('>2i', 1, 2))
               + struct.pack('>2H', 1, 1) + b'v\0\0\0' + element(9, struct.pack('>2d', 3, 4)))
    data = b'MATLAB 5.0'.ljust(124) + struct.pack('>H', 0x100) + b'MI' + element(14, numbers)
    assert loadmat(io.BytesIO(data))['v'].tolist() == read(data, 'v').tolist() == [[3, 4]]


@pytest.mark.parametrize('data, message', [
    (b'', 'list.mat: is no file of MATLAB, version 5 to 7'), (b'x' * 300, 'is no file of MATLAB'),
    (b'MATLAB 5.0'.ljust(124) + b'\0\2IM', 'is no file of MATLAB, version 5 to 7'),
    (b'MATLAB 7.3 MAT-file, HDF5'.ljust(600), r"is of MATLAB's version 7.3 \(HDF5\), which is not read; save it with"),
    (b'\x89HDF\r\n\x1a\n' + bytes(600), 'version 7.3'),
    (b'\x80\x04\x95pickle' + bytes(200), 'is no file of MATLAB')])
def test_other_files(read, data, message):
    with pytest.raises(ValueError, match=message) as raised:
        read(data)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('compress', [False, True])
def test_wherever_it_is_cut_off_or_damaged(read, compress):
    """One line, or a value: never another error."""
    data = content(compress, annotations=annotations(ROWS))
    rng = np.random.default_rng(0)
    whole = False
    for number in range(400):
        damaged = bytearray(data[:rng.integers(101, len(data))] if number % 2 else data)
        for place in rng.integers(100, len(damaged), rng.integers(0, 4)):
            damaged[place] = rng.integers(256)
        try:
            texts('f', read(bytes(damaged))['fname'])
            whole = True
        except ValueError as error:
            assert '\n' not in str(error)
        except (KeyError, TypeError):   # no such field, or no struct, as the datasets find out before
            pass
    assert whole


def element(kind, payload):
    return struct.pack('<2I', kind, len(payload)) + payload + bytes(-len(payload) % 8)


def matrix(kind, shape, rest=b'', name=b'annotations'):
    return element(14, element(6, struct.pack('<2I', kind, 0)) + element(5, struct.pack(f'<{len(shape)}i', *shape))
                   + element(1, name) + rest)


HEADER = b'MATLAB 5.0 MAT-file'.ljust(124) + struct.pack('<H', 0x100) + b'IM'


SAID = r'list\.mat: (has 0 values, and says|an array (of|cannot have) the shape|is damaged|is cut off)'


@pytest.mark.parametrize('kind', [1, 2, 4, 6])   # cells, a struct, texts, numbers
@pytest.mark.parametrize('shape', [(10 ** 9, 1), (40000, 40000), (2 ** 31 - 1,) * 8, (-1, 5), (-4, -4)])
def test_sizes_that_are_not_there(read, kind, shape):
    """As of a list of a thousand million cells in 100 bytes, also within cells, and compressed."""
    bomb = matrix(kind, shape)
    for data in (bomb, matrix(1, (1, 1), bomb), element(15, zlib.compress(bomb))):
        tracemalloc.start()
        with pytest.raises(ValueError, match=SAID):
            read(HEADER + data)
        assert tracemalloc.get_traced_memory()[1] < 1e7
        tracemalloc.stop()


def test_a_part_that_grows_without_end(read):
    zeros = element(15, zlib.compress(matrix(6, (1, 2 ** 25), element(9, bytes(2 ** 28))), 9))
    tracemalloc.start()
    with pytest.raises(ValueError, match='its parts take more than 33554432 bytes'):
        read(HEADER + zeros)
    assert tracemalloc.get_traced_memory()[1] < 2e8
    tracemalloc.stop()


def test_cells_within_cells_without_end(read):
    data = matrix(1, (1, 1))
    for _ in range(12):
        data = matrix(1, (1, 1), data)
    with pytest.raises(ValueError, match='has more than 8 arrays within each other'):
        read(HEADER + data)


def test_a_file_that_is_too_large(read):
    with pytest.raises(ValueError, match='has more than 8388608 bytes'):
        read(HEADER + bytes(1 << 23))


def test_a_variable_that_is_not_there(read):
    with pytest.raises(ValueError, match="must have the variable 'annotations'"):
        read(content(other=3))
