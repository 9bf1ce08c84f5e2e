"""Files that are whole or absent."""
import hashlib
import os

import mxnet as mx
import numpy as np
import pytest
from full_disk import full_disk

from gluonzoo.train.storage import CheckpointError, read_arrays, read_json, sha256, write_arrays, write_file

BFLOAT16 = np.dtype([('bfloat16', np.uint16)])


@pytest.mark.parametrize('dtype', ['float16', 'float32', 'float64', 'uint8', 'int32', 'int64', 'bool', BFLOAT16])
@pytest.mark.parametrize('shape', [(), (0,), (3,), (2, 3, 1)])
def test_arrays_come_back_as_they_were(tmp_path, dtype, shape):
    array = np.frombuffer(np.random.bytes(64), 'uint8')
    array = (array % 2 == 1) if dtype == 'bool' else array.view(dtype)
    array = array[:int(np.prod(shape))].reshape(shape)
    write_arrays(tmp_path / 'a', {'x': array, 'of another kind': np.float32([1])})
    read = read_arrays(tmp_path / 'a', sha256(tmp_path / 'a'))
    assert read['x'].dtype == array.dtype and read['x'].shape == shape and read['x'].tobytes() == array.tobytes()
    assert sorted(read) == ['of another kind', 'x']


def test_arrays_that_are_not_contiguous(tmp_path):
    array = np.arange(12.).reshape(3, 4).T[::2]
    write_arrays(tmp_path / 'a', {'x': array})
    assert (read_arrays(tmp_path / 'a', sha256(tmp_path / 'a'))['x'] == array).all()


def test_bfloat16_of_mxnet(tmp_path):
    # The name 'bfloat16' is NumPy's only where another package has registered it.
    array = mx.nd.array([1.5, -3]).astype(BFLOAT16)
    write_arrays(tmp_path / 'a', {'x': array.asnumpy()})
    read = read_arrays(tmp_path / 'a', sha256(tmp_path / 'a'))['x']
    back = mx.nd.array(read, dtype=read.dtype).astype('float32')
    assert back.asnumpy().tolist() == [1.5, -3]


def test_no_arrays(tmp_path):
    write_arrays(tmp_path / 'a', {})
    assert read_arrays(tmp_path / 'a', sha256(tmp_path / 'a')) == {}


@pytest.mark.parametrize('damage', [lambda b: b'', lambda b: b[:-1], lambda b: b + b'x', lambda b: b[:-1] + b'\1',
                                    lambda b: b'\1' + b[1:]])
def test_damaged_file(tmp_path, damage):
    path = tmp_path / 'a'
    write_arrays(path, {'x': np.zeros(3)})
    digest = sha256(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=f'{path}: damaged or exchanged'):
        read_arrays(path, digest)


@pytest.mark.parametrize('content', [b'', b'x' * 100, b'\xff' * 8 + b'{}', b'\2' + b'\0' * 7 + b'{}',
                                     b'\2' + b'\0' * 7 + b'[]', b'\x12' + b'\0' * 7 + b'{"__metadata__":{}}'])
def test_file_of_something_else(tmp_path, content):
    """Its SHA-256 may be right."""
    path = tmp_path / 'a'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f'{path}: not a file of arrays'):
        read_arrays(path, hashlib.sha256(content).hexdigest())


def test_absent_file(tmp_path):
    for read in (read_json, lambda path: read_arrays(path, '')):
        with pytest.raises(CheckpointError, match='cannot read .*absent: No such file'):
            read(tmp_path / 'absent')


@pytest.mark.parametrize('content', ['', '{', '{"a": 1', 'NULL', '\0'])
def test_not_json(tmp_path, content):
    (tmp_path / 'a').write_text(content)
    with pytest.raises(CheckpointError, match='a: not JSON, or cut short'):
        read_json(tmp_path / 'a')


def test_file_in_one_step(tmp_path):
    path = tmp_path / 'a'
    write_file(path, b'first')
    write_file(path, b'second')
    with full_disk(1000), pytest.raises(CheckpointError, match=f'cannot write {path}: .*File too large'):
        write_file(path, bytes(2000))
    assert path.read_bytes() == b'second' and os.listdir(tmp_path) == ['a']


def test_arrays_on_a_full_disk(tmp_path):
    with full_disk(1000), pytest.raises(CheckpointError, match=f'cannot write {tmp_path}/a: .*File too large'):
        write_arrays(tmp_path / 'a', {'x': np.zeros(1000)})


@pytest.mark.parametrize('folder', [0o1777, 0o2775, 0o700])
def test_the_mode_is_that_of_new_files_and_not_that_of_the_folder(tmp_path, folder):
    (tmp_path / 'shared').mkdir()
    (tmp_path / 'shared').chmod(folder)
    write_arrays(tmp_path / 'shared' / 'a.safetensors', {'x': np.zeros(3)})
    write_file(tmp_path / 'shared' / 'b', b'')
    modes = {path.stat().st_mode for path in (tmp_path / 'shared').iterdir()}
    assert len(list((tmp_path / 'shared').iterdir())) == 2 and len(modes) == 1
