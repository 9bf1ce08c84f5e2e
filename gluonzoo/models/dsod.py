"""DSOD: a single-shot detector on a dense network that is trained from scratch.

Paper: "DSOD: Learning Deeply Supervised Object Detectors from Scratch" (Shen et al., ICCV 2017,
https://arxiv.org/abs/1708.01241).
Official code: github.com/szq0214/DSOD (Caffe), model_libs.py and DSOD300_pascal.py.

================ =============== ======= =============================================================
network          parameters      anchors of the form
================ =============== ======= =============================================================
dsod300          14,715,804      8,744   20 classes, DS/64-192-48-1 of the paper, input 300 x 300
dsod300_smallest 5,833,372       8,744   20 classes, DS/64-64-16-1 of the paper, input 300 x 300
dsod_pikachu     6,389,104       21,840  1 class, layout of DSOD-gluon-mxnet, input 512 x 512
================ =============== ======= =============================================================

Input: [B, 3, H, W], (RGB of 0..255 - `mean`) / `std`. H and W are at least 129; the anchors are made for `input_size`.
Outputs, with anchors A in the order scale, row, column, shape:

- class_logits [B, A, classes + 1], raw; column 0 is the background
- box_offsets [B, A, 4], cx cy w h, encoded

Deviations of dsod300 and dsod300_smallest:

1. The input is RGB; the official one is BGR.
2. A scale's location and class convolutions are one convolution, and the batch normalisations after them are one. The
   channels of both are side by side, per anchor shape. The function and the number of parameters are the same.
3. Running averages have momentum 0.99 and not 0.999. Caffe divides a running average by the sum of its weights; MXNet
   does not. With 0.999 the initial values would count for thousands of steps.
4. Running variances are those of N numbers divided by N, in Caffe by N - 1: 1.03 times as large for the smallest maps,
   2 x 2, of 8 images.

dsod_pikachu has the layout of github.com/leocvml/DSOD-gluon-mxnet (DSOD.py), which differs from the paper: the second
and third convolution of the stem are 1 x 1 and nothing follows the third, bottlenecks are as narrow as the growth
rate, the first scale is taken before its transition, convolutions have biases, every scale has the same four anchor
shapes, and heads have no normalisation. Its deviations:

1. The network can be hybridized and returns raw heads; it does not compute anchors.
2. `num_init_layer` is the number of layers of the first dense block. In the original it only sets the width of the
   transition after the block, and the block always has 6 layers.
3. Pools round up, as Caffe's do. At 512 x 512 there is nothing to round.
4. A scale's location and class convolutions are one convolution, with the channels side by side, per anchor shape.
5. Any `factor` is used as given; in the original any `factor` but 0.5 means 1. `stem_filter` is 32 by default; the
   original's script takes 64.
6. The network is trained from Xavier's initial weights with a batch size of 32; the original with 4. Detections of one
   class suppress each other above an IoU of 0.45; in the original detections of all classes do, above 0.1.
"""
from functools import partial
from math import sqrt
from typing import Callable, NamedTuple

from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..graph.blocks_of_channels import BLOCK
from ..nn.concat import are_whole_blocks, concat
from ..nn.conv import sequential
from ..registry import MODELS
from ..values import COUNT, DEPTH, SIDE

__all__ = ['DSOD', 'PaperDSOD', 'PikachuDSOD', 'dsod300', 'dsod300_smallest', 'dsod_pikachu']


# -- layers ----------------------------------------------------------------------------------------------------------

class _Layers(NamedTuple):
    """How the blocks below make their layers: the two layouts share the blocks, not the settings."""
    conv: Callable   # (channels, kernel_size, strides, padding, in_channels=) -> block
    norm: Callable   # (in_channels=) -> block


_PAPER = _Layers(conv=partial(nn.Conv2D, use_bias=False, weight_initializer=initializer.Xavier('uniform', 'in', 3)),
                 norm=partial(nn.BatchNorm, momentum=.99))
_PIKACHU = _Layers(conv=nn.Conv2D, norm=nn.BatchNorm)


def _conv(layers, in_channels, channels, kernel=1, strides=1):
    return layers.conv(channels, kernel, strides, kernel // 2, in_channels=in_channels)


def _conv_norm_relu(layers, in_channels, channels, kernel=1, strides=1):
    return [_conv(layers, in_channels, channels, kernel, strides), layers.norm(in_channels=channels),
            nn.Activation('relu')]


def _norm_relu_conv(layers, in_channels, channels, kernel=1, strides=1):
    return [layers.norm(in_channels=in_channels), nn.Activation('relu'),
            _conv(layers, in_channels, channels, kernel, strides)]


def _pool():
    return nn.MaxPool2D(2, 2, ceil_mode=True)


# -- blocks ----------------------------------------------------------------------------------------------------------

class DenseBlock(HybridBlock):
    """Every layer adds `growth_rate` channels to its input.

    Inputs: [B, C, H, W]. Outputs: [B, C + depth * growth_rate, H, W].
    """

    def __init__(self, layers, in_channels, depth, bottleneck, growth_rate):
        super().__init__()
        self._whole_blocks = are_whole_blocks(in_channels, growth_rate)
        with self.name_scope():
            self.layers = sequential(*(
                sequential(*_norm_relu_conv(layers, in_channels + i * growth_rate, bottleneck),
                           *_norm_relu_conv(layers, bottleneck, growth_rate, 3))
                for i in range(depth)))

    def hybrid_forward(self, F, x):
        for layer in self.layers:
            x = concat(F, x, layer(x), whole_blocks=self._whole_blocks)
        return x


class Downsample(HybridBlock):
    """Half the rows and columns, rounded up: half of the channels by a pool, half by a convolution.

    Inputs: [B, C, H, W]. Outputs: [B, 2 * channels, H / 2, W / 2].
    """

    def __init__(self, layers, in_channels, channels):
        super().__init__()
        with self.name_scope():
            self.pooled = sequential(_pool(), *_norm_relu_conv(layers, in_channels, channels))
            self.convolved = sequential(*_norm_relu_conv(layers, in_channels, channels),
                                        *_norm_relu_conv(layers, channels, channels, 3, 2))

    def hybrid_forward(self, F, x):
        return F.concat(self.pooled(x), self.convolved(x), dim=1)


def _rows(F, y, values):
    """The output of a head for one scale, one row an anchor."""
    y = F.transpose(y, (0, 2, 3, 1))           # [B, shapes * values, H, W] -> [B, H, W, shapes * values]
    return F.reshape(y, (0, -1, values))       # -> [B, H * W * shapes, values]


class Head(HybridBlock):
    """The offsets and logits of every anchor of one scale, by a 3 x 3 convolution.

    Inputs: [B, C, H, W]. Outputs: [B, H * W * shapes, values], where values = 4 + logits.
    """

    def __init__(self, in_channels, shapes, values):
        super().__init__()
        self._values = values
        with self.name_scope():
            self.conv = nn.Conv2D(shapes * values, 3, padding=1, in_channels=in_channels)

    def hybrid_forward(self, F, x):
        return _rows(F, self.conv(x), self._values)


class NormalizedHead(HybridBlock):
    """:class:`Head` on features of length 1 in every cell, times a scale per channel; batch-normalised afterwards."""

    def __init__(self, in_channels, shapes, values):
        super().__init__()
        self._in_channels, self._channels, self._values = in_channels, shapes * values, values
        with self.name_scope():
            self.scale = self.params.get('scale', shape=(in_channels,), init=initializer.Constant(20))
            self.weight = self.params.get('weight', shape=(self._channels, in_channels, 3, 3),
                                          init=initializer.Normal(.01))
            self.norm = nn.BatchNorm(momentum=.99, epsilon=1e-3, in_channels=self._channels)

    def hybrid_forward(self, F, x, scale, weight):
        x = F.L2Normalization(x, mode='channel', eps=1e-10)
        # The weights are scaled and not the map, which is larger; the result is the same. They are scaled by a
        # convolution, since the gradient of a broadcast product is slow.
        # Zeros fill the last blocks: oneDNN's kernels for other numbers are slow, and take memory for every thread.
        spare = -self._channels % (2 * BLOCK)   # oneDNN is fastest on two of its blocks at a time
        if spare:   # before the product, which mixed precision may make of another type
            weight = F.concat(weight, F.zeros_like(F.slice_axis(weight, axis=0, begin=0, end=spare)), dim=0)
        scale = F.reshape(scale, (-1, 1, 1, 1))
        weight = F.Convolution(weight, scale, kernel=(1, 1), num_filter=self._in_channels,
                               num_group=self._in_channels, no_bias=True)
        y = F.Convolution(x, weight, kernel=(3, 3), pad=(1, 1), num_filter=self._channels + spare, no_bias=True)
        y = F.slice_axis(y, axis=1, begin=0, end=self._channels)
        return _rows(F, self.norm(y), self._values)


# -- networks --------------------------------------------------------------------------------------------------------

class DSOD(HybridBlock):
    """What both DSODs have in common: six maps, each of half the size of the one before, and a head on each.

    Subclasses build `first` (image to first map), `deeper` and `skip` (first map to the two parts of the second),
    `downsamples` (each of the others from the one before) and `heads`.

    Attributes
    ----------
    classes : int
        foreground classes
    anchor_shapes : list of lists of (width, height)
        per scale, the shapes around the centre of every cell, as fractions of the input
    anchor_steps : list of float or None
        per scale, the pitch of the cells in pixels of the input; None: the input divided by the number of cells
    input_size : int
    mean, std : tuples of 3 floats
        of R, G, B in 0..255
    """

    mean, std = (123., 117., 104.), (1., 1., 1.)

    def __init__(self, classes, anchor_shapes, anchor_steps, input_size):
        super().__init__()
        if classes < 1:
            raise ValueError(f'classes: must be at least 1: {classes}')
        self.classes = classes
        self.anchor_shapes, self.anchor_steps, self.input_size = anchor_shapes, anchor_steps, input_size

    def grids(self, height, width):
        """Rows and columns of every scale, for an input of `height` x `width`; ValueError if it is too small."""
        if min(height, width) < 129:
            raise ValueError(f'height, width: must be at least 129, for a last pool of 2 x 2: {height} x {width}')
        return [(-(-height // pitch), -(-width // pitch)) for pitch in (8, 16, 32, 64, 128, 256)]

    def hybrid_forward(self, F, x):
        maps = [self.first(x)]
        maps.append(F.concat(self.deeper(maps[0]), self.skip(maps[0]), dim=1))
        for downsample in self.downsamples:
            maps.append(downsample(maps[-1]))
        y = F.concat(*(head(x) for head, x in zip(self.heads, maps)), dim=1)   # 6 x [B, A_i, values] -> [B, A, values]
        return F.slice_axis(y, axis=2, begin=4, end=None), F.slice_axis(y, axis=2, begin=0, end=4)


class PaperDSOD(DSOD):
    """DSOD300 of the official code, of any width.

    Parameters
    ----------
    classes : int
    bottleneck, growth_rate : int
        channels of the first and the second convolution of a dense layer
    """

    def __init__(self, classes, bottleneck, growth_rate):
        # Per scale, in pixels of 300: a square, a larger one, and boxes as large as the first.
        sizes, ratios = (30, 60, 111, 162, 213, 264, 315), ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
        shapes = [_prior_boxes(size / 300, larger / 300, ratios)
                  for size, larger, ratios in zip(sizes, sizes[1:], ratios)]
        super().__init__(classes, shapes, [8, 16, 32, 64, 100, 300], 300)
        conv_norm_relu = partial(_conv_norm_relu, _PAPER)
        norm_relu_conv = partial(_norm_relu_conv, _PAPER)
        dense = partial(DenseBlock, _PAPER, bottleneck=bottleneck, growth_rate=growth_rate)
        a, b, c, d = (128 + layers * growth_rate for layers in (6, 14, 22, 30))   # channels after each dense block
        with self.name_scope():
            self.first = sequential(
                *conv_norm_relu(3, 64, 3, 2), *conv_norm_relu(64, 64, 3), *conv_norm_relu(64, 128, 3), _pool(),
                dense(128, 6), *norm_relu_conv(a, a), _pool(),
                dense(a, 8), *norm_relu_conv(b, b))
            self.deeper = sequential(
                _pool(), dense(b, 8), *norm_relu_conv(c, c),
                dense(c, 8), *norm_relu_conv(d, 256))
            self.skip = sequential(_pool(), *norm_relu_conv(b, 256))
            self.downsamples, maps = _downsamples(_PAPER, b)
            self.heads = sequential(*(NormalizedHead(channels, len(shapes), 5 + classes)
                                      for channels, shapes in zip(maps, self.anchor_shapes)))


class PikachuDSOD(DSOD):
    """The layout of DSOD-gluon-mxnet: see :func:`dsod_pikachu`."""

    def __init__(self, classes, stem_filter, num_init_layer, growth_rate, factor, input_size):
        if not 0 < factor <= 1:
            raise ValueError(f'factor: must be above 0 and at most 1: {factor}')
        sizes = (.2, .37, .45, .54, .71, .88)
        shapes = [[(size, size), (size, size), (size * sqrt(2), size / sqrt(2)), (size / sqrt(2), size * sqrt(2))]
                  for size in sizes]
        super().__init__(classes, shapes, [None] * 6, input_size)
        layers = _PIKACHU
        norm_relu_conv = partial(_norm_relu_conv, layers)
        dense = partial(DenseBlock, layers, bottleneck=growth_rate, growth_rate=growth_rate)
        stem = 2 * stem_filter
        kept = int(8 * growth_rate * factor)
        a = stem + int(num_init_layer * growth_rate * factor)
        b, c = a + kept, a + 2 * kept
        grown = 8 * growth_rate
        with self.name_scope():
            self.first = sequential(
                *_conv_norm_relu(layers, 3, stem_filter, 3, 2), *_conv_norm_relu(layers, stem_filter, stem_filter),
                _conv(layers, stem_filter, stem), _pool(),
                dense(stem, num_init_layer), *norm_relu_conv(stem + num_init_layer * growth_rate, a), _pool(),
                dense(a, 8))
            self.deeper = sequential(
                *norm_relu_conv(a + grown, b), _pool(), dense(b, 8), *norm_relu_conv(b + grown, c),
                dense(c, 8), *norm_relu_conv(c + grown, 256))
            self.skip = sequential(_pool(), *norm_relu_conv(a + grown, 256))
            self.downsamples, maps = _downsamples(layers, a + grown)
            self.heads = sequential(*(Head(channels, 4, 5 + classes) for channels in maps))


def _prior_boxes(size, larger, ratios):
    """A square, a square between it and the next scale's, and boxes of each aspect ratio and its inverse."""
    between = sqrt(size * larger)
    boxes = [(size, size), (between, between)]
    for ratio in ratios:
        boxes += [(size * sqrt(ratio), size / sqrt(ratio)), (size / sqrt(ratio), size * sqrt(ratio))]
    return boxes


def _downsamples(layers, first):
    """The blocks that make scale 3 to 6, and the channels of all scales, where `first` are those of the first."""
    maps = [first, 512]
    blocks = []
    for channels in (256, 128, 128, 128):
        blocks.append(Downsample(layers, maps[-1], channels))
        maps.append(2 * channels)
    return sequential(*blocks), maps


@MODELS.register
def dsod300(classes: COUNT = 20):
    """DSOD300 as published: bottlenecks of 192 channels, growth rate 48."""
    return PaperDSOD(classes, bottleneck=192, growth_rate=48)


@MODELS.register
def dsod300_smallest(classes: COUNT = 20):
    """The smallest DSOD300: bottlenecks of 64 channels, growth rate 16."""
    return PaperDSOD(classes, bottleneck=64, growth_rate=16)


@MODELS.register
def dsod_pikachu(classes: COUNT = 1, stem_filter: COUNT = 32, num_init_layer: DEPTH = 6, growth_rate: COUNT = 48,
                 factor=1.0, input_size: SIDE = 512):
    """The lighter layout of DSOD-gluon-mxnet, with its names of the arguments.

    Parameters
    ----------
    classes : int
        foreground classes (there `num_class`)
    stem_filter : int
        channels of the first two convolutions, half of those of the third
    num_init_layer : int
        layers of the first dense block; the other three have 8
    growth_rate : int
        channels that a dense layer adds, and those of its bottleneck
    factor : float
        the share of a block's added channels that the transition after it keeps
    input_size : int
        at least 129; there always 512
    """
    return PikachuDSOD(classes, stem_filter, num_init_layer, growth_rate, factor, input_size)
