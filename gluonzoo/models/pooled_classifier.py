"""A classifier of any trunk: the mean of its last maps, and one fully connected layer."""
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import dense, sequential

__all__ = ['IMAGENET_MEAN', 'IMAGENET_STD', 'PooledClassifier']

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class PooledClassifier(HybridBlock):
    """Features, their mean over all pixels, and the logits.

    Inputs: (N, 3, H, W). Outputs: (N, classes), raw.

    Parameters
    ----------
    features : HybridBlock
        makes maps (N, channels, h, w)
    channels, classes : int
    input_size : int
        pixels of a side, as the published networks are trained
    mean, std : three floats each
        how the weights want pictures: (RGB of 0..255 - mean) / std. By default with ImageNet's.
    dropout : float
        the part of the means that a training leaves out
    """

    def __init__(self, features, channels, classes, input_size=224, mean=IMAGENET_MEAN, std=IMAGENET_STD, dropout=0.):
        super().__init__()
        self.classes, self.input_size, self.mean, self.std = classes, input_size, mean, std
        with self.name_scope():
            self.features = features
            self.dropout = nn.Dropout(dropout) if dropout else sequential()
            self.output = dense(channels, classes)

    def hybrid_forward(self, F, x):
        # On a CPU, GlobalAvgPool2D would return a gradient in a memory layout that slows down the whole last stage.
        return self.output(self.dropout(F.contrib.AdaptiveAvgPooling2D(self.features(x), output_size=1)))
