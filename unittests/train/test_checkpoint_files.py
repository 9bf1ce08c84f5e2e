"""Files of a checkpoint while the device is at work. (test_checkpoint.py: what is in them, and what is refused.)"""
from types import SimpleNamespace

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from gluonzoo.train import checkpoint_files, storage


class ManyNames(HybridBlock):
    """A large convolution under many names, so that each time it is written its weights are read as often."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(512, 3, padding=1, in_channels=512, use_bias=False)
        for i in range(12):
            self.register_child(self.conv, f'again{i}')

    def hybrid_forward(self, F, x):
        return self.conv(x)


def test_weights_are_written_in_their_own_order(monkeypatch, tmp_path):
    """oneDNN puts weights into another order, where they lie, while a forward pass is under way.

    Without waiting for the pass, about one time in five some were written in the wrong order.
    """
    written = {}
    monkeypatch.setattr(storage, 'write_arrays', lambda path, arrays: written.update({path.name: arrays}))
    monkeypatch.setattr(storage, 'write_file', lambda path, content: None)
    weights = np.arange(512 * 512 * 9, dtype='float32').reshape(512, 512, 3, 3)
    x = mx.nd.ones((1, 512, 1, 1))
    for _ in range(25):   # a network's first pass alone does so
        net = ManyNames()
        net.initialize(mx.init.Zero())
        net.hybridize(static_alloc=True)
        net.conv.weight.set_data(mx.nd.array(weights))
        mx.nd.waitall()
        net(x)
        task = SimpleNamespace(networks={'net': net}, used=('net',), trainers={}, state=dict)
        checkpoint_files.write(tmp_path, task, None, {})
        arrays = written['net.safetensors']
        assert len(arrays) == 13
        for name, array in arrays.items():
            assert np.array_equal(array, weights), name
