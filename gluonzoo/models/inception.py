"""Inception v3, the classifier for ImageNet.

Paper: "Rethinking the Inception Architecture for Computer Vision" (Szegedy et al., 2015,
https://arxiv.org/abs/1512.00567).
In PyTorch: github.com/pytorch/vision, torchvision/models/inception.py, whose weights can be converted. In Gluon:
github.com/dmlc/gluon-cv, gluoncv/model_zoo/inception.py, whose layers this network is made of.

============ ========== =============
network      parameters multiply-adds
============ ========== =============
inception_v3 23,834,568       5,713 M
============ ========== =============

Multiply-adds are at 299 x 299.

Inputs: (N, 3, H, W), at least 75 x 75, RGB, normalised with `mean` and `std` to -1..1. Outputs: (N, classes), raw.

Deviations:

1. There is no auxiliary classifier.
2. At the border, a mean of 3 x 3 pixels counts the zeros beside the picture, as in torchvision and in GluonCV. In
   TensorFlow, from where torchvision's weights come, it does not.
3. Batch normalisation has a gamma, as in torchvision. In TensorFlow it has none.
4. Running averages of batch normalisation have momentum 0.9, as in torchvision; in TensorFlow 0.9997. Running variances
   are those of N numbers divided by N, in PyTorch by N - 1.
"""
from ..registry import MODELS
from ..values import COUNT
from .gluoncv_layers import trunk_of
from .pooled_classifier import PooledClassifier

__all__ = ['CHANNELS', 'MEAN', 'STD', 'inception_v3_features', 'inception_v3']

CHANNELS = {'mixed_6e': 768, 'mixed_7c': 2048}   # of the maps where the trunk ends
MEAN = STD = (127.5, 127.5, 127.5)
_LAYERS = {'mixed_6e': 15, 'mixed_7c': 18}


def inception_v3_features(end='mixed_7c'):
    """The trunk up to the block `end`, 'mixed_6e' (about stride 16) or 'mixed_7c' (about stride 32).

    Inputs: (N, 3, H, W). Outputs: (N, CHANNELS[end], h, w): of 299 x 299 pixels, 17 x 17 or 8 x 8 cells; of 448 x 448
    pixels, 26 x 26 or 12 x 12.
    """
    from gluoncv.model_zoo.inception import inception_v3 as of_gluoncv  # here: gluoncv takes long to import

    return trunk_of(list(of_gluoncv(pretrained=False).features)[:_LAYERS[end]], 299)


@MODELS.register
def inception_v3(classes: COUNT = 1000):
    """Inception v3 of 23,834,568 parameters; top-1 77.3 % on ImageNet with torchvision's weights."""
    return PooledClassifier(inception_v3_features(), CHANNELS['mixed_7c'], classes, 299, MEAN, STD, .5)
