"""What is in a network is said of the network as it is exported, and the same of its files."""
from math import prod

import mxnet as mx
import pytest

import gluonzoo
from gluonzoo.export import contents, to_symbol
from gluonzoo.graph.checked import SymbolError

SHAPES = {'image': (2, 3, 64, 64)}


@pytest.fixture(scope='module')
def ghostnet():
    """Its convolutions have spare channels while it is trained."""
    net = gluonzoo.get_model('ghostnet_0_5', classes=5)
    net.initialize()
    net(mx.nd.zeros(SHAPES['image']))
    return net


def test_a_block_and_its_file(ghostnet, tmp_path):
    to_symbol(ghostnet, tmp_path / 'net', SHAPES)
    block, symbol = contents.of_block(ghostnet, SHAPES), contents.of_symbol(tmp_path / 'net-symbol.json', SHAPES)
    assert block['inputs'] == symbol['inputs'] == {'image': [2, 3, 64, 64]} and block['outputs'] == {'output': [2, 5]}
    for key in ('parameters', 'multiply_adds', 'types'):
        assert block[key] == symbol[key]
    assert block['layers'][0]['parameters'] == prod(block['layers'][0]['shape'][1:2]) * 3 * 9
    assert block['parameters'] == contents.of_parameters(ghostnet)['parameters'] == sum(
        array['numbers'] for array in contents.of_weights(tmp_path / 'net-0000.params')['arrays'])


def test_a_symbol_without_shapes(tmp_path):
    mx.sym.relu(mx.sym.var('x'), name='y').save(str(tmp_path / 'a.json'))
    found = contents.of_symbol(tmp_path / 'a.json', {})
    assert found['operators'] == {'relu': 1} and '--inputs x=1,3,224,224' in found['note']
    with pytest.raises(SymbolError, match="a.json: has no input 'z'"):
        contents.of_symbol(tmp_path / 'a.json', {'z': (1,)})
