"""The argument --precision, and what computes within. (Whole commands: test_smaller.py.)"""
import argparse
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest
from colour_run import draw_pictures, make_run

from gluonzoo.commands.precision import add_precision_argument, computing_in
from gluonzoo.commands.resolve import open_run


@pytest.fixture(scope='module')
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp('colours')
    (folder / 'pictures').mkdir()
    return open_run(make_run(folder / 'run', draw_pictures(folder / 'pictures')), 'last').task


def test_argument():
    parser = argparse.ArgumentParser()
    add_precision_argument(parser)
    assert parser.parse_args([]).precision == 'float32'
    with pytest.raises(SystemExit):
        parser.parse_args(['--precision', 'float16'])


def test_the_network_is_itself_before_and_after(task):
    net, x = task.networks['net'], mx.nd.random.normal(shape=(2, 3, 16, 16))
    exact = net(x).asnumpy()
    with computing_in('float32', task):
        np.testing.assert_array_equal(net(x).asnumpy(), exact)
    with pytest.raises(KeyError), computing_in('bfloat16', task):
        low = net(x).asnumpy()
        assert 0 < np.abs(low - exact).max() < .05 * np.abs(exact).max()
        raise KeyError
    np.testing.assert_array_equal(net(x).asnumpy(), exact)


@pytest.mark.parametrize('ctx, shapes, said', [
    ([mx.gpu(0)], [(1, 3)], 'bfloat16 is for one CPU, not for gpu'),
    ([mx.cpu(0), mx.cpu(1)], [(1, 3)], 'bfloat16 is for one CPU, not for cpu'),
    ([mx.cpu()], [(1, 3), (1, 4)], 'bfloat16 is for networks of one input; net has 2')])
def test_what_cannot(ctx, shapes, said):
    fake = SimpleNamespace(ctx=ctx, used=['other', 'net'], networks={'net': None}, input_shapes=lambda name: shapes)
    with pytest.raises(ValueError, match=f'--precision: {said}'), computing_in('bfloat16', fake):
        pass
