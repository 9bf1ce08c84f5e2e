"""Bilinear attention pooling: the features under each of several attention maps, as one vector.

Paper: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (Hu et al., 2019, https://arxiv.org/abs/1901.09891), section 3.1.2.
Public code: github.com/tau-yihouxiang/WS_DAN (nets/inception_v3_bap.py) and github.com/GuYuc/WS-DAN.PyTorch
(models/wsdan.py).
"""
import numpy as np
from mxnet.gluon import HybridBlock

__all__ = ['BilinearAttentionPooling', 'CompactAttentionPooling', 'sketch_matrix']

_UNDER_ROOT = 1e-12


class BilinearAttentionPooling(HybridBlock):
    """Sums each channel of the features under each attention map, and brings the sums to one length.

    The sum for map m and channel c is x = mean of attention[m] * features[c] over all pixels. Then it becomes
    sign(x) * sqrt(|x| + 1e-12), and the vector of all of them is divided by its length.

    Where attention is zero everywhere, the vector is zero, and so are all gradients.

    Inputs: features [B, C, h, w] and attention [B, M, h, w]. Outputs: [B, M * C], of length 1; the channels of the
    first map come first.

    All sums are one matrix product for each image. Their number is M * C * h * w: 13 million for 32 maps of 14 x 14
    pixels and 2,048 channels.
    """

    def hybrid_forward(self, F, features, attention):
        return _unit_length(F, _under_maps(F, features, attention))


class CompactAttentionPooling(HybridBlock):
    """As :class:`BilinearAttentionPooling`, with fewer numbers for each map: a count sketch of its C channels.

    Channels are added up in groups of about C * M / length, each with its sign, before the square root. Groups and
    signs are random and fixed: they are the ±1 of a matrix, see :func:`sketch_matrix`. Inner products of sketches are
    those of the whole vectors on average; count sketches are those of "Compact Bilinear Pooling" (Gao et al., 2015,
    https://arxiv.org/abs/1511.06062). There the sketch is one of all M * C products, as a convolution by FFT of a
    sketch of the attention and a sketch of the features in every pixel. Sketches are linear, so here the sums come
    first, which takes no FFT and one sketch for all pixels. And every map has a sketch of its own, so that no part of
    the object is added to another one.

    Inputs: features [B, C, h, w] and attention [B, M, h, w]. Outputs: [B, length], of length 1.

    Parameters
    ----------
    channels, maps : int
        C and M
    length : int
        a multiple of M, up to M * C
    """

    def __init__(self, channels, maps, length):
        super().__init__()
        if length % maps or not maps <= length <= maps * channels:
            raise ValueError(f'sketch: must be a multiple of maps ({maps}), up to {maps} maps * {channels} channels = '
                             f'{maps * channels}: {length}')
        with self.name_scope():
            self.sketch = self.params.get_constant('sketch', sketch_matrix(channels, length // maps))

    def hybrid_forward(self, F, features, attention, sketch):
        x = F.dot(_under_maps(F, features, attention), sketch)   # [B, M, C], [C, length / M] -> [B, M, length / M]
        return _unit_length(F, x)


def sketch_matrix(channels, buckets):
    """A fixed count sketch: float32 [channels, buckets], each row has one number that is not 0, and is 1 or -1.

    Buckets have equal numbers of channels, or one more. The same arguments give the same matrix, always.
    """
    random = np.random.RandomState(0)   # whose numbers NumPy promises never to change
    matrix = np.zeros((channels, buckets), np.float32)
    matrix[random.permutation(channels), np.arange(channels) % buckets] = random.choice((-1, 1), channels)
    return matrix


def _under_maps(F, features, attention):
    """[B, C, h, w], [B, M, h, w] -> [B, M, C]: means over pixels of the products."""
    features, attention = (F.reshape(x, (0, 0, -1)) for x in (features, attention))   # [B, ., h, w] -> [B, ., h * w]
    attention = F.contrib.div_sqrt_dim(F.contrib.div_sqrt_dim(attention))   # divided by h * w
    return F.batch_dot(attention, features, transpose_b=True)


def _unit_length(F, x):
    """[B, M, C] -> [B, M * C]. What is added under the roots keeps gradients finite where all of x is 0."""
    x = F.reshape(F.sign(x) * F.sqrt(F.abs(x) + _UNDER_ROOT), (0, -1))
    return F.broadcast_div(x, F.sqrt(F.sum(F.square(x), axis=1, keepdims=True) + _UNDER_ROOT ** 2))
