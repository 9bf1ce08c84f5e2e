"""Files of our own names: all of one, or what fits of it, or nothing."""
import json
import os

import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from mxnet.gluon import nn

from gluonzoo.convert import WeightsError, load_own_weights, read_weights
from gluonzoo.nn.conv import sequential
from gluonzoo.train.storage import write_arrays

BFLOAT16 = np.dtype([('bfloat16', np.uint16)])


@pytest.fixture
def net():
    net = sequential(sequential(nn.Conv2D(2, 1, in_channels=3), nn.BatchNorm(in_channels=2)), nn.Dense(4, in_units=2))
    net.initialize()
    return net


def values(net):
    return {name: p.data().asnumpy().copy() for name, p in net._collect_params_with_prefix().items()}


@pytest.fixture
def arrays(net):
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=array.shape).astype('f4') for name, array in values(net).items()}


@pytest.fixture
def write(tmp_path):
    """Writes a file: write(arrays, metadata) -> its path."""
    def write(arrays, metadata=None):
        safetensors.numpy.save_file(arrays, tmp_path / 'net.safetensors', metadata)
        return tmp_path / 'net.safetensors'
    return write


def same(found, wanted):
    return found.keys() == wanted.keys() and all(np.array_equal(array, wanted[name]) for name, array in found.items())


@pytest.mark.parametrize('partial', [False, True])
def test_whole_file(net, arrays, write, partial):
    assert load_own_weights(net, write(arrays), partial) == []
    assert same(values(net), arrays)


def test_file_of_a_checkpoint(net, arrays, tmp_path):
    write_arrays(tmp_path / 'net.safetensors', arrays)
    assert load_own_weights(net, str(tmp_path / 'net.safetensors')) == []
    assert same(values(net), arrays)


def test_floats_become_those_of_the_network(net, arrays, write):
    kept = {name: array.astype('f2' if 'running' in name else 'f8') for name, array in arrays.items()}
    load_own_weights(net, write(kept))
    assert same(values(net), {name: array.astype('f4') for name, array in kept.items()})
    net.cast('float64')
    load_own_weights(net, write(kept))
    assert same(values(net), kept) and values(net)['1.bias'].dtype == np.float64


def test_bfloat16(net, arrays, tmp_path):
    """As MXNet has it: the upper halves of 1, -2.5, 0 and 3."""
    stored = np.array([0x3f80, 0xc020, 0, 0x4040], np.uint16).view(BFLOAT16)
    write_arrays(tmp_path / 'net.safetensors', {**arrays, '1.bias': stored})
    load_own_weights(net, tmp_path / 'net.safetensors')
    assert same(values(net), {**arrays, '1.bias': np.array([1, -2.5, 0, 3], 'f4')})


def test_on_several_devices(net, arrays, write):
    net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    load_own_weights(net, write(arrays))
    for copy in net[1].weight.list_data():
        np.testing.assert_array_equal(copy.asnumpy(), arrays['1.weight'])


def without(arrays, *names):
    return {name: array for name, array in arrays.items() if name not in names}


NOTHING = 'nothing in the file fits; of official weights, gluonzoo convert makes files of ours'
HINT = 'gluonzoo train --partial starts anew what is not in the file, or has another shape there'
FAULTS = {
    'unknown': (lambda a: {**a, '2.weight': a['1.weight'], '1.gamma': a['1.bias']}, False,
                ["unknown here: '1.gamma'", "unknown here: '2.weight'"]),
    'unknown to a part': (lambda a: {**without(a, '1.bias'), '2.weight': a['1.weight']}, True,
                          ["unknown here: '2.weight'"]),
    'missing': (lambda a: without(a, '0.1.gamma', '1.bias'), False,
                ["not in the file: '0.1.gamma'", "not in the file: '1.bias'", HINT]),
    'shape': (lambda a: {**a, '1.weight': np.ones((7, 2), 'f4'), '0.1.beta': np.ones((), 'f4')}, False,
              ["'0.1.beta': shape () in the file, (2,) here", "'1.weight': shape (7, 2) in the file, (4, 2) here",
               HINT]),
    'dtype': (lambda a: {**a, '1.bias': np.arange(4), '0.0.bias': np.ones(2, np.uint16)}, True,
              ["'0.0.bias': dtype uint16 in the file, float32 here",
               "'1.bias': dtype int64 in the file, float32 here"]),
    'not finite': (lambda a: {**a, '1.bias': np.array([1, 2, np.inf, 3], 'f4'), '0.0.bias': np.array([1, 1e300])}, True,
                   ["'0.0.bias': has values that are not finite (--allow-not-finite takes them)",
                    "'1.bias': has values that are not finite (--allow-not-finite takes them)"]),
    'nothing': (lambda a: {'0.0.weight': np.ones(3, 'f4')}, True, [NOTHING]),
    'empty': (lambda a: {}, True, [NOTHING]),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_all_faults_are_listed_and_nothing_is_changed(net, arrays, write, fault):
    spoil, partial, lines = FAULTS[fault]
    before, path = values(net), write(spoil(arrays))
    with pytest.raises(WeightsError) as caught:
        load_own_weights(net, path, partial)
    assert str(caught.value) == '\n  '.join([f'{path} does not fit HybridSequential:', *lines])
    assert same(values(net), before)


def test_nothing_fits_has_no_hint(net, write):
    with pytest.raises(WeightsError) as caught:
        load_own_weights(net, write({'x': np.ones(3, 'f4')}))
    assert HINT not in str(caught.value) and "not in the file: '1.bias'" in str(caught.value)
    assert str(caught.value).endswith(f'\n  {NOTHING}')


def test_part(net, arrays, write):
    """Another head, and no statistics: those keep their values, and are named in the network's order."""
    before = values(net)
    other = {**without(arrays, '0.1.running_var'), '1.weight': np.ones((9, 2), 'f4'), '1.bias': np.ones(9, 'i4')}
    anew = load_own_weights(net, write(other), partial=True)
    assert sorted(anew) == ['0.1.running_var', '1.bias', '1.weight']
    assert anew == [name for name in before if name in anew]
    assert same(values(net), {**arrays, **{name: before[name] for name in anew}})


def test_network_must_be_initialized_with_shapes(arrays, write):
    path = write(arrays)
    deferred = nn.Dense(2)
    deferred.initialize()
    for net in (nn.Dense(2, in_units=3), deferred):
        with pytest.raises(ValueError, match='net: must be initialized, with the shapes of all parameters known'):
            load_own_weights(net, path, partial=True)


def test_files_that_are_none_of_ours(net, arrays, write, tmp_path):
    path = write(arrays)
    content = path.read_bytes()
    before = values(net)
    (tmp_path / 'cut.safetensors').write_bytes(content[:-3])
    (tmp_path / 'empty.safetensors').touch()
    (tmp_path / 'net.params').write_bytes(bytes(100))
    with pytest.raises(WeightsError, match=f'^{tmp_path}/none.safetensors: No such file$'):
        load_own_weights(net, tmp_path / 'none.safetensors')
    for name in ('cut.safetensors', 'empty.safetensors', 'net.params'):
        with pytest.raises(WeightsError, match='not a weight file of ours') as caught:
            load_own_weights(net, tmp_path / name)
        assert str(caught.value).startswith(f'{tmp_path / name}: ') and '\n' not in str(caught.value)
    assert same(values(net), before)


@pytest.mark.parametrize('content, said', [
    (b'PK\x03\x04' + bytes(50), 'a PyTorch file or another zip'), (b'\x80\x02\x8a', 'a pickle, such as PyT'),
    (bytes([18, 1, *bytes(100)]), r'a parameter file of MXNet \(net.save_parameters\)'), (b'<html>', 'a web page')])
def test_files_of_other_kinds(net, tmp_path, content, said):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(WeightsError, match=f'x.pth: not a weight file of ours: it is {said}.*. Of official weights'):
        load_own_weights(net, tmp_path / 'x.pth')


@pytest.mark.parametrize('names', [['1.bias'], ['absent'], 5, 'bias', [['1.bias']], {'a': 1}])
def test_metadata_that_make_no_sense(net, arrays, write, names):
    with pytest.raises(WeightsError, match='net.safetensors: not a weight file of ours'):
        load_own_weights(net, write(arrays, {'bfloat16': json.dumps(names)}))
    with pytest.raises(WeightsError, match='net.safetensors: not a weight file of ours'):
        load_own_weights(net, write(arrays, {'bfloat16': '['}))


@pytest.mark.parametrize('name', ['pipe.pth', 'pipe.safetensors'])
def test_what_is_no_file_is_not_waited_for(net, tmp_path, name):
    """Not a pipe without a writer, nor a device without an end."""
    os.mkfifo(tmp_path / name)
    device = tmp_path / f'device_{name}'
    device.symlink_to('/dev/zero')
    for path, what in ((tmp_path / name, 'pipe'), (device, 'device'), (tmp_path, 'folder')):
        for read in (read_weights, lambda path: load_own_weights(net, path)):
            with pytest.raises(WeightsError) as raised:
                read(path)
            assert str(raised.value) == f'{path}: is a {what}; must be an ordinary file'
