"""Symbol files that MXNet would die of, and those that it would not."""
import json

import mxnet as mx
import pytest

from gluonzoo.graph.checked import SymbolError, read_symbol, require_sound_shapes


def graph():
    """A network with an operator of several outputs, as a dict."""
    data = mx.sym.var('data')
    first, second = mx.sym.split(data, num_outputs=2, axis=1, name='parts')
    out = mx.sym.FullyConnected(mx.sym.Flatten(first + second), num_hidden=3, name='dense')
    return json.loads(mx.sym.Group([out, mx.sym.relu(second, name='relu')]).tojson())


def written(tmp_path, value):
    path = tmp_path / 'net-symbol.json'
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def node(value, name):
    return next(node for node in value['nodes'] if node['name'] == name)


def test_the_same_graph(tmp_path):
    symbol = read_symbol(written(tmp_path, graph()))
    assert symbol.list_outputs() == ['dense_output', 'relu_output']
    assert symbol.list_arguments() == ['data', 'dense_weight', 'dense_bias']
    assert symbol.infer_shape(data=(2, 4, 3))[1] == [(2, 3), (2, 2, 3)]


def test_a_file_of_an_old_version(tmp_path):
    """MXNet 0.8 had attributes of operators in param, those of nodes in attr, and edges of two numbers."""
    value = graph()
    del value['attrs']
    for one in value['nodes']:
        if one['op'] != 'null' and 'attrs' in one:
            one['param'] = one.pop('attrs')
        one['inputs'] = [edge[:2] for edge in one['inputs']]
    assert read_symbol(written(tmp_path, value)).infer_shape(data=(2, 4, 3))[1] == [(2, 3), (2, 2, 3)]


def test_operators_of_one_name(tmp_path):
    """A network that calls a block twice has some."""
    value = graph()
    node(value, 'relu')['name'] = 'dense'
    names = read_symbol(written(tmp_path, value)).list_outputs()
    assert len(set(names)) == 2 and 'dense_output' in names


def within(depth, edge=(0, 0, 0), count=1):
    """A graph of one relu that reads `edge` so many times, within so many others."""
    inner = {'nodes': [{'op': 'null', 'name': 'x', 'inputs': []},
                       {'op': 'relu', 'name': 'y', 'inputs': [list(edge)] * count}], 'heads': [[1, 0, 0]]}
    for _ in range(depth):
        inner = {'nodes': [inner['nodes'][0], {**inner['nodes'][1], 'inputs': [[0, 0, 0]], 'subgraphs': [inner]}],
                 'heads': [[1, 0, 0]]}
    return [inner]


def change(layer, /, **values):
    def apply(value):
        node(value, layer).update(values)
    return apply


@pytest.mark.parametrize('damage, words', [
    (lambda g: node(g, 'relu')['inputs'][0].__setitem__(1, 7), r"layer 'relu': reads output 7 of 'parts', which has 2"),
    (lambda g: node(g, 'relu')['inputs'][0].__setitem__(1, -1), "layer 'relu': reads output -1"),
    (lambda g: g['heads'][0].__setitem__(1, 3), "heads: reads output 3 of 'dense', which has 1"),
    (lambda g: g['heads'][0].__setitem__(0, 99), 'heads: reads node 99'),
    (lambda g: node(g, 'relu')['inputs'][0].__setitem__(0, 99), "layer 'relu': reads node 99"),
    (lambda g: node(g, 'parts')['inputs'][0].__setitem__(0, -1), "layer 'parts': reads node -1"),
    (lambda g: node(g, 'parts')['inputs'][0].__setitem__(0, 1), "layer 'parts': reads node 1; it must be one of the 1"),
    (change('relu', op='myop'), "layer 'relu': MXNet .* has no operator 'myop'; those of a library must be loaded"),
    (change('relu', op='Custom', attrs={'op_type': 'x'}), "layer 'relu': the operator Custom is not loaded"),
    (change('relu', op='_Native', attrs={'info': '0x1234'}), 'the operator _Native is not loaded'),
    (change('relu', op='_cvimread', attrs={'filename': '/etc/passwd'}), 'the operator _cvimread is not loaded'),
    (change('relu', op=3), "layer 'relu': MXNet .* has no operator 3"),
    (change('relu', inputs='x'), "layer 'relu': inputs must be a list"),
    (change('relu', inputs=[[0, 0, 0], [0, 0, 0]]), "layer 'relu': relu takes 1 inputs .*; it has 2"),
    (change('dense', inputs=[]), "layer 'dense': FullyConnected takes 3 inputs with these attributes; it has 0"),
    (change('relu', attrs=[1]), "layer 'relu': attrs must be an object of texts"),
    (change('relu', name='a\nb'), 'its name must be printable'),
    (change('relu', control_deps=[1]), 'control_deps'),
    (change('dense', attrs={'num_hidden': '4000000000000'}), 'cannot use it'),
    (change('parts', attrs={'num_outputs': '1000000000'}), "layer 'parts': num_outputs is 1000000000; .* 100000"),
    (change('relu', op='Concat', attrs={'num_args': '100000000'}), "layer 'relu': num_args is 100000000; .* 100000"),
    (change('parts', attrs={'num_outputs': 'nan'}), 'cannot use it'),
    (change('dense_bias', name='dense_weight'), "two inputs or parameters of the name 'dense_weight'"),
    (change('relu', subgraphs=[{'nodes': [], 'heads': []}]), "layer 'relu': has 0 nodes"),
    (change('relu', subgraphs=within(0, edge=(0, 7, 0))), "layer 'y': reads output 7 of 'x', which has 1"),
    (change('relu', subgraphs=within(0, count=2)), "layer 'y': relu takes 1 inputs .*; it has 2"),
    (change('relu', subgraphs=within(3)), 'subgraphs must be a list, 3 deep at most'),
    (lambda g: g.update(heads=[]), 'no outputs'),
    (lambda g: g.update(nodes=[]), 'has 0 nodes; there must be 1 to'),
    (lambda g: g.pop('heads'), 'lists of nodes and heads'),
    (lambda g: g['nodes'].__setitem__(0, None), 'node 0 must be an object'),
])
def test_damaged_graphs(damage, words, tmp_path):
    value = graph()
    damage(value)
    path = written(tmp_path, value)
    with pytest.raises(SymbolError, match=f'net-symbol.json: .*({words})') as raised:
        require_sound_shapes(read_symbol(path), {'data': (2, 4, 3)}, path)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('text, words', [
    ('', 'not JSON'), ('{"nodes": [', 'not JSON, or cut short'), ('[]', 'not a symbol file'),
    ('{}', 'not a symbol file'),
    ('[' * 100000, 'nested too deeply'), ('\x00\x01', 'not JSON')])
def test_files_that_are_something_else(text, words, tmp_path):
    with pytest.raises(ValueError, match=f'net-symbol.json: .*{words}'):
        read_symbol(written(tmp_path, text))


def sound(tmp_path, symbol, **shapes):
    path = tmp_path / 'net-symbol.json'
    symbol.save(str(path))
    return require_sound_shapes(read_symbol(path), shapes, path)


@pytest.mark.parametrize('codes', [(2, -1), (2, -2), (200, 5), (4, 4)])
def test_a_reshape_to_another_size(codes, tmp_path):
    """MXNet writes beyond the array."""
    with pytest.raises(SymbolError, match="layer 'flat' makes the shape .* another number of elements"):
        sound(tmp_path, mx.sym.reshape(mx.sym.var('x'), codes, name='flat'), x=(3, 5))


def test_operators_of_many_kinds(tmp_path):
    """Whose inputs depend on their attributes, or are many."""
    x, y = mx.sym.var('x'), mx.sym.var('y')
    symbol = mx.sym.Group([
        mx.sym.concat(x, y, x, dim=1), mx.sym.add_n(x, y, x, y), mx.sym.LeakyReLU(x, act_type='prelu'),
        mx.sym.FullyConnected(x, num_hidden=3, no_bias=True), mx.sym.BatchNorm(x), mx.sym.stack(x, y),
        mx.sym.RNN(mx.sym.expand_dims(x, 0), mx.sym.var('p'), mx.sym.var('s'), mx.sym.var('c'), state_size=3,
                   num_layers=1, mode='lstm'), mx.sym.split(x, num_outputs=3)[1], mx.sym.contrib.box_nms(y),
        mx.sym.SequenceMask(x, mx.sym.var('l'), use_sequence_length=True), mx.sym.SequenceMask(x), mx.sym.Dropout(x),
        mx.sym.LeakyReLU(x), mx.sym.zeros((2, 3)), mx.sym.sum(x),
        mx.sym.Deconvolution(mx.sym.reshape(x, (1, 1, -1, 1)), kernel=(2, 2), num_filter=1)])
    symbol.save(str(tmp_path / 'net.json'))
    assert read_symbol(tmp_path / 'net.json').tojson() == symbol.tojson()


def test_too_large_an_array(tmp_path):
    x = mx.sym.broadcast_add(mx.sym.var('x'), mx.sym.zeros((1, 1 << 20)), name='big')
    with pytest.raises(SymbolError, match=r"layer 'big' makes an array of the shape \(1048576, 1048576\)"):
        sound(tmp_path, x, x=(1 << 20, 1))


def test_shapes_of_what_is_there(tmp_path, capsys):
    symbol = mx.sym.BatchNorm(mx.sym.Convolution(mx.sym.var('x'), kernel=(3, 3), num_filter=4, name='c'), name='b')
    arguments, auxiliary = sound(tmp_path, symbol, x=(1, 3, 8, 8))
    assert arguments['c_weight'] == (4, 3, 3, 3) and auxiliary == {'b_moving_mean': (4,), 'b_moving_var': (4,)}
    with pytest.raises(SymbolError, match=r'does not take x \[1, 3, 2, 2\]'):
        sound(tmp_path, symbol, x=(1, 3, 2, 2))
    with pytest.raises(SymbolError, match='leave others unknown'):
        sound(tmp_path, symbol)
    assert capsys.readouterr().out == ''
