"""A detector that learns in seconds, and pictures of coloured squares for it."""
import math

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from gluonzoo.data import Batch

CLASS_NAMES = ['red', 'blue']
COLORS = (230, 40, 40), (40, 60, 230)
SIZE = 64
MEAN, STD = (120, 110, 100), (60, 60, 60)


class TinyDetector(HybridBlock):
    """Three anchors on a grid of 8 x 8, pitch 8 pixels, and one on a grid of 4 x 4."""
    classes = 2
    input_size = SIZE
    mean, std = MEAN, STD
    anchor_shapes = [[(.3, .3), (.45, .3), (.3, .45)], [(.5, .5)]]
    anchor_steps = [8, None]

    def __init__(self, channels=16):
        super().__init__()
        self.shallow = nn.HybridSequential()
        for width in (channels, channels, 2 * channels):
            self.shallow.add(*self.halve(width))
        self.deep = nn.HybridSequential()
        self.deep.add(*self.halve(2 * channels))
        self.heads = nn.HybridSequential()
        self.heads.add(*(nn.Conv2D(len(shapes) * 7, 3, padding=1) for shapes in self.anchor_shapes))

    @staticmethod
    def halve(channels):
        return nn.Conv2D(channels, 3, 2, 1, use_bias=False), nn.BatchNorm(), nn.Activation('relu')

    def grids(self, height, width):
        return [(math.ceil(height / pitch), math.ceil(width / pitch)) for pitch in (8, 16)]

    def hybrid_forward(self, F, x):
        shallow = self.shallow(x)
        outputs = [F.reshape(F.transpose(head(map), (0, 2, 3, 1)), (0, -1, 7))
                   for head, map in zip(self.heads, (shallow, self.deep(shallow)))]
        outputs = F.concat(*outputs, dim=1)
        return F.slice_axis(outputs, axis=2, begin=0, end=3), F.slice_axis(outputs, axis=2, begin=3, end=None)


def draw_squares(rng, most=2):
    """A noisy image and its labels: up to two squares that hardly overlap. uint8 [64, 64, 3], float32 [3, 6]"""
    image = rng.integers(60, 180, (1, 1, 3)) + rng.normal(0, 8, (SIZE, SIZE, 3))
    labels = np.full((3, 6), -1, 'float32')
    count = rng.integers(0, most + 1)
    for i in range(count):
        side = rng.integers(16, 30)
        x, y = rng.integers(0, SIZE - side), rng.integers(0, SIZE - side)
        if i and max(abs(x - labels[0, 1] * SIZE), abs(y - labels[0, 2] * SIZE)) < 30:
            break
        label = rng.integers(2)
        image[y:y + side, x:x + side] = COLORS[label]
        labels[i] = label, x / SIZE, y / SIZE, (x + side) / SIZE, (y + side) / SIZE, 0
    return image.clip(0, 255).astype('uint8'), labels


def make_batch(size, seed=0, most=2):
    rng = np.random.default_rng(seed)
    images, labels = map(np.stack, zip(*(draw_squares(rng, most) for _ in range(size))))
    pixels = (images.astype('float32') - np.array(MEAN, 'float32')) / np.array(STD, 'float32')
    return Batch((mx.nd.array(pixels.transpose(0, 3, 1, 2)), mx.nd.array(labels)), 1000 * seed + np.arange(size))
