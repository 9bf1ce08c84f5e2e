"""A network as WS-DAN's task takes it, and pictures whose classes differ in a small square."""
import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from gluonzoo.data import Batch

SIZE = 16
MEAN, STD = (120, 110, 100), (60, 50, 40)
COLOURS = {'red': (220, 40, 40), 'green': (40, 220, 40), 'blue': (40, 40, 220), 'yellow': (220, 220, 40)}
NAMES = list(COLOURS)
CHANNELS, MAPS = 8, 3


class TinyWSDAN(HybridBlock):
    """Maps of half the pictures' size."""

    feature_length = CHANNELS * MAPS

    def __init__(self, classes=4, variant='guyuc'):
        super().__init__()
        self.variant = variant
        with self.name_scope():
            self.features = nn.HybridSequential()
            self.features.add(nn.Conv2D(CHANNELS, 3, 2, 1, use_bias=False), nn.BatchNorm(), nn.Activation('relu'))
            self.attention = nn.Conv2D(MAPS, 1, activation='relu')
            self.fc = nn.Dense(classes, use_bias=variant == 'official')

    def hybrid_forward(self, F, x):
        features = self.features(x)
        attention = self.attention(features)
        pooled = F.batch_dot(F.reshape(attention, (0, 0, -1)), F.reshape(features, (0, 0, -1)), transpose_b=True)
        feature = F.reshape(F.sqrt(F.relu(pooled / 64) + 1e-12), (0, -1))
        feature = F.broadcast_div(feature, F.sqrt(F.sum(feature ** 2, axis=1, keepdims=True) + 1e-12))
        return self.fc(100 * feature), feature, attention


def draw(rng, label):
    """A grey photo with noise, on which a square of 5 pixels has the colour of its class."""
    photo = np.full((SIZE, SIZE, 3), 110.)
    top, left = rng.integers(1, SIZE - 6, 2)
    photo[top:top + 5, left:left + 5] = COLOURS[NAMES[label]]
    return (photo + rng.normal(0, 10, photo.shape)).clip(0, 255).astype('uint8')


def make_batch(size, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(NAMES), size)
    photos = np.stack([draw(rng, label) for label in labels])
    pixels = ((photos - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)
    return Batch((mx.nd.array(pixels), mx.nd.array(labels[:, None])), 1000 * seed + np.arange(size))
