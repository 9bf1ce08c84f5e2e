"""PyTorch's files: what is read without PyTorch, and that nothing in one is run, believed or multiplied."""
import argparse
import functools
import struct
import sys
import time
import zipfile

import numpy as np
import pytest
from torch_pickles import (
    NUMBERS,
    ORDERED_DICT,
    call,
    entries,
    function,
    integer,
    legacy,
    old_storage,
    state,
    storage,
    tensor,
    text,
    tuple_,
    view,
    zip_file,
)

from gluonzoo.convert import WeightsError, read_weights
from gluonzoo.convert.torch_file import read_torch


@pytest.fixture
def write_legacy(tmp_path):
    def write_legacy(*args, **keywords):
        path = tmp_path / 'old.pth'
        path.write_bytes(legacy(*args, **keywords))
        return path
    return write_legacy


@pytest.fixture
def write(tmp_path):
    """Writes a file as zip_file does; its path."""
    return functools.partial(zip_file, tmp_path / 'weights.pth')


def fails(path, message, **options):
    with pytest.raises(WeightsError, match=message) as caught:
        read_torch(path, **options)
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


LEGACY = {'_use_new_zipfile_serialization': False}


@pytest.mark.parametrize('options', [{}, LEGACY], ids=['zip', 'legacy'])
def test_what_pytorch_writes_of_a_training(tmp_path, options):
    """Checkpoints with optimizers, arguments and NumPy's numbers; networks, and parameters by themselves."""
    torch = pytest.importorskip('torch')
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    path = tmp_path / 'net.pth'
    saved = {'state_dict': net.state_dict(), 'epoch': 3, 'args': argparse.Namespace(lr=.1, betas=(.9, .99)),
             'optimizer': optimizer.state_dict(), 'best': np.float64(.5), 'array': np.arange(3), 'names': {'a', 'b'},
             'models': {'ema': {name: 2 * value for name, value in net.state_dict().items()}}}
    torch.save(saved, path, **options)
    for key, factor in (('state_dict', 1), ('models.ema', 2)):
        found = read_torch(path, key)
        assert list(found) == list(net.state_dict())
        for name, value in net.state_dict().items():
            np.testing.assert_array_equal(found[name], factor * value.numpy())
    fails(path, 'not a state_dict by itself: .*Weights are here: --key state_dict or --key models.ema$')
    fails(path, "--key: has no 'model'. Weights are here: --key state_dict or", key='model')
    fails(path, '--key optimizer: the state of an optimizer, which has no weights', key='optimizer')
    fails(path, '--key args: holds what argparse.Namespace would make', key='args')
    fails(path, '--key epoch: holds int, not a state_dict', key='epoch')
    torch.save(net, path, **options)
    fails(path, 'holds what torch.nn.modules.container.Sequential would make, such as a whole network')
    torch.save(torch.ones(2), path, **options)
    fails(path, 'holds a tensor, not a state_dict')
    torch.save(dict(net.named_parameters()), path, **options)
    np.testing.assert_array_equal(read_torch(path)['0.bias'], net[0].bias.detach().numpy())


def test_what_pytorch_writes_in_the_former_format(tmp_path):
    torch = pytest.importorskip('torch')
    base = torch.randn(6, 5)
    tensors = {'base': base, 'turned': base.t(), 'part': base[1:4:2, ::2], 'number': torch.tensor(3.5),
               'empty': torch.empty(0, 3), 'half': torch.randn(3).half(), 'long': torch.arange(4),
               'bool': torch.tensor([True, False]), 'double': torch.randn(2, 2).double()}
    path = tmp_path / 'old.pth'
    for protocol in (2, 3, 4, 5):
        torch.save(tensors, path, pickle_protocol=protocol, **LEGACY)
        found = read_weights(path)
        assert list(found) == list(tensors)
        for name, value in tensors.items():
            np.testing.assert_array_equal(found[name], value.numpy())
    torch.save({'x': torch.tensor([1, -2.5]).bfloat16()}, path, **LEGACY)
    assert read_weights(path)['x'].tolist() == [1, -2.5]


@pytest.mark.parametrize('options', [{}, LEGACY], ids=['zip', 'legacy'])
def test_float8_of_pytorch(tmp_path, options):
    torch = pytest.importorskip('torch')
    torch.save({'x': torch.ones(2), 'y': torch.ones(3).to(torch.float8_e4m3fn)}, tmp_path / 'x.pth', **options)
    fails(tmp_path / 'x.pth', "'y' is of torch.float8_e4m3fn, which NumPy and MXNet do not have: save net.float")


def test_torchscript(tmp_path):
    torch = pytest.importorskip('torch')
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / 'net.pt')
    fails(tmp_path / 'net.pt', r"a TorchScript archive .*: torch.save\(torch.jit.load\(path, 'cpu'\).state_dict\(\)")


# -- the format before PyTorch 1.6 -----------------------------------------------------------------------------------

def test_parts_of_a_storage_in_the_former_format(write_legacy):
    """Also by views, whose offset counts before that of the tensor; several tensors share a storage."""
    other = np.arange(4, dtype='<f4') - 9
    tensors = read_torch(write_legacy(state({
        'whole': tensor(storage_=old_storage()), 'turned': tensor((3, 2), (1, 3), 0, old_storage()),
        'in a view': tensor((2,), (2,), 1, view(2, 4)), 'number': tensor((), (), 0, view(5, 1)),
        'empty': tensor((0, 4), (4, 1), 0, view(6, 0)), 'other': tensor((4,), (1,), 0, old_storage('1', length=4))}),
        {'0': NUMBERS.tobytes(), '1': other.tobytes()}))
    whole = NUMBERS.reshape(2, 3)
    for name, expected in {'whole': whole, 'turned': whole.T, 'in a view': [3, 5], 'number': 5,
                           'empty': np.empty((0, 4)), 'other': other}.items():
        np.testing.assert_array_equal(tensors[name], expected)
    with pytest.raises(ValueError, match='read-only'):
        tensors['whole'][0] = 1


def test_what_python_2_has_written(write_legacy):
    """Strings of bytes, pairs of an OrderedDict, tensors of PyTorch before 0.4."""
    def string(value):
        return b'U' + bytes([len(value)]) + value.encode()

    tensor_ = call(function('torch._utils', '_rebuild_tensor'), old_storage(), integer(0),
                   call(function('torch', 'Size'), tuple_(integer(2), integer(3))), tuple_(integer(3), integer(1)))
    pair = b'](' + string('x') + tensor_ + b'e'
    pickled = b'\x80\x02' + function('collections', 'OrderedDict') + b'](' + pair + b'e\x85R.'
    found = read_torch(write_legacy(pickled, keys=b'\x80\x02]' + string('0') + b'a.'))
    np.testing.assert_array_equal(found['x'], NUMBERS.reshape(2, 3))


def test_dtypes_of_the_former_format(write_legacy):
    for kind, dtype in (('DoubleStorage', '<f8'), ('HalfStorage', '<f2'), ('LongStorage', '<i8'),
                        ('ByteStorage', 'u1')):
        content = np.arange(6).astype(dtype)
        found = read_torch(write_legacy(state({'x': tensor(storage_=old_storage(kind=kind))}),
                                        {'0': (6, content.tobytes())}))['x']
        np.testing.assert_array_equal(found, content.reshape(2, 3))


def test_storages_of_what_is_not_read(write_legacy):
    """A network in a checkpoint has storages too, and its class comes with its source."""
    module = tuple_(text('module'), function('nets', 'Net'), text('nets.py'), text('class Net: ...')) + b'Q'
    net = module + b')\x81}' + text('weight') + tensor((4,), (1,), 0, old_storage('1', length=4)) + b'sb'
    weights = entries({'x': tensor(storage_=old_storage())})
    path = write_legacy(b'\x80\x02' + entries({'net': net, 'state': weights}) + b'.',
                        {'0': NUMBERS.tobytes(), '1': bytes(16)})
    np.testing.assert_array_equal(read_torch(path, 'state')['x'], NUMBERS.reshape(2, 3))
    fails(path, '--key net: holds what nets.Net would make', key='net')


def test_damage_of_the_former_format(write_legacy):
    good = state({'x': tensor(storage_=old_storage())})
    fails(write_legacy(good, version=1002), 'has version 1002 of the format before PyTorch 1.6, and not 1001')
    fails(write_legacy(good, version=text('x' * 50)), 'has version str of the format')
    fails(write_legacy(good, {'0': NUMBERS.tobytes()[:-4]}), "storage '0' has 5 numbers, and not 6")
    fails(write_legacy(good, {'0': (6, NUMBERS.tobytes()[:-1])}), "ends within the storage '0': it has been cut short")
    fails(write_legacy(good, {'0': (1 << 60, NUMBERS.tobytes())}), 'cut short')
    fails(write_legacy(good, {'0': (-1, NUMBERS.tobytes())}), 'cut short')
    fails(write_legacy(good, {'0': (5, NUMBERS.tobytes())}), 'has 4 bytes after its last storage')
    fails(write_legacy(good, {}), "has no storage '0'")
    fails(write_legacy(good, keys=['1']), 'has a storage that nothing refers to: 1')
    fails(write_legacy(good, keys=['1\n\x1b[2J\u2028']), r'refers to: 1\\n\\x1b\[2J\\u2028$')
    fails(write_legacy(good, {'0': NUMBERS.tobytes(), '1': NUMBERS.tobytes()}, keys=['0', '0']), "a storage twice: '0'")
    fails(write_legacy(good, keys=b'\x80\x02K\x01.'), 'has no list of storages')
    for offset, length in ((-1, 2), (0, 7), (6, 1), (3, -1)):
        fails(write_legacy(state({'x': tensor((0,), (1,), 0, view(offset, length))})), 'a view that is not within')
    fails(write_legacy(state({'x': tensor((2,), (1,), 1, view(2, 2))})), 'not within its storage of 2')
    two = {'x': tensor(storage_=old_storage()), 'y': tensor(storage_=old_storage(kind='IntStorage'))}
    fails(write_legacy(state(two)), "has a storage of two kinds: '0'")
    fails(write_legacy(state({'x': tensor(storage_=old_storage(kind='ComplexFloatStorage'))}), {'0': (6, bytes(48))}),
          'an unknown kind of storage: torch.ComplexFloatStorage')
    fails(write_legacy(state({'x': tensor(storage_=old_storage(kind='OddStorage'))})), 'kind of storage: torch.OddStor')


def test_truncated_and_damaged_files_of_the_former_format(write_legacy):
    path = write_legacy(state({'x': tensor(storage_=old_storage()), 'y': tensor((2,), (1,), 0, view(1, 3))}))
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        fails(path, 'old.pth')
    for _ in range(600):
        changed = bytearray(content)
        changed[random.integers(len(content))] = random.integers(256)
        path.write_bytes(changed)
        try:
            assert all(isinstance(value, np.ndarray) for value in read_torch(path).values())
        except WeightsError as error:
            assert str(error).startswith(f'{path}: ')


# -- checkpoints, and what is no weights -----------------------------------------------------------------------------

WEIGHTS = entries({'x': tensor()})


@pytest.mark.parametrize('content, options, found', [
    ({'state_dict': WEIGHTS, 'epoch': b'K\x03'}, {'key': 'state_dict'}, True),
    ({'a': entries({'b': entries({'c.d': WEIGHTS})})}, {'key': 'a.b.c.d'}, True),
    ({'a.b': entries({'c': WEIGHTS})}, {'key': 'a.b.c'}, True),
    ({'state_dict': entries({}), 'state_dict_ema': WEIGHTS}, {'ema': True}, True),
    ({'params': entries({}), 'params_ema': WEIGHTS}, {'ema': True}, True),
    ({'state_dict': WEIGHTS, 'epoch': b'K\x03'}, {}, r"not a state_dict by itself: 'state_dict' \(dict\), 'epoch' "
     r'\(int\) not being tensors. Weights are here: --key state_dict$'),
    ({'nets': entries({'G': WEIGHTS, 'D': WEIGHTS})}, {}, 'Weights are here: --key nets.G or --key nets.D$'),
    ({'nets': entries({'G': WEIGHTS, 'D': WEIGHTS})}, {'key': 'nets'}, 'Weights are here: --key nets.G or --key nets'),
    ({'state_dict': WEIGHTS}, {'key': 'model'}, "--key: has no 'model'. Weights are here: --key state_dict$"),
    ({'state_dict': WEIGHTS}, {'key': 'state_dict.x.y'}, "--key: has no 'y'; it is a tensor$"),
    ({'state_dict': WEIGHTS}, {'ema': True}, '--ema: has no state_dict_ema or .* or ema. Weights are here: --key stat'),
    ({'state': entries({}), 'param_groups': b']'}, {}, 'the state of an optimizer, which has no weights: save net'),
    ({'model': function('nets', 'Net') + b')\x81}b'}, {'key': 'model'}, '--key model: holds what nets.Net would make'),
    ({'\x1b[2J': WEIGHTS, 'x': b'N'}, {}, r"'\\x1b\[2J' \(dict\), 'x' \(NoneType\) not being tensors$"),
])
def test_where_weights_are(write, content, options, found):
    path = write(b'\x80\x02' + entries(content) + b'.')
    if found is True:
        np.testing.assert_array_equal(read_torch(path, **options)['x'], NUMBERS.reshape(2, 3))
    else:
        fails(path, found, **options)


def test_keys_that_are_no_strings(write):
    """Of optimizers. One that is a tuple of tuples is not asked for its hash, which could take for ever."""
    path = write(b'\x80\x02}(K\x00}' + laughs() + b'}' + text('x') + WEIGHTS + b'u.')
    np.testing.assert_array_equal(read_torch(path, 'x')['x'], NUMBERS.reshape(2, 3))


@pytest.mark.parametrize('content, message', [
    (b'version https://git-lfs.github.com/spec/v1\n', 'a pointer of Git LFS, and not the file itself'),
    (b'<!DOCTYPE html><html>', 'a web page or XML, perhaps of a download that has failed'),
    (b'\x89HDF\r\n\x1a\n', 'an HDF5 file'), (struct.pack('<QQ', 0x112, 0), 'a parameter file of MXNet'),
    (b'\x1f\x8b\x08', 'compressed by gzip'), (b'\x80\x04}.', 'a pickle that torch.save has not written'),
    (struct.pack('<Q', 128) + b'{"x":{}}' + bytes(120), 'a safetensors file, whose name must end with .safetensors'),
    (bytes(257) + b'ustar' + bytes(250), 'a tar archive, as PyTorch before 0.1.10 wrote'),
])
def test_other_files(tmp_path, content, message):
    (tmp_path / 'x.pth').write_bytes(content)
    fails(tmp_path / 'x.pth', message)


def test_other_zip_archives(write, tmp_path):
    np.savez(tmp_path / 'x.npz', x=NUMBERS)
    fails(tmp_path / 'x.npz', r'it has no data.pkl \(arrays of NumPy\)')
    fails(write(state({'x': tensor()}), None, {'archive/constants.pkl': b''}), 'a TorchScript archive')


def test_float8_and_others(write):
    fp8 = call(function('torch._utils', '_rebuild_tensor_v3'), storage(kind='UntypedStorage', module='torch.storage'),
               integer(0), tuple_(integer(6)), tuple_(integer(1)), b'\x89', ORDERED_DICT,
               function('torch', 'float8_e5m2'))
    fails(write(state({'good': tensor(), 'y': fp8})), "'y' is of torch.float8_e5m2, which NumPy and MXNet do not have")


# -- nothing is run --------------------------------------------------------------------------------------------------

def reduce_to(module, name, *arguments):
    return b'\x80\x02' + call(function(module, name), *arguments) + b'.'


@pytest.mark.parametrize('module, name', [
    ('os', 'system'), ('posix', 'system'), ('builtins', 'eval'), ('__builtin__', 'eval'), ('torch', 'load'),
    ('torch._utils', '_rebuild_sparse_tensor'), ('torch._utils', 'os.system'), ('collections', 'namedtuple'),
    ('gluonzoo.convert.torch_file', '_tensor'), ('torch', 'FloatStorage')])
def test_no_function_is_called(write, tmp_path, module, name):
    victim = tmp_path / 'victim'
    command = text(f'touch {victim}' if 'system' in name else f'open({str(victim)!r}, "w")')
    for pickled in (reduce_to(module, name, command), state({'x': call(function(module, name), command)})):
        fails(write(pickled), rf"holds what {module}.{name} would make|'x' \({module}.{name}\) not being tensors")
    stack_global = b'\x80\x04' + text(module) + text(name) + b'\x93' + tuple_(command) + b'R.'
    fails(write(stack_global), f'holds what {module}.{name} would make')
    # Beside weights that are asked for, it does nothing.
    beside = b'\x80\x02}(' + text('bad') + call(function(module, name), command) + text('w') + WEIGHTS + b'u.'
    assert list(read_torch(write(beside), 'w')) == ['x']
    assert not victim.exists()


def test_nothing_is_imported(write, tmp_path, monkeypatch):
    (tmp_path / 'evil_module.py').write_text('raise SystemExit')
    monkeypatch.syspath_prepend(tmp_path)
    fails(write(state({'x': function('evil_module', 'thing')})), r"'x' \(Function\)")
    fails(write(reduce_to('evil_module', 'thing')), 'holds what evil_module.thing would make')
    fails(write(b'\x80\x02' + function('evil_module', 'thing') + b')\x81.'), 'holds what evil_module.thing would make')
    assert 'evil_module' not in sys.modules


@pytest.mark.parametrize('opcodes, name', [
    (b'(' + text('id') + b'ios\nsystem\n', 'INST'), (b'(' + function('os', 'system') + text('id') + b'o', 'OBJ'),
    (b'Pid\n', 'PERSID'), (b'\x82\x01', 'EXT1'), (b"S'id'\n", 'STRING'), (b'}2', 'DUP')])
def test_other_opcodes_are_refused(write, opcodes, name):
    fails(write(b'\x80\x02' + opcodes + b'.'), f'its pickle does what no file of weights needs: {name} at byte')


def test_state_of_objects_is_not_set(write):
    fails(write(b'\x80\x02' + function('os', 'system') + b'}b.'), 'has Function in the place of dict')
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
    (tensor(storage_=storage(length=-6)), 'not within its storage of -6'),
    (tensor(storage_=storage(length=text('6'))), 'has str in the place of int'),
    (tensor(storage_=storage(kind='DoubleStorage')), "storage '0' has 3 numbers, and not 6"),
    (tensor(storage_=storage(kind='ComplexFloatStorage')), 'an unknown kind of storage: torch.ComplexFloatStorage'),
    (tensor(storage_=storage(module='evil')), 'an unknown kind of storage: evil.FloatStorage'),
    (tensor(storage_=storage(what='thing')), 'refers to something that is not a storage'),
    (tensor(storage_=storage(what='module')), 'a tensor without a storage'),
    (tensor(name='_rebuild_parameter'), 'damaged: .*takes 3 positional arguments'),
    (tensor(name='_rebuild_qtensor'), r"'x' \(torch._utils._rebuild_qtensor\) not being tensors"),
    (call(function('torch._utils', '_rebuild_tensor_v2'), storage()), 'damaged: .*missing 5 required'),
    (call(function('collections', 'OrderedDict'), b'](K\x01e'), 'has int in the place of list or tuple'),
    (call(function('collections', 'OrderedDict'), b'](]e'), 'has a dict of what are no pairs'),
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
    (b'\x80\x02}K\x01' + tensor() + b's.', r'not a state_dict by itself: 1 \(a tensor\)'),
    (state({'x' * 1001: tensor()}), 'an entry whose name is longer than 1000 characters'),
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
    fails(tmp_path, 'is a folder; must be an ordinary file')
    fails(tmp_path / 'none.pth', 'cannot be read: No such file')
    (tmp_path / 'empty.pth').touch()
    fails(tmp_path / 'empty.pth', 'not a PyTorch file, or damaged: File is not a zip file')


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
