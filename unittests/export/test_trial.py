"""One computation in a process of its own. (What becomes of it: test_loaded.py.)"""
import json

import mxnet as mx
import pytest

from gluonzoo.export import trial


@pytest.mark.parametrize('shape, ends', [([2, 3], 'computed'), ([2, 4], 'another shape'), ([2], 'no file')])
def test_errors_that_the_caller_meets_end_in_silence(shape, ends, tmp_path, monkeypatch, capfd):
    mx.sym.FullyConnected(mx.sym.var('x'), num_hidden=2, name='fc').save(str(tmp_path / 'net.json'))
    mx.nd.save(str(tmp_path / 'net.params'), {'arg:fc_weight': mx.nd.ones((2, 3)), 'arg:fc_bias': mx.nd.ones(2)})
    seen = []
    monkeypatch.setattr('gluonzoo.export.tracing.run', lambda block, arrays: seen.append(
        [array.shape for array in arrays.values()]))
    files = [str(tmp_path / 'net.json'), str(tmp_path / ('none' if ends == 'no file' else 'net.params'))]
    monkeypatch.setattr('sys.argv', ['trial', json.dumps([*files, {'x': shape}])])
    trial.main()
    assert seen == ([[(2, 3)]] if ends == 'computed' else []) and capfd.readouterr().out == ''
