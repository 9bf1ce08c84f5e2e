"""YOLOv3: boxes of three scales from one network, whose coarse maps help the finer ones.

Paper: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767).
Official code: github.com/pjreddie/darknet, cfg/yolov3.cfg. In Gluon: github.com/dmlc/gluon-cv, model_zoo/yolo/yolo3.py.

================== ====================== ====================== =========================
network            parameters, 80 classes parameters, 20 classes multiply-adds, 80 classes
================== ====================== ====================== =========================
yolo3_darknet53                61,949,149             61,626,049                  32,932 M
yolo3_mobilenet1_0             24,571,197             24,248,097                  10,374 M
================== ====================== ====================== =========================

Multiply-adds are at 416 x 416.

Input: [B, 3, H, W], (RGB of 0..255 - `mean`) / `std`. H and W are multiples of 32. The network itself also takes up to
7 pixels less, and makes as many cells of them; with other sizes it cannot join its maps, and MXNet raises an error.
Outputs: three raw heads [B, 3 * (5 + classes), H / s, W / s], for the strides s of 32, 16 and 8. The channels are, for
each of the scale's three anchors: tx, ty, tw, th, objectness, classes.

Deviations:

1. Normalisation and ``activation='mish'``: see :mod:`gluonzoo.models.darknet53`. With 'mish', the convolutions of
   the heads keep the leaky ReLU, as in YOLOv4 (https://arxiv.org/abs/2004.10934).
2. `yolo3_mobilenet1_0` is not of the authors, but of GluonCV.
3. `mean` and `std` are arguments. darknet's weights want RGB of 0..1, as by default; GluonCV's are made with ImageNet's
   means and deviations.
4. GluonCV's network takes any size, and crops the coarser maps where they do not fit.
"""
from mxnet.gluon import HybridBlock

from ..nn.conv import sequential
from ..nn.filled_conv import FilledConv
from ..registry import MODELS
from ..values import COUNT, MOST_PIXELS, Rule, check, list_of, number
from .darknet53 import ACTIVATION, DEPTHS, MEAN, STD, WIDTH, ConvUnit, Darknet53Features, he, scaled
from .mobilenet import MobileNetFeatures

__all__ = ['ANCHORS', 'Scale', 'YOLO3', 'yolo3_darknet53', 'yolo3_mobilenet1_0']

ANCHORS = (((116, 90), (156, 198), (373, 326)), ((30, 61), (62, 45), (59, 119)), ((10, 13), (16, 30), (33, 23)))
_CHANNELS = (512, 256, 128)   # of the scales' bodies
_STRIDES = (32, 16, 8)

_LENGTH = number(1e-3, MOST_PIXELS)


def _three(holds):
    return lambda value: list_of(Rule('', holds), '').holds(value) and len(value) == 3


ANCHOR_LISTS = Rule(f'three lists, for strides 32, 16 and 8, of three anchors [width, height], each {_LENGTH.words}',
                    _three(_three(lambda anchor: list_of(_LENGTH, '').holds(anchor) and len(anchor) == 2)))


class Scale(HybridBlock):
    """The convolutions and the head of one scale.

    Inputs: [B, in_channels, H, W]; and the second output of the coarser scale, if there is one, [B, coarser, H / 2,
    W / 2]. Outputs: the head [B, values, H, W], and what the next scale gets, [B, channels, H, W].

    Parameters
    ----------
    in_channels, channels, values : int
    coarser : int
        channels of the second input; 0: there is none
    """

    def __init__(self, in_channels, channels, values, coarser=0):
        super().__init__()
        with self.name_scope():
            if coarser:
                self.transition = ConvUnit(coarser, channels)
                in_channels += channels
            self.body = sequential(ConvUnit(in_channels, channels), ConvUnit(channels, 2 * channels, 3),
                                   ConvUnit(2 * channels, channels), ConvUnit(channels, 2 * channels, 3),
                                   ConvUnit(2 * channels, channels))
            self.tip = ConvUnit(channels, 2 * channels, 3)
            self.output = FilledConv(values, 1, in_channels=2 * channels, weight_initializer=he())

    def hybrid_forward(self, F, x, coarser=None):
        if coarser is not None:
            coarser = F.UpSampling(self.transition(coarser), scale=2, sample_type='nearest')
            x = F.concat(coarser, x, dim=1)   # all channels fill whole blocks: see gluonzoo.nn.concat
        route = self.body(x)
        return self.output(self.tip(route)), route


class YOLO3(HybridBlock):
    """YOLOv3 on any backbone.

    Inputs and outputs: see :mod:`gluonzoo.models.yolo3`.

    Parameters
    ----------
    backbone : HybridBlock
        makes maps at strides 8, 16 and 32, of `backbone.channels` channels, multiples of 16
    classes : int
    anchors : three lists of three (width, height)
        in pixels of the input, for strides 32, 16 and 8
    mean, std : three floats each
        how the weights want pictures: (RGB of 0..255 - mean) / std. By default as darknet: RGB of 0..1.
    width : float
        factor of the numbers of channels of the scales, which are rounded to multiples of 16

    Attributes
    ----------
    classes, anchors, mean, std
        the arguments, as tuples
    strides : tuple of int
        of the outputs
    input_size : int
    """

    input_size = 416
    strides = _STRIDES

    def __init__(self, backbone, classes=80, anchors=ANCHORS, mean=(0, 0, 0), std=(255, 255, 255), width=1.0):
        super().__init__()
        for name, value, rule in (('classes', classes, COUNT), ('anchors', anchors, ANCHOR_LISTS), ('mean', mean, MEAN),
                                  ('std', std, STD)):
            check(name, value, rule)
        self.classes, self.mean, self.std = classes, tuple(mean), tuple(std)
        self.activation = getattr(backbone, 'activation', None)
        self.anchors = tuple(tuple(tuple(anchor) for anchor in scale) for scale in anchors)
        coarser, values = 0, 3 * (5 + classes)
        with self.name_scope():
            self.backbone = backbone
            self.scales = sequential()
            for in_channels, channels in zip(reversed(backbone.channels), _CHANNELS):
                channels = scaled(channels, width)
                self.scales.add(Scale(in_channels, channels, values, coarser))
                coarser = channels

    def grids(self, height, width):
        """Rows and columns of every output, for an input of `height` x `width`; ValueError where 32 does not divide."""
        if height < 1 or width < 1 or height % _STRIDES[0] or width % _STRIDES[0]:
            raise ValueError(f'height, width: must be multiples of {_STRIDES[0]}: {height} x {width}')
        return [(height // stride, width // stride) for stride in _STRIDES]

    def hybrid_forward(self, F, x):
        heads, routes = [], []
        for scale, features in zip(self.scales, reversed(self.backbone(x))):
            head, route = scale(features, *routes)
            heads.append(head)
            routes = [route]
        return tuple(heads)


@MODELS.register
def yolo3_darknet53(classes: COUNT = 80, anchors: ANCHOR_LISTS = ANCHORS, activation: ACTIVATION = 'leaky',
                    mean: MEAN = (0, 0, 0), std: STD = (255, 255, 255), width: WIDTH = 1.0,
                    depths: DEPTHS = (1, 2, 8, 8, 4)):
    """:class:`YOLO3` on :class:`gluonzoo.models.darknet53.Darknet53Features`: darknet's network.

    Parameters
    ----------
    classes, anchors, mean, std
        see :class:`YOLO3`
    activation, depths
        of the backbone; the scales' is 'leaky'
    width : float
        of the backbone and of the scales
    """
    return YOLO3(Darknet53Features(width, depths, activation), classes, anchors, mean, std, width)


@MODELS.register
def yolo3_mobilenet1_0(classes: COUNT = 80, anchors: ANCHOR_LISTS = ANCHORS, mean: MEAN = (0, 0, 0),
                       std: STD = (255, 255, 255)):
    """:class:`YOLO3` on :class:`gluonzoo.models.mobilenet.MobileNetFeatures`: GluonCV's network for small devices."""
    return YOLO3(MobileNetFeatures(), classes, anchors, mean, std)
