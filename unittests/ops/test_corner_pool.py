"""What test_pool.py does not ask: the bits of a NaN, the library loaded twice."""
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from gluonzoo import ops


def test_the_first_nan_stays():
    bits = np.array([0x3f800000, 0x7fc00001, 0x3f800000, 0xffc00003], np.uint32)
    y = ops.right_pool(mx.nd.array(bits.view(np.float32).reshape((1, 1, 1, 4)), dtype='float32')).asnumpy()
    assert y.view(np.uint32).ravel().tolist() == [0x3f800000, 0x7fc00001, 0x7fc00001, 0x7fc00001]


@pytest.mark.skipif(ops.route() != 'library', reason='only the library can be loaded again')
def test_library_is_loaded_once():
    """MXNet would register the operators anew, without what makes their gradients right."""
    with pytest.raises(mx.MXNetError, match='gluonzoo has loaded it'):
        mx.library.load(str(Path(ops.__file__).with_name('libcorner_pool.so')))
    x = mx.nd.zeros((1, 1, 1, 3))
    x.attach_grad('add')
    for _ in range(2):
        with mx.autograd.record():
            y = mx.nd.contrib.right_pool(x)
        y.backward()
    assert x.grad.asnumpy().ravel().tolist() == [6, 0, 0]
