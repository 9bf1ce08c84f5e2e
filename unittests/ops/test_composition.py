"""What test_pool.py, which runs on one route, does not ask: the composition beside the active route."""
import threading

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.ops.composition import COMPOSITIONS

POOLS = sorted(COMPOSITIONS)


@pytest.mark.parametrize('pool', POOLS)
def test_composed_symbol_in_another_thread(pool):
    found = []
    thread = threading.Thread(target=lambda: found.append(COMPOSITIONS[pool][1](mx.sym.var('x'))))
    thread.start()
    thread.join()
    assert found and found[0].infer_shape(x=(1, 2, 3, 4))[1] == [(1, 2, 3, 4)]


@pytest.mark.parametrize('length', [1, 3])
@pytest.mark.parametrize('pool', POOLS)
def test_composition_writes_to_out(pool, length):
    x = mx.nd.array(np.arange(length * length).reshape((1, 1, length, length)))
    out = mx.nd.zeros(x.shape)
    wanted = COMPOSITIONS[pool][0](x).asnumpy()
    assert COMPOSITIONS[pool][0](x, out=out) is out
    assert out.asnumpy().tolist() == wanted.tolist()
