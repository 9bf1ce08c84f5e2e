"""A small YOLOv3 as a cfg file would have it: the layers of its .weights file, such files, what darknet computes."""
import struct

import numpy as np

SETTINGS = {'width': .125, 'depths': (1, 1, 2, 1, 1)}
_STAGES = [(16, 16, 1), (16, 16, 1), (32, 16, 2), (64, 32, 1), (128, 64, 1)]   # channels, hidden, residual blocks
_SCALES = [64, 32, 16]
HEADER = struct.pack('<3iq', 0, 2, 0, 0)


def backbone():
    """(filters, channels of the input, size, whether batch normalisation follows) of each convolution, in order."""
    yield 16, 3, 3, True
    before = 16
    for channels, hidden, blocks in _STAGES:
        yield channels, before, 3, True
        for _ in range(blocks):
            yield hidden, channels, 1, True
            yield channels, hidden, 3, True
        before = channels


def heads(classes):
    before = 128
    for place, (channels, route) in enumerate(zip(_SCALES, (0, 64, 32))):
        if place:
            yield channels, 2 * channels, 1, True   # from the scale before, of twice the channels
            before = channels + route
        yield from ((channels, before, 1, True), (2 * channels, channels, 3, True))
        yield from ((channels, 2 * channels, 1, True), (2 * channels, channels, 3, True))
        yield channels, 2 * channels, 1, True
        yield 2 * channels, channels, 3, True
        yield 3 * (5 + classes), 2 * channels, 1, False


def shapes(layers):
    """The shapes of the arrays of a file."""
    for filters, channels, size, normalized in layers:
        yield from [(filters,)] * (4 if normalized else 1)
        yield filters, channels, size, size


def arrays(layers, seed=0):
    """Numbers for them that differ, of the size that weights have; the fourth of a normalised layer's are variances."""
    rng = np.random.default_rng(seed)
    for filters, channels, size, normalized in layers:
        if normalized:
            yield rng.normal(0, .3, filters)
            yield rng.uniform(.5, 1.5, filters)
            yield rng.normal(0, .3, filters)
            yield rng.uniform(.5, 1.5, filters)
        else:
            yield rng.normal(0, .3, filters)
        yield rng.normal(0, (2 / (channels * size * size)) ** .5, (filters, channels, size, size))


def content(layers, header=HEADER, seed=0):
    return header + b''.join(array.astype('<f4').tobytes() for array in arrays(layers, seed))


class Darknet:
    """What darknet computes with the numbers of a file, taken one after the other as the layers of the cfg come."""

    def __init__(self, path, header=20):
        self._numbers = np.fromfile(path, '<f4', offset=header)

    def _take(self, *shape):
        import torch

        count = int(np.prod(shape))
        taken, self._numbers = self._numbers[:count], self._numbers[count:]
        return torch.from_numpy(taken.reshape(shape).copy())

    def conv(self, x, filters, size=1, stride=1, normalized=True):
        from torch.nn import functional

        if not normalized:
            bias = self._take(filters)
            return functional.conv2d(x, self._take(filters, x.shape[1], size, size), bias, stride, size // 2)
        beta, gamma, mean, variance = (self._take(filters) for _ in range(4))
        x = functional.conv2d(x, self._take(filters, x.shape[1], size, size), None, stride, size // 2)
        x = functional.batch_norm(x, mean, variance, gamma, beta, eps=1e-5)
        return functional.leaky_relu(x, .1)

    def backbone(self, x):
        x, routes = self.conv(x, 16, 3), []
        for channels, hidden, blocks in _STAGES:
            x = self.conv(x, channels, 3, 2)
            for _ in range(blocks):
                x = x + self.conv(self.conv(x, hidden), channels, 3)
            routes.append(x)
        return routes

    def yolo(self, image, classes):
        """The three heads of a network with `classes`, and how many numbers are left over."""
        import torch

        routes, heads, x = self.backbone(torch.from_numpy(image)), [], None
        for channels, route in zip(_SCALES, routes[:1:-1]):
            if x is None:
                x = route
            else:
                x = self.conv(x, channels).repeat_interleave(2, 2).repeat_interleave(2, 3)
                x = torch.cat([x, route], 1)
            for _ in range(2):
                x = self.conv(self.conv(x, channels), 2 * channels, 3)
            x = self.conv(x, channels)
            heads.append(self.conv(self.conv(x, 2 * channels, 3), 3 * (5 + classes), normalized=False).numpy())
        return heads, len(self._numbers)

    def classify(self, image, classes):
        """The logits of a network with `classes`, and how many numbers are left over."""
        import torch

        x = self.backbone(torch.from_numpy(image))[-1].mean((2, 3), keepdim=True)
        return self.conv(x, classes, normalized=False).numpy()[:, :, 0, 0], len(self._numbers)
