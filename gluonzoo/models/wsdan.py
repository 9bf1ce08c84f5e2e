"""WS-DAN: a classifier of things that look alike, which finds their parts by itself.

Paper: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (Hu et al., 2019, https://arxiv.org/abs/1901.09891).
Official code: github.com/tau-yihouxiang/WS_DAN (TensorFlow), the variant 'official' here. In PyTorch:
github.com/GuYuc/WS-DAN.PyTorch, the variant 'guyuc', whose checkpoints can be converted.

The trunk of a classifier makes features. A 1x1 convolution makes attention maps of them, which learn to lie on parts of
the object. What the features are under each map is the vector that is classified: see
:mod:`gluonzoo.nn.bilinear_attention_pooling`. The views of a picture that a training makes of the maps (the object cut
out, a part wiped out) are the task's: :mod:`gluonzoo.tasks.fine_grained`.

==================== ======================= ============= ======== =============
network              parameters, 200 classes multiply-adds channels cells, 448 px
==================== ======================= ============= ======== =============
wsdan_inception_v3                13,905,696      10,918 M      768       26 x 26
wsdan_resnet50                    36,680,832      16,374 M    2,048       14 x 14
wsdan_resnet34                    24,585,472      14,659 M      512       14 x 14
wsdan_vgg19_bn                    23,328,640      78,040 M      512       14 x 14
wsdan_cifar_resnet20                 680,784          92 M       64       12 x 12
==================== ======================= ============= ======== =============

Multiply-adds are those of convolutions and fully connected layers for one view, of 448 x 448 pixels; those of
`wsdan_cifar_resnet20`, and its cells, are for 96 x 96. All are with 32 maps and exact pooling.

Inputs: [B, 3, H, W], (RGB of 0..255 - `mean`) / `std`. Outputs, in any mode: logits [B, classes], feature [B, L] of
length 1, attention [B, maps, h, w], at least 0.

Deviations:

1. The network returns all attention maps. GuYuc's network draws two of them while it trains, and returns their mean
   otherwise.
2. With ``end='mixed_7c'`` the attention maps are the first channels of the features, as in both codes. GuYuc's network
   then also has a 1x1 convolution of 65,600 parameters that it does not use.
3. In the official code attention is the first 32 of 192 channels of a pretrained convolution. The other channels get no
   gradient, so the network here has the first alone; `gluonzoo convert` takes them of torchvision's weights.
4. Inception v3 departs from TensorFlow's in what :mod:`gluonzoo.models.inception` lists.
5. GuYuc's pictures are normalised with ImageNet's mean and deviation also for Inception v3, whose weights want -1..1.
   Here the default is what the weights want; his checkpoints are converted with his mean and deviation.
6. In ResNet-34 the convolutions of the blocks have biases, as in GuYuc's code. They do nothing, since a batch
   normalisation follows each; :func:`gluonzoo.models.resnet.resnet34` has none.
7. ``pooling='compact'`` and `wsdan_cifar_resnet20` are of neither code.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.bilinear_attention_pooling import BilinearAttentionPooling, CompactAttentionPooling
from ..nn.conv import dense, sequential, uniform
from ..nn.filled_conv import FilledConv
from ..registry import MODELS
from ..values import COUNT, Rule, check
from . import inception, resnet, vgg
from .cifar_resnet import CHANNELS as CIFAR_CHANNELS
from .cifar_resnet import CIFARResNet
from .darknet53 import MEAN, STD
from .pooled_classifier import IMAGENET_MEAN, IMAGENET_STD

__all__ = ['WSDAN', 'wsdan_cifar_resnet20', 'wsdan_inception_v3', 'wsdan_resnet34', 'wsdan_resnet50', 'wsdan_vgg19_bn']

VARIANT = Rule("'guyuc' or 'official'", lambda value: value in ('guyuc', 'official'))
ONLY_GUYUC = Rule("'guyuc' ('official' is of wsdan_inception_v3 alone)", lambda value: value == 'guyuc')
POOLING = Rule("'exact' or 'compact'", lambda value: value in ('exact', 'compact'))
END = Rule("'mixed_6e' or 'mixed_7c'", lambda value: value in tuple(inception.CHANNELS))

_SCALE = 100     # of the feature, whose length is 1, before it is classified
_EPSILON = 1e-3  # of the attention's batch normalisation


class WSDAN(HybridBlock):
    """A trunk, attention maps of its features, and the classification of the features under the maps.

    Inputs and outputs: see :mod:`gluonzoo.models.wsdan`.

    Parameters
    ----------
    features : HybridBlock
        the trunk, which makes maps [B, channels, h, w] that are 0 or more
    channels, classes, maps : int
    variant : str
        'guyuc' or 'official'. The classification of the latter has a bias. What else differs is the task's.
    pooling : str
        'exact' or 'compact': :class:`BilinearAttentionPooling` or :class:`CompactAttentionPooling`
    sketch : int
        length of the compact vector: a multiple of `maps`, up to maps * channels; without a meaning for 'exact'
    mean, std : three floats each
        how the weights want pictures: (RGB of 0..255 - mean) / std
    input_size : int
        pixels of a side
    own_attention : bool
        whether a 1x1 convolution makes the attention; otherwise it is the first `maps` channels of the features

    Attributes
    ----------
    channels, classes, maps, variant, mean, std, input_size
        the arguments
    feature_length : int
        L: maps * channels, or `sketch`
    """

    def __init__(self, features, channels, classes=200, maps=32, variant='guyuc', pooling='exact', sketch=8192,
                 mean=IMAGENET_MEAN, std=IMAGENET_STD, input_size=448, own_attention=True):
        super().__init__()
        for name, value, rule in (('classes', classes, COUNT), ('maps', maps, COUNT), ('variant', variant, VARIANT),
                                  ('pooling', pooling, POOLING), ('mean', mean, MEAN), ('std', std, STD)):
            check(name, value, rule)
        if not own_attention and maps > channels:
            raise ValueError(f'maps: must be at most {channels}, the channels of the features: {maps}')
        self.channels, self.classes, self.maps, self.variant = channels, classes, maps, variant
        self.input_size = input_size
        self.mean, self.std = tuple(mean), tuple(std)
        self.feature_length = maps * channels if pooling == 'exact' else sketch
        with self.name_scope():
            self.features = features
            self.attention = _attention(channels, maps) if own_attention else None
            self.pooling = (BilinearAttentionPooling() if pooling == 'exact'
                            else CompactAttentionPooling(channels, maps, sketch))
            self.output = dense(self.feature_length, classes, bias=variant == 'official')

    def hybrid_forward(self, F, x):
        features = self.features(x)
        attention = (F.slice_axis(features, axis=1, begin=0, end=self.maps) if self.attention is None
                     else self.attention(features))
        feature = self.pooling(features, attention)
        return self.output(feature * _SCALE), feature, attention


def _attention(channels, maps):
    return sequential(FilledConv(maps, 1, in_channels=channels, use_bias=False, weight_initializer=uniform(channels)),
                      nn.BatchNorm(epsilon=_EPSILON, in_channels=maps), nn.Activation('relu'))


@MODELS.register
def wsdan_inception_v3(classes: COUNT = 200, maps: COUNT = 32, variant: VARIANT = 'guyuc', pooling: POOLING = 'exact',
                       sketch: COUNT = 8192, end: END = 'mixed_6e', mean: MEAN = inception.MEAN,
                       std: STD = inception.STD):
    """:class:`WSDAN` on Inception v3 up to the block `end`: the paper's network.

    'mixed_6e' is for birds, cars and aircraft, 'mixed_7c' for dogs: then attention is the first channels of the
    features.
    """
    check('end', end, END)
    return WSDAN(inception.inception_v3_features(end), inception.CHANNELS[end], classes, maps, variant, pooling,
                 sketch, mean, std, own_attention=end == 'mixed_6e')


@MODELS.register
def wsdan_resnet50(classes: COUNT = 200, maps: COUNT = 32, variant: ONLY_GUYUC = 'guyuc', pooling: POOLING = 'exact',
                   sketch: COUNT = 8192, mean: MEAN = IMAGENET_MEAN, std: STD = IMAGENET_STD):
    """:class:`WSDAN` on ResNet-50."""
    check('variant', variant, ONLY_GUYUC)
    return WSDAN(resnet.resnet_features(50), resnet.CHANNELS[50], classes, maps, variant, pooling, sketch, mean, std)


@MODELS.register
def wsdan_resnet34(classes: COUNT = 200, maps: COUNT = 32, variant: ONLY_GUYUC = 'guyuc', pooling: POOLING = 'exact',
                   sketch: COUNT = 8192, mean: MEAN = IMAGENET_MEAN, std: STD = IMAGENET_STD):
    """:class:`WSDAN` on ResNet-34."""
    check('variant', variant, ONLY_GUYUC)
    return WSDAN(resnet.resnet_features(34, bias=True), resnet.CHANNELS[34], classes, maps, variant, pooling, sketch,
                 mean, std)


@MODELS.register
def wsdan_vgg19_bn(classes: COUNT = 200, maps: COUNT = 32, variant: ONLY_GUYUC = 'guyuc', pooling: POOLING = 'exact',
                   sketch: COUNT = 8192, mean: MEAN = IMAGENET_MEAN, std: STD = IMAGENET_STD):
    """:class:`WSDAN` on VGG-19 with batch normalisation."""
    check('variant', variant, ONLY_GUYUC)
    return WSDAN(vgg.vgg19_bn_features(), vgg.CHANNELS, classes, maps, variant, pooling, sketch, mean, std)


@MODELS.register
def wsdan_cifar_resnet20(classes: COUNT = 200, maps: COUNT = 32, variant: ONLY_GUYUC = 'guyuc',
                         pooling: POOLING = 'exact', sketch: COUNT = 512, mean: MEAN = IMAGENET_MEAN,
                         std: STD = IMAGENET_STD):
    """:class:`WSDAN` on :class:`gluonzoo.models.cifar_resnet.CIFARResNet`, for small pictures and small trainings."""
    check('variant', variant, ONLY_GUYUC)
    net = CIFARResNet(20, stem_stride=2)
    return WSDAN(sequential(net.stem, *net.stages), CIFAR_CHANNELS[-1], classes, maps, variant, pooling, sketch, mean,
                 std, input_size=96)
