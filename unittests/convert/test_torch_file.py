"""PyTorch's files: what is read without PyTorch, and that nothing in one is run, believed or multiplied."""
import struct
import sys
import time
import zipfile

import numpy as np
import pytest

from gluonzoo.convert import WeightsError, read_weights
from gluonzoo.convert.torch_file import read_torch

# -- writing pickles by hand -----------------------------------------------------------------------------------------


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


@pytest.fixture
def write(tmp_path):
    """Writes a file: write(pickle, {storage: bytes}, {entry: bytes}) -> its path."""
    def write(pickled, storages=None, others=None, method=zipfile.ZIP_STORED, directory='archive'):
        path = tmp_path / 'weights.pth'
        with zipfile.ZipFile(path, 'w', method) as archive:
            archive.writestr(f'{directory}/data.pkl', pickled)
            for key, content in ({'0': NUMBERS.tobytes()} if storages is None else storages).items():
                archive.writestr(f'{directory}/data/{key}', content)
            for name, content in (others or {'archive/version': b'3\n'}).items():
                archive.writestr(name, content)
        return path
    return write


def fails(path, message):
    with pytest.raises(WeightsError, match=message) as caught:
        read_torch(path)
    assert str(caught.value).startswith(f'{path}: ') and len(str(caught.value)) < 3000
    assert '\n' not in str(caught.value)


# -- what is read ----------------------------------------------------------------------------------------------------

def test_parts_of_a_storage(write):
    tensors = read_torch(write(state({
        'whole': tensor(), 'turned': tensor((3, 2), (1, 3)), 'part': tensor((2, 2), (3, 2), 0),
        'line': tensor((2,), (1,), 4), 'number': tensor((), (), 5), 'empty': tensor((0, 4), (4, 1), 6)})))
    whole = NUMBERS.reshape(2, 3)
    for name, expected in {'whole': whole, 'turned': whole.T, 'part': whole[:, ::2], 'line': NUMBERS[4:],
                           'number': NUMBERS[5], 'empty': np.empty((0, 4), 'f4')}.items():
        np.testing.assert_array_equal(tensors[name], expected)
        assert tensors[name].shape == expected.shape and tensors[name].dtype == np.float32
    assert list(tensors) == ['whole', 'turned', 'part', 'line', 'number', 'empty']
    with pytest.raises(ValueError, match='read-only'):
        tensors['whole'][0] = 1


@pytest.mark.parametrize('kind, dtype', [
    ('DoubleStorage', 'f8'), ('FloatStorage', 'f4'), ('HalfStorage', 'f2'), ('LongStorage', 'i8'), ('IntStorage', 'i4'),
    ('ShortStorage', 'i2'), ('CharStorage', 'i1'), ('ByteStorage', 'u1'), ('BoolStorage', '?')])
@pytest.mark.parametrize('order, sign', [('little', '<'), ('big', '>')])
def test_dtypes_and_byte_orders(write, kind, dtype, order, sign):
    numbers = (np.arange(6) % 3).astype(dtype)
    path = write(state({'x': tensor(storage_=storage(kind=kind))}), {'0': numbers.astype(sign + dtype).tobytes()},
                 {'archive/byteorder': order.encode()})
    found = read_torch(path)['x']
    np.testing.assert_array_equal(found, numbers.reshape(2, 3))
    assert found.dtype == np.dtype(dtype).newbyteorder(sign)


def test_bfloat16(write):
    """The upper halves of 1, -2.5, infinity."""
    path = write(state({'x': tensor((3,), (1,), 0, storage(kind='BFloat16Storage', length=3))}),
                 {'0': struct.pack('<3H', 0x3f80, 0xc020, 0x7f80)})
    found = read_weights(path)['x']
    assert found.tolist() == [1, -2.5, np.inf] and found.dtype == np.float32


def test_a_state_dict_with_versions_of_layers(write):
    versions = b'}' + text('_metadata') + ORDERED_DICT + text('') + b'}' + text('version') + b'K\x01sssb'
    path = write(state({'x': tensor()}, versions + b'.'), directory='latest_net_G')
    assert list(read_torch(path)) == ['x']


def test_what_pytorch_writes(tmp_path):
    torch = pytest.importorskip('torch')
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ConvTranspose2d(4, 2, 3))
    base = torch.randn(6, 5)
    tensors = {**net.state_dict(), 'turned': base.t(), 'part': base[1:4:2, ::2], 'number': torch.tensor(3.5),
               'empty': torch.empty(0, 3), 'half': torch.randn(3).half(), 'long': torch.arange(4),
               'bool': torch.tensor([True, False])}
    path = tmp_path / 'net.pth'
    for protocol in (2, 3, 4, 5):
        for saved in (net.state_dict(), tensors):
            torch.save(saved, path, pickle_protocol=protocol)
            found = read_weights(path)
            assert list(found) == list(saved)
            for name, value in saved.items():
                np.testing.assert_array_equal(found[name], value.numpy())
    torch.save({'x': torch.tensor([1, -2.5]).bfloat16()}, path)
    assert read_weights(path)['x'].tolist() == [1, -2.5]
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=False)
    fails(path, 'in the format before PyTorch 1.6. Write it anew')
    torch.save(net, path)
    fails(path, 'does what no state_dict needs: NEWOBJ')
    torch.save({'net': net.state_dict(), 'epoch': 3}, path)
    fails(path, r"not a state_dict by itself: 'net' \(dict\), 'epoch' \(int\) not being tensors")
    torch.save(torch.ones(2), path)
    fails(path, 'holds a tensor, not a state_dict')


def test_safetensors(tmp_path):
    import safetensors.numpy
    path = tmp_path / 'net.safetensors'
    safetensors.numpy.save_file({'x': NUMBERS.reshape(2, 3)}, path)
    np.testing.assert_array_equal(read_weights(path)['x'], NUMBERS.reshape(2, 3))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match='net.safetensors: cannot be read'):
        read_weights(path)
    with pytest.raises(WeightsError, match='none.safetensors: cannot be read: No such file'):
        read_weights(tmp_path / 'none.safetensors')


# -- nothing is run --------------------------------------------------------------------------------------------------

def reduce_to(module, name, *arguments):
    return b'\x80\x02' + call(function(module, name), *arguments) + b'.'


@pytest.mark.parametrize('module, name', [
    ('os', 'system'), ('posix', 'system'), ('builtins', 'eval'), ('__builtin__', 'eval'), ('torch', 'load'),
    ('torch._utils', '_rebuild_tensor'), ('torch._utils', 'os.system'), ('collections', 'namedtuple'),
    ('gluonzoo.convert.torch_file', '_tensor'), ('torch', 'FloatStorage')])
def test_no_function_is_called(write, tmp_path, module, name):
    victim = tmp_path / 'victim'
    command = text(f'touch {victim}' if 'system' in name else f'open({str(victim)!r}, "w")')
    for pickled in (reduce_to(module, name, command), state({'x': call(function(module, name), command)})):
        fails(write(pickled), f'its pickle calls {module}.{name}, which is none')
    stack_global = b'\x80\x04' + text(module) + text(name) + b'\x93' + tuple_(command) + b'R.'
    fails(write(stack_global), f'its pickle calls {module}.{name}, which is none')
    assert not victim.exists()


def test_nothing_is_imported(write, tmp_path, monkeypatch):
    (tmp_path / 'evil_module.py').write_text('raise SystemExit')
    monkeypatch.syspath_prepend(tmp_path)
    fails(write(state({'x': function('evil_module', 'thing')})), r"'x' \(_Function\)")
    fails(write(reduce_to('evil_module', 'thing')), 'calls evil_module.thing')
    assert 'evil_module' not in sys.modules


@pytest.mark.parametrize('opcodes, name', [
    (b'(' + text('id') + b'ios\nsystem\n', 'INST'), (b'(' + function('os', 'system') + text('id') + b'o', 'OBJ'),
    (function('os', 'system') + tuple_(text('id')) + b'\x81', 'NEWOBJ'), (b'Pid\n', 'PERSID'), (b'\x82\x01', 'EXT1'),
    (b"S'id'\n", 'STRING'), (b'C\x02id', 'SHORT_BINBYTES'), (b'}2', 'DUP')])
def test_other_opcodes_are_refused(write, opcodes, name):
    fails(write(b'\x80\x02' + opcodes + b'.'), f'its pickle does what no state_dict needs: {name} at byte')


def test_state_of_objects_is_not_set(write):
    fails(write(b'\x80\x02' + function('os', 'system') + b'}b.'), 'has _Function in the place of dict')
    fails(write(b'\x80\x02' + ORDERED_DICT + text('id') + b'b.'), 'has str in the place of dict')


# -- nothing is believed ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize('bad, message', [
    (tensor((2, 3), (-3, 1)), 'where one is negative'),
    (tensor((-2, 3), (3, 1)), 'where one is negative'),
    (tensor(offset=-1), 'where one is negative'),
    (tensor(offset=1), r'has a tensor of shape \(2, 3\), strides \(3, 1\) at 1, which is not within its storage of 6'),
    (tensor((2, 3), (4, 1)), 'not within its storage'),
    (tensor((7,), (1,)), 'not within its storage'),
    (tensor((), (), 6), 'not within its storage'),
    (tensor((1 << 40,), (0,)), 'not within its storage'),
    (tensor((1 << 100,), (1 << 100,)), 'not within its storage'),
    (tensor((7,), (0,)), 'not within its storage'),
    (tensor((1,) * 100, (1,) * 100), 'not a PyTorch file, or damaged'),
    (tensor((2, 3), (1,)), 'not tuples of the same length'),
    (tensor((b'\x88', 3), (3, 1)), 'not whole numbers'),
    (tensor((b'G' + struct.pack('>d', 2), 3), (3, 1)), 'not whole numbers'),
    (tensor(storage_=text('0')), 'a tensor without a storage'),
    (tensor(storage_=storage(key='1')), 'no item named .*archive/data/1'),
    (tensor(storage_=storage(key='../version')), 'no item named'),
    (tensor(storage_=storage(length=7)), "storage '0' has 6 numbers, and not 7"),
    (tensor(storage_=storage(length=-6)), "storage '0' has 6 numbers, and not -6"),
    (tensor(storage_=storage(length=text('6'))), 'has str in the place of int'),
    (tensor(storage_=storage(kind='DoubleStorage')), "storage '0' has 3 numbers, and not 6"),
    (tensor(storage_=storage(kind='ComplexFloatStorage')), 'an unknown kind of storage: torch.ComplexFloatStorage'),
    (tensor(storage_=storage(module='evil')), 'an unknown kind of storage: evil.FloatStorage'),
    (tensor(storage_=storage(what='module')), 'refers to something that is not a storage'),
    (tensor(name='_rebuild_parameter'), 'calls torch._utils._rebuild_parameter'),
    (call(function('torch._utils', '_rebuild_tensor_v2'), storage()), 'damaged: .*missing 5 required'),
    (call(function('collections', 'OrderedDict'), b']'), 'calls collections.OrderedDict'),
    (b'}', r"not a state_dict by itself: 'x' \(dict\) not being tensors"),
    (b'h\x05', 'not a PyTorch file, or damaged'),   # nothing is remembered there
])
def test_tensors_that_cannot_be(write, bad, message):
    fails(write(state({'good': tensor(), 'x': bad})), message)


@pytest.mark.parametrize('pickled, message', [
    (b'', 'damaged'),
    (b'\x80\x02', 'damaged'),
    (b'\x80\x02.', 'does not end where it stops'),
    (state({'x': tensor()}) + b'N.', 'does not end where it stops'),
    (state({'x': tensor()}, b'N.'), 'does not end where it stops'),
    (state({'x': tensor()}, b''), 'damaged'),
    (b'\x80\x02].', 'holds list, not a state_dict'),
    (b'\x80\x02}K\x01' + tensor() + b's.', 'name is not a string of at most 1000'),
    (state({'x' * 1001: tensor()}), 'name is not a string of at most 1000'),
    (b'\x80\x02}(' + text('x') + tensor() + text('x') + tensor() + b'u.', "has an entry twice: 'x'"),
    (b'\x80\x02t.', 'damaged'),
    (b'\x80\x02uu.', 'damaged'),
])
def test_pickles_that_cannot_be(write, pickled, message):
    fails(write(pickled), message)


def test_files_that_cannot_be(write, tmp_path):
    good = state({'x': tensor()})
    fails(write(good, {'0': NUMBERS.tobytes()[:-1]}), 'buffer size must be a multiple')
    fails(write(good, {}), 'no item named')
    fails(write(good, None, {'archive/byteorder': b'middle'}), "unknown byte order: b'middle'")
    fails(write(good, None, {'archive/byteorder': b'little' * 2}), 'byteorder has 12 bytes')
    fails(write(good, None, {'other/data.pkl': good}), 'has no data.pkl')
    fails(write(good, directory='a/b'), 'has no data.pkl')
    with pytest.warns(UserWarning, match='Duplicate name'):
        path = write(good, None, {'archive/data.pkl': good})
    fails(path, "has an entry twice: 'archive/data.pkl'")
    fails(tmp_path, 'cannot be read: Is a directory')
    fails(tmp_path / 'none.pth', 'cannot be read: No such file')
    (tmp_path / 'empty.pth').touch()
    fails(tmp_path / 'empty.pth', 'not a PyTorch file, or damaged: File is not a zip file')
    (tmp_path / 'old.pth').write_bytes(b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.')
    fails(tmp_path / 'old.pth', r"torch.load\('.*old.pth', map_location='cpu', weights_only=True\), 'new.pth'")


# -- nothing is multiplied -------------------------------------------------------------------------------------------

def laughs(levels=60, start=b'K\x01'):
    """A tuple that holds twice a tuple that holds twice ...: a short pickle of 2 ** levels numbers."""
    program = start + b'q\x00'
    for _ in range(levels):
        program += b'h\x00\x86q\x00'   # the former one again; a tuple of both; remember it
    return program


@pytest.mark.timeout(60)
@pytest.mark.parametrize('value', [
    laughs(), tensor((laughs(), 3)), tensor(offset=laughs()), tensor(storage_=laughs()),
    tensor(storage_=storage(length=laughs())), laughs() + text('x') + b'\x93', laughs() + b')R',
    call(function('torch._utils', '_rebuild_tensor_v2'), storage(), b'K\x00', laughs(), laughs(), b'\x89', b'}')])
def test_laughing_pickles(write, value):
    start = time.monotonic()
    with pytest.raises(WeightsError):
        read_torch(write(state({'x': value})))
    assert time.monotonic() - start < 10


def test_compressed_files_are_refused(write):
    """A bomb is small on the disk; PyTorch writes nothing that is smaller there than in memory."""
    path = write(state({'x': tensor()}), {'0': bytes(1 << 24)}, method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 16
    fails(path, "has a compressed entry, which PyTorch does not write: 'archive/data.pkl'")


def test_entries_that_overlap_are_refused(write):
    """Many names for the same bytes: each entry would be whole, all together more than the file."""
    path = write(state({'x': tensor()}), {str(i): bytes(5000) for i in range(20)})
    content = path.read_bytes()
    directory = content.index(b'PK\x01\x02')
    kept = content[:content.index(b'PK\x03\x04', 6000)]   # the first storage, not the others
    moved = bytearray(content[directory:])
    end = moved.index(b'PK\x05\x06')
    moved[end + 16:end + 20] = struct.pack('<I', len(kept))
    path.write_bytes(kept + moved)
    fails(path, 'its entries are larger than the file')


def test_pickle_of_unheard_length_is_refused(write):
    fails(write(state({'x': tensor()}) + bytes(1 << 24)), 'data.pkl has .* bytes; 16777216 are the most')


# -- damage ----------------------------------------------------------------------------------------------------------

def test_truncated_and_damaged_files(write):
    path = write(state({'x': tensor(), 'y': tensor((3, 2), (1, 3))}))
    content = path.read_bytes()
    random = np.random.default_rng(0)
    damaged = [content[:length] for length in range(0, len(content), 7)]
    for _ in range(600):
        changed = bytearray(content)
        changed[random.integers(len(content))] = random.integers(256)
        damaged.append(bytes(changed))
    refused = 0
    for damage in damaged:
        path.write_bytes(damage)
        try:
            assert all(isinstance(value, np.ndarray) for value in read_torch(path).values())
        except WeightsError as error:
            assert str(error).startswith(f'{path}: ')
            refused += 1
    assert refused > len(damaged) / 2
