"""gluonzoo/data/fine_grained/mat.py: files that are damaged, of another kind, or ask for all memory."""
import io
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from fine_grained_cases import annotations, cells
from scipy.io import loadmat, savemat

from gluonzoo.data.fine_grained.mat import MAX_UNPACKED, MOST_FIELDS, MOST_VALUES, read_mat, texts, whole_numbers
from gluonzoo.reading import FileError

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
    """One line that names the file, or a value: never another error."""
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
        except FileError as error:
            assert re.fullmatch(r'(\S+/list\.mat|f): .+', str(error))
        except (KeyError, TypeError):   # no such field, or no struct, as the datasets find out before
            pass
    assert whole


def element(kind, payload):
    return struct.pack('<2I', kind, len(payload)) + payload + bytes(-len(payload) % 8)


def matrix(kind, shape, rest=b'', name=b'annotations'):
    return element(14, element(6, struct.pack('<2I', kind, 0)) + element(5, struct.pack(f'<{len(shape)}i', *shape))
                   + element(1, name) + rest)


def compressed(content, left_off=0):
    """Without padding, as MATLAB writes it."""
    payload = zlib.compress(content, 9)
    payload = payload[:len(payload) - left_off]
    return struct.pack('<2I', 15, len(payload)) + payload


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


@pytest.mark.parametrize('first, second', [(MAX_UNPACKED, 2 ** 29), (MAX_UNPACKED, 1), (20 << 20, 20 << 20)])
def test_parts_that_are_too_large_together(read, first, second):
    """Also where the first one leaves nothing for the second."""
    data = HEADER + compressed(bytes(first)) + compressed(bytes(second))
    tracemalloc.start()
    with pytest.raises(FileError, match='list.mat: its parts take more than 33554432 bytes'):
        read(data)
    assert tracemalloc.get_traced_memory()[1] < 1.5e8
    tracemalloc.stop()


def test_parts_that_just_fit(read):
    found = matrix(6, (1, 1), element(9, struct.pack('<d', 7)))
    data = HEADER + compressed(bytes(MAX_UNPACKED - len(found))) + compressed(found)
    assert read(data).tolist() == [[7]]


TEXT = matrix(4, (1, 8), element(1, b'abcdefgh'))


def test_a_part_without_its_checksum(read):
    """All of the content is there, but not the end of what is compressed."""
    assert read(HEADER + compressed(TEXT)) == 'abcdefgh'
    with pytest.raises(FileError, match='list.mat: is cut off, or damaged'):
        read(HEADER + compressed(TEXT, left_off=4))


def headed(flags):
    """A text of which the element of flags is this one."""
    return HEADER + element(14, flags + element(5, struct.pack('<2i', 1, 8)) + element(1, b'annotations')
                            + element(1, b'abcdefgh'))


def test_an_array_whose_kind_is_cut_off(read):
    assert read(headed(struct.pack('<2HI', 6, 4, 4))) == 'abcdefgh'
    for size in (0, 1, 3):
        with pytest.raises(FileError, match='list.mat: is damaged'):
            read(headed(element(6, b'\4\0\0'[:size])))


def test_a_short_element_that_has_more_than_four_bytes(read):
    """It would reach into the next one."""
    assert read(HEADER + matrix(4, (1, 4), struct.pack('<2H', 1, 4) + b'abcdefgh' + bytes(4))) == 'abcd'
    with pytest.raises(FileError, match='list.mat: is damaged'):
        read(HEADER + matrix(4, (1, 8), struct.pack('<2H', 1, 8) + b'abcdefgh' + bytes(4)))


def struct_of(length, letters, values=b''):
    return HEADER + matrix(2, (1, 1), length + element(1, letters) + values)


@pytest.mark.parametrize('length', [b'', b'\4', b'\4\0', b'\4\0\0', b'\4\0\0\0\0\0\0\0', b'\0\0\0\0'])
def test_a_struct_that_does_not_tell_the_length_of_its_names(read, length):
    whole = struct_of(element(5, b'\4\0\0\0'), b'abcd', TEXT)
    assert read(whole) == {'abcd': ['abcdefgh']}
    with pytest.raises(FileError, match='list.mat: is damaged'):
        read(struct_of(element(5, length), b'abcd', TEXT))


def test_a_struct_of_millions_of_fields(read):
    names = b''.join(struct.pack('>I', number) for number in range(1 << 20))
    tracemalloc.start()
    with pytest.raises(FileError, match=f'list.mat: has a struct of more than {MOST_FIELDS} fields'):
        read(struct_of(element(5, b'\4\0\0\0'), names))
    assert tracemalloc.get_traced_memory()[1] < 2e7
    tracemalloc.stop()
    few = [f'{number:04}' for number in range(MOST_FIELDS)]
    assert list(read(struct_of(element(5, b'\4\0\0\0'), ''.join(few).encode(), TEXT * MOST_FIELDS))) == few


def test_millions_of_cells(read):
    """Empty ones, which take eight bytes each, in one list and within others."""
    half = MOST_VALUES // 2
    assert read(HEADER + matrix(1, (MOST_VALUES, 1), element(14, b'') * MOST_VALUES)) == [None] * MOST_VALUES
    for cells_ in (matrix(1, (MOST_VALUES + 1, 1), element(14, b'') * (MOST_VALUES + 1)),
                   matrix(1, (2, 1), matrix(1, (half, 1), element(14, b'') * half) * 2)):
        with pytest.raises(FileError, match=f'list.mat: has a variable of more than {MOST_VALUES} values'):
            read(HEADER + cells_)


@pytest.mark.parametrize('shape', [(0, *[2 ** 31 - 1] * 4), (1,) * 70])
def test_shapes_that_numpy_does_not_have(read, shape):
    with pytest.raises(FileError, match='list.mat: is damaged'):
        read(HEADER + matrix(6, shape, element(9, bytes(0 if 0 in shape else 8))))


def test_the_memory_that_a_file_can_ask_for(read):
    """Letters that take four bytes each are the worst of what has been found."""
    text = matrix(4, (1, 5), element(16, '🐦'.encode() + b'a' * (MAX_UNPACKED - 300)))
    tracemalloc.start()
    assert read(HEADER + compressed(text))[1:] == 'a' * (MAX_UNPACKED - 300)
    assert tracemalloc.get_traced_memory()[1] < 3e8
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
