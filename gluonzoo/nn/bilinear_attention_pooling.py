"""Bilinear attention pooling: the features under each of several attention maps, as one vector.

Paper: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (Hu et al., 2019, https://arxiv.org/abs/1901.09891), section 3.1.2.
Public code: github.com/tau-yihouxiang/WS_DAN (nets/inception_v3_bap.py) and github.com/GuYuc/WS-DAN.PyTorch
(models/wsdan.py).
"""
import numpy as np
from mxnet.gluon import HybridBlock

__all__ = ['BilinearAttentionPooling', 'CompactAttentionPooling', 'sketch_groups', 'sketch_signs']

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

    Before the square root, channels are added up in groups of about C * M / length, each with a sign. Groups and signs
    are random and fixed; the groups are those of every map, the signs differ: see :func:`sketch_groups` and
    :func:`sketch_signs`. Inner products of sketches are those of the whole vectors on average.

    Count sketches are those of "Compact Bilinear Pooling" (Gao et al., 2015, https://arxiv.org/abs/1511.06062). There,
    one sketch is of all M * C products. An FFT makes it in every pixel, of a sketch of the attention and one of the
    features. A sketch is linear, so here the sums over pixels come first. That takes no FFT, and one sketch instead of
    one for each pixel. Every map has a sketch of its own here, so that a number is always of one map. Inner products
    are as near to those of the whole vectors, where the maps are about equally strong.

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
            self.signs = self.params.get_constant('signs', sketch_signs(maps, channels)[None])
            self.groups = self.params.get_constant('groups', sketch_groups(channels, length // maps))

    def hybrid_forward(self, F, features, attention, signs, groups):
        x = F.broadcast_mul(_under_maps(F, features, attention), signs)   # [B, M, C], [1, M, C] -> [B, M, C]
        return _unit_length(F, F.dot(x, groups))   # [B, M, C], [C, length / M] -> [B, M, length / M]


def sketch_signs(maps, channels):
    """Fixed signs, of each channel of each map: float32 [maps, channels] of 1 and -1.

    The same arguments give the same signs, always.
    """
    # NumPy promises never to change the numbers of RandomState.
    return np.random.RandomState(0).choice(np.array((-1, 1), np.float32), (maps, channels))


def sketch_groups(channels, groups):
    """A fixed partition of the channels: float32 [channels, groups], each row has one 1, and zeros.

    Groups have equal numbers of channels, or one more. The same arguments give the same groups, always.
    """
    matrix = np.zeros((channels, groups), np.float32)
    matrix[np.random.RandomState(1).permutation(channels), np.arange(channels) % groups] = 1
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
