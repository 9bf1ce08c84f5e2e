"""The form of darknet's files: both headers, what is none, and how many bytes there must be."""
import os
import resource
import struct

import numpy as np
import pytest

from gluonzoo.convert import WeightsError
from gluonzoo.convert.darknet_file import Layer, numbers_of, read_darknet, size_of_file, write_darknet

# 3 + 8 and 2 + 6 numbers.
LAYERS = [Layer('stem', {'stem.beta': (3,), 'stem.weight': (2, 1, 2, 2)}),
          Layer('head', {'head.bias': (2,), 'head.weight': (2, 3, 1, 1)})]
NUMBERS = np.arange(19, dtype='<f4')
TODAY = struct.pack('<3iq', 0, 2, 0, 32013312)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'x.weights'


def read(path, content):
    path.write_bytes(content)
    return read_darknet(path, LAYERS, 'a net')


@pytest.mark.parametrize('header', [
    TODAY, struct.pack('<3iq', 0, 2, 5, 1 << 40),   # as AlexeyAB's darknet writes it
    struct.pack('<4i', 0, 1, 0, 77)], ids=['0.2.0', '0.2.5', '0.1.0'])
def test_headers_of_both_lengths(path, header):
    found = read(path, header + NUMBERS.tobytes())
    assert list(found) == ['stem.beta', 'stem.weight', 'head.bias', 'head.weight']
    assert found['stem.beta'].tolist() == [0, 1, 2] and found['head.bias'].tolist() == [11, 12]
    np.testing.assert_array_equal(found['stem.weight'], [[[[3, 4], [5, 6]]], [[[7, 8], [9, 10]]]])
    np.testing.assert_array_equal(found['head.weight'][:, :, 0, 0], [[13, 14, 15], [16, 17, 18]])


def test_written_as_darknet_writes_it(path):
    arrays = {'head.weight': np.arange(13, 19.).reshape(2, 3, 1, 1), 'stem.beta': np.arange(3, dtype='f2'),
              'stem.weight': np.arange(3, 11, dtype='f4').reshape(2, 2, 1, 2).transpose(0, 2, 1, 3),
              'head.bias': np.array([11, 12], '>f4')}
    write_darknet(path, LAYERS, arrays.get)
    assert path.read_bytes() == struct.pack('<3iq', 0, 2, 0, 0) + NUMBERS.tobytes()
    assert path.stat().st_size == size_of_file(LAYERS) == 20 + 4 * numbers_of(LAYERS) == 96
    with pytest.raises(ValueError, match=r"^array_of: must have the shape \(2,\) for 'head.bias': \(3,\)$"):
        write_darknet(path, LAYERS, {**arrays, 'head.bias': np.zeros(3)}.get)


def refused(path, content, **more):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError) as raised:
        read_darknet(path, LAYERS, 'a net', **more)
    assert str(raised.value).startswith(str(path)) and '\n' not in str(raised.value)
    return str(raised.value)[len(str(path)) + 2:]


@pytest.mark.parametrize('taken, said', [
    (-4, 'must have 96 bytes for a net; it has 92, and ends in layer 2 of 2, head'),
    (-1, 'must have 96 bytes for a net; it has 95, and ends in layer 2 of 2, head: within a number'),
    (20 + 44, 'must have 96 bytes for a net; it has 64, and ends in layer 2 of 2, head'),
    (20 + 40, 'must have 96 bytes for a net; it has 60, and ends in layer 1 of 2, stem'),
    (20, 'must have 96 bytes for a net; it has 20, and ends in layer 1 of 2, stem'),
    (19, 'ends within its header: it has 19 bytes'), (12, 'ends within its header: it has 12 bytes'),
    (11, 'ends within its header: it has 11 bytes'), (0, 'ends within its header: it has 0 bytes')])
def test_cut_off(path, taken, said):
    assert refused(path, (TODAY + NUMBERS.tobytes())[:taken]) == said


def test_longer(path):
    whole = TODAY + NUMBERS.tobytes()
    assert refused(path, whole + bytes(4)) == 'must have 96 bytes for a net; it has 100, 4 of them after the last layer'
    # A header of 16 bytes with the numbers of a file whose header has 20.
    assert refused(path, struct.pack('<3i', 0, 1, 0) + whole[12:]) == (
        'must have 92 bytes for a net; it has 96, 4 of them after the last layer')


def test_what_would_help(path):
    asked = []

    def hint(numbers):
        asked.append(numbers)
        return 'do this'

    assert refused(path, TODAY + bytes(4 * 7), hint=hint).endswith('it has 48, and ends in layer 1 of 2, stem: do this')
    assert refused(path, TODAY + bytes(4 * 25), hint=hint).endswith('24 of them after the last layer: do this')
    assert refused(path, TODAY + bytes(4 * 7 + 2), hint=hint).endswith('stem: within a number')
    assert asked == [7, 25]


@pytest.mark.parametrize('header, said', [
    (struct.pack('<3i', 0, 3, 0), 'begins with 0, 3, 0; known are the versions 0.1 and 0.2'),
    (struct.pack('<3i', 1, 0, 0), 'begins with 1, 0, 0;'), (struct.pack('<3i', 0, 0, 0), 'begins with 0, 0, 0;'),
    (struct.pack('<3i', 0, -2, 0), 'begins with 0, -2, 0;'), (struct.pack('<3i', -1, 12, 0), 'begins with -1, 12, 0;'),
    (struct.pack('<3i', 2000, 2, 0), 'begins with 2000, 2, 0;'),
    (struct.pack('>3i', 0, 2, 0), 'begins with 0, 33554432, 0;'),
    (b'\xff' * 12, 'begins with -1, -1, -1;')])
def test_unknown_versions(path, header, said):
    assert refused(path, header + TODAY[12:] + NUMBERS.tobytes()).startswith(
        'not a file of darknet, or of an unknown version: its header ' + said)


@pytest.mark.parametrize('start, said', [
    (b'PK\x03\x04', 'a PyTorch file or another zip archive'), (b'\x80\x02', 'a pickle'), (b'<!DOCTYPE', 'a web page'),
    (b'version https://git-lfs', 'a pointer of Git LFS'), (b'\x1f\x8b', 'compressed by gzip'),
    (b'\x12\x01' + bytes(14), 'a parameter file of MXNet (net.save_parameters), whose name must end with .params'),
    (struct.pack('<Q', 90) + b'{"a": 1', 'a safetensors file, whose name must end with .safetensors')])
def test_other_kinds_of_files(path, start, said):
    assert refused(path, start + bytes(90)).startswith(f'not a file of darknet, but {said}')


def test_no_file(path, tmp_path):
    assert refused(path, None) == 'cannot be read: No such file or directory'
    os.mkfifo(path)
    assert refused(path, None) == 'is a pipe; must be an ordinary file'
    assert refused(tmp_path, None) == 'is a folder; must be an ordinary file'


def test_a_huge_file_is_not_read(path):
    """Sparse, of a terabyte."""
    with path.open('wb') as file:
        file.write(TODAY)
        file.truncate(1 << 40)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert 'it has 1,099,511,627,776, 1,099,511,627,680 of them after' in refused(path, None)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 14   # KiB
