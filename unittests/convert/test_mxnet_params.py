"""MXNet's parameter files: what MXNet has written is read; what is damaged is refused, and no memory taken for it."""
import os
import resource
import struct
import time

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.convert import WeightsError, read_params

ARRAYS = {'a.weight': np.arange(6, dtype='f4').reshape(2, 3), 'a.half': np.array([1.5, -2], 'f2'),
          'b': np.array([[[1e300]]]), 'one': np.array([7], 'f4')}


def save(path, arrays):
    mx.nd.save(str(path), {name: mx.nd.array(array, dtype=array.dtype) for name, array in arrays.items()})
    return path


@pytest.fixture
def path(tmp_path):
    return save(tmp_path / 'x.params', ARRAYS)


def check_equal(found, wanted):
    assert list(found) == list(wanted)
    for name, array in found.items():
        assert array.dtype == wanted[name].dtype and array.shape == wanted[name].shape
        np.testing.assert_array_equal(array, wanted[name])


def test_what_mxnet_has_written(path):
    check_equal(read_params(path), ARRAYS)


def test_prefixes_of_symbols(tmp_path):
    """As mx.model.save_checkpoint writes them."""
    path = save(tmp_path / 'x.params', {'arg:a.weight': np.ones(2, 'f4'), 'aux:a.running_mean': np.zeros(2, 'f4'),
                                        'args.b': np.ones(1, 'f4')})
    assert list(read_params(path)) == ['a.weight', 'a.running_mean', 'args.b']
    path = save(tmp_path / 'x.params', {'arg:a': np.ones(2, 'f4'), 'aux:a': np.zeros(2, 'f4')})
    assert refused(path) == "has an array twice: 'a'"


def test_no_arrays(tmp_path):
    (tmp_path / 'x.params').write_bytes(struct.pack('<4Q', 0x112, 0, 0, 0))
    assert read_params(tmp_path / 'x.params') == {}


def refused(path, content=None):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError) as raised:
        read_params(path)
    message = str(raised.value)
    assert message.startswith(f'{path}: ') and '\n' not in message
    return message[len(str(path)) + 2:]


def test_other_arrays(tmp_path):
    path = tmp_path / 'x.params'
    mx.nd.save(str(path), {'x': mx.nd.ones(3, dtype='int32')})
    assert refused(path) == 'array 0 is of int32; it must be of float16, float32 or float64'
    mx.nd.save(str(path), {'x': mx.nd.ones((3, 4)).tostype('row_sparse')})
    assert refused(path) == 'array 0 is sparse (storage type 1); only dense ones are read'
    mx.nd.save(str(path), {'x': mx.nd.ones((3, 4)).tostype('csr')})
    assert refused(path) == 'array 0 is sparse (storage type 2); only dense ones are read'
    mx.nd.save(str(path), [mx.nd.ones(3)])
    assert refused(path) == 'has 1 arrays and 0 names: write the file with net.save_parameters'
    mx.npx.set_np()
    try:
        mx.npx.save(str(path), {'x': mx.np.ones(3)})
    finally:
        mx.npx.reset_np()
    assert refused(path) == ("array 0 is of the form of MXNet's NumPy arrays, which is not read: load and save it with "
                             'MXNet 1.x')


# A file of one array of one number, in its parts.
PARTS = {'list': struct.pack('<2Q', 0x112, 0), 'arrays': struct.pack('<Q', 1), 'form': struct.pack('<I', 0xf993fac9),
         'storage': bytes(4), 'dimensions': struct.pack('<I', 1), 'shape': struct.pack('<q', 2),
         'device': struct.pack('<2i', 1, 0), 'type': bytes(4), 'numbers': struct.pack('<2f', 3, 4),
         'names': struct.pack('<Q', 1), 'length': struct.pack('<Q', 3), 'name': b'x.y', 'rest': b''}


def test_the_parts_are_what_mxnet_writes(tmp_path):
    written = save(tmp_path / 'x.params', {'x.y': np.array([3, 4], 'f4')}).read_bytes()
    assert b''.join(PARTS.values()) == written


U32, U64, I64 = (struct.Struct(f'<{form}').pack for form in 'IQq')


@pytest.mark.parametrize('changes, said', [
    ({'list': struct.pack('<2Q', 0x113, 0)}, 'not a parameter file of MXNet'),
    ({'arrays': U64(1 << 60)}, 'says that it has 1152921504606846976 arrays, for which it is too short'),
    ({'arrays': U64(2)}, 'array 1 is of an unknown form, which is not read: load and save it with MXNet 1.x'),
    ({'arrays': U64(0)}, 'says that it has'),
    ({'form': U32(0xf993fac8)}, 'array 0 is of the form of MXNet before 0.12, which is not read'),
    ({'form': U32(1)}, 'array 0 is of an unknown form'),
    ({'storage': U32(0xffffffff)}, 'array 0 is sparse (storage type -1)'),
    ({'dimensions': U32(0)}, 'array 0 has 0 dimensions; there must be 1 to 32'),
    ({'dimensions': U32(0xffffffff)}, 'array 0 has 4294967295 dimensions'),
    ({'dimensions': U32(32)}, 'has been cut off within a count, or is damaged there'),
    ({'shape': I64(1 << 40)}, 'has been cut off within array 0 of shape (1099511627776,), or is damaged there'),
    ({'shape': I64((1 << 63) - 1)}, 'has been cut off within array 0'),
    ({'dimensions': U32(2), 'shape': I64(1 << 62) + I64(4)}, 'has been cut off within array 0'),
    ({'dimensions': U32(2), 'shape': I64(-1) + I64(-2)}, 'array 0 has the shape (-1, -2); dimensions must be at least'),
    ({'shape': I64(0)}, 'array 0 has the shape (0,); dimensions must be at least 1'),
    ({'type': U32(12)}, 'array 0 is of bfloat16; it must be of float16, float32 or float64'),
    ({'type': U32(99)}, 'array 0 is of an unknown type, 99; it must be'),
    ({'type': U32(1)}, 'says that it has'),   # twice as many bytes a number
    ({'names': U64(0)}, 'has 1 arrays and 0 names: write the file with net.save_parameters'),
    ({'names': U64(2), 'rest': bytes(8)}, 'has 1 arrays and 2 names'),
    ({'names': U64(1 << 61)}, 'says that it has 2305843009213693952 names, for which it is too short'),
    ({'length': U64(4)}, 'has been cut off within a name'),
    ({'length': U64(1 << 63)}, 'has a name of 9223372036854775808'),
    ({'name': b'\xff.y'}, 'has a name that is not UTF-8'),
    ({'name': b'x\n\x1b'}, "has a name that cannot be printed: 'x\\n"),
    ({'length': U64(2)}, 'has 1 bytes after its last name'), ({'rest': b'1234'}, 'has 4 bytes after its last name')])
def test_damage(tmp_path, changes, said):
    assert changes.keys() <= PARTS.keys()
    assert refused(tmp_path / 'x.params', b''.join({**PARTS, **changes}.values())).startswith(said)


def test_cut_off_anywhere(path):
    content = path.read_bytes()
    for length in range(len(content)):
        refused(path, content[:length])
    check_equal(read_params(save(path, ARRAYS)), ARRAYS)


def test_other_kinds_of_files(tmp_path):
    path = tmp_path / 'x.params'
    assert refused(path, b'PK\x03\x04' + bytes(99)).startswith(
        'not a parameter file of MXNet, but a PyTorch file or another zip archive')
    assert refused(path, struct.pack('<3i', 0, 2, 0) + bytes(99)).startswith(
        'not a parameter file of MXNet, but a weight file of darknet, whose name must end with .weights')
    assert refused(path, b'') == refused(path, bytes(99)) == 'not a parameter file of MXNet'
    path.unlink()
    assert refused(path) == 'cannot be read: No such file or directory'
    os.mkfifo(path)
    assert refused(path) == 'is a pipe; must be an ordinary file'


def test_a_huge_file_takes_no_memory(tmp_path):
    """Sparse, of a terabyte, all of it one array; and of more arrays than any network has."""
    path = tmp_path / 'x.params'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for numbers, said in ((1 << 40, 'has been cut off within array 0'), (1 << 37, 'has 1,099,511,627,776 bytes, many')):
        with path.open('wb') as file:
            file.write(b''.join(list({**PARTS, 'shape': I64(numbers)}.values())[:8]))
            file.truncate(1 << 40)
        with pytest.raises(WeightsError, match=said):
            read_params(path, None if numbers == 1 << 40 else 1_000_000)
    with path.open('wb') as file:
        file.write(struct.pack('<3Q', 0x112, 0, 1 << 30))
        file.truncate(1 << 40)
    assert refused(path) == 'has 1073741824 arrays; 100000 are the most'
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 14   # KiB


def test_a_file_may_have_as_many_numbers_as_the_network(path):
    check_equal(read_params(path, 10), ARRAYS)
    wide = save(path, {'x': np.zeros((1 << 19) + 100)})   # 8 bytes each
    assert read_params(wide, 150)['x'].size == (1 << 19) + 100
    with pytest.raises(WeightsError, match='has 4,195,[0-9]* bytes, many more than the 1 numbers of the network'):
        read_params(wide, 1)


def test_many_names_of_which_two_are_alike(tmp_path):
    """In the time that it takes to read them."""
    names = [b'%06d' % number for number in range(50_000)]
    names[-1] = names[-2]
    one = struct.pack('<IiIqiiif', 0xf993fac9, 0, 1, 1, 1, 0, 0, 1)
    begin = time.process_time()
    assert refused(tmp_path / 'x.params', struct.pack('<3Q', 0x112, 0, len(names)) + one * len(names)
                   + struct.pack('<Q', len(names)) + b''.join(struct.pack('<Q', 6) + name for name in names)
                   ) == "has an array twice: '049998'"
    assert time.process_time() - begin < 5


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'int32', 'int64'])
def test_whole_numbers(dtype, tmp_path):
    path = save(tmp_path / 'x.params', {'a': np.array([[1, 2], [3, 100]], dtype)})
    found = read_params(path, every_type=True)['a']
    assert found.dtype == dtype and found.tolist() == [[1, 2], [3, 100]]
    assert refused(path).startswith(f'array 0 is of {dtype}; it must be of float16, float32 or float64')
