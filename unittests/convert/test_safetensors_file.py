"""safetensors files: the types of numbers, those that NumPy does not have, and what is none."""
import json
import struct

import numpy as np
import pytest
import safetensors.numpy

from gluonzoo.convert import WeightsError, read_weights

NUMBERS = np.arange(6, dtype='f4')


def test_safetensors(tmp_path):
    path = tmp_path / 'net.safetensors'
    safetensors.numpy.save_file({'x': NUMBERS.reshape(2, 3)}, path)
    np.testing.assert_array_equal(read_weights(path)['x'], NUMBERS.reshape(2, 3))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match='net.safetensors: cannot be read'):
        read_weights(path)
    with pytest.raises(WeightsError, match='none.safetensors: cannot be read: .*No such file'):
        read_weights(tmp_path / 'none.safetensors')
    with pytest.raises(WeightsError, match='net.safetensors: --key is for checkpoints of PyTorch'):
        read_weights(path, key='x')
    path.write_bytes(b'PK\x03\x04' + bytes(100))
    with pytest.raises(WeightsError, match='net.safetensors: cannot be read: it is a PyTorch file or another zip'):
        read_weights(path)


def test_dtypes_of_safetensors(tmp_path):
    """Those that NumPy does not have by hand: bfloat16 1, -2.5; float8."""
    path = tmp_path / 'x.safetensors'
    arrays = {dtype: np.arange(6).reshape(2, 3).astype(dtype) for dtype in
              ('f8', 'f4', 'f2', 'i8', 'i4', 'i2', 'i1', 'u8', 'u4', 'u2', 'u1', '?')}
    arrays.update(number=np.array(3.5), empty=np.empty((0, 3)))
    safetensors.numpy.save_file(arrays, path)
    found = read_weights(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)

    def write(dtype, content):
        header = json.dumps({'y': {'dtype': dtype, 'shape': [2], 'data_offsets': [0, len(content)]}}).encode()
        path.write_bytes(struct.pack('<Q', len(header)) + header + content)

    write('BF16', struct.pack('<2H', 0x3f80, 0xc020))
    assert read_weights(path)['y'].tolist() == [1, -2.5] and read_weights(path)['y'].dtype == np.float32
    for dtype in ('F8_E4M3', 'F8_E5M2'):
        write(dtype, b'12')
        with pytest.raises(WeightsError, match=f"x.safetensors: 'y' is of {dtype}, which NumPy and MXNet do not have"):
            read_weights(path)
