"""A network that learns the keypoints of coloured squares in seconds, and batches for it."""
import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn
from mxnet.initializer import Constant
from tiny_detector import MEAN, SIZE, STD, make_batch

from gluonzoo.data import Batch
from gluonzoo.data.transforms.keypoint_targets import KeypointTargets, keypoint_targets, target_shapes


class TinyKeypoints(HybridBlock):
    """As CenterNet: for each stack 8 maps at a quarter of the size. A cell sees 60 pixels around it."""
    classes = 2
    mean, std = MEAN, STD

    def __init__(self, channels=24, stacks=1, maps=(2, 2, 2, 1, 1, 2, 2, 2)):
        super().__init__()
        self.features = nn.HybridSequential()
        for stride in (2, 2, 1, 1, 1):
            self.features.add(nn.Conv2D(channels, 3, stride, 1, use_bias=False), nn.BatchNorm(), nn.Activation('relu'))
        self.heads = nn.HybridSequential()
        for _ in range(stacks):
            for i, outputs in enumerate(maps):
                self.heads.add(nn.Conv2D(outputs, 3, padding=1, bias_initializer=Constant(-2 if i < 3 else 0)))

    def hybrid_forward(self, F, x):
        x = self.features(x)
        return [head(x) for head in self.heads]


def make_keypoint_batch(size, seed=0, most=2):
    """The pictures of :func:`tiny_detector.make_batch`, with targets of up to 8 objects for their labels."""
    batch = make_batch(size, seed, most)
    images, labels = batch.arrays
    shapes = target_shapes((SIZE, SIZE), TinyKeypoints.classes, 8)
    targets = KeypointTargets(*(np.empty((size, *shape), 'float32') for shape in shapes))
    for i, rows in enumerate(labels.asnumpy()):
        keypoint_targets(rows, (SIZE, SIZE), KeypointTargets(*(target[i] for target in targets)))
    return Batch((images, *map(mx.nd.array, targets)), batch.records)
