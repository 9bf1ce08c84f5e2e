"""Normalisation of each picture by itself, over all channels and pixels together: what a critic of WGAN-GP may have.

Papers: "Improved Training of Wasserstein GANs" (Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028),
section 4, which asks for it in place of batch normalisation, since the penalty is of each picture by itself; "Layer
Normalization" (Ba et al., 2016, https://arxiv.org/abs/1607.06450); "Group Normalization" (Wu and He, ECCV 2018,
https://arxiv.org/abs/1803.08494).
"""
from mxnet.gluon import HybridBlock, nn

from .row_moments import row_moments

__all__ = ['NORMS', 'MapNorm', 'norm_of']

NORMS = ('none', 'layer', 'group', 'batch')


class MapNorm(HybridBlock):
    """Normalises the maps of each picture by their one mean and variance: (x - mean) / sqrt(variance + 1e-5).

    Inputs and outputs: (N, *shape), or, where the shape is of channels alone, (N, channels, H, W). Then each is
    multiplied by its gamma, and its beta is added; they start at 1 and 0.

    Parameters
    ----------
    *shape : int
        of gamma and beta. (C, H, W), one for each number of a map, is PyTorch's LayerNorm and 'LN2d' of MMagic. (C,),
        one a channel, is a group normalisation of one group. The official WGAN-GP calls the latter layer normalisation.
    """

    epsilon = 1e-5

    def __init__(self, *shape):
        super().__init__()
        with self.name_scope():
            self.gamma = self.params.get('gamma', shape=shape, init='ones')
            self.beta = self.params.get('beta', shape=shape, init='zeros')

    def hybrid_forward(self, F, x, gamma, beta):
        # Products of matrices, and nothing that is broadcast: their gradients, and so a second derivative, take a
        # fraction of the time.
        lines = F.reshape(x, (0, -1))                                     # [N, C, H, W] -> [N, C * H * W]
        centred, variance, _ = row_moments(F, lines)
        each = F.ones_like(F.slice_axis(lines, axis=1, begin=0, end=1))   # [N, 1]
        # Products of a column and a row: [N, C * H * W], or [N, C].
        scale = F.dot((variance + self.epsilon) ** -.5, F.reshape(gamma, (1, -1)))
        shift = F.dot(each, F.reshape(beta, (1, -1)))
        if len(self.gamma.shape) == 1:
            maps = F.reshape(x, (-3, -1))                                 # [N * C, H * W]
            pixels = F.ones_like(F.slice_axis(maps, axis=0, begin=0, end=1))
            scale, shift = (F.dot(F.reshape(a, (-1, 1)), pixels) for a in (scale, shift))
            centred = F.reshape_like(centred, maps)
        return F.reshape_like(centred * scale + shift, x)


def norm_of(norm, channels, side=None):
    """The normalisation of maps (N, channels, side, side): a list of one layer, or of none.

    Parameters
    ----------
    norm : str
        'none'; 'layer', a gamma and a beta for each number of a map; 'group', for each channel; or 'batch', batch
        normalisation, with which a score depends on the other pictures of the batch

    Raises
    ------
    ValueError
        if `norm` is none of these
    """
    if norm not in NORMS:
        raise ValueError(f'norm: must be one of {", ".join(map(repr, NORMS))}: {norm!r}')
    if norm == 'none':
        return []
    if norm == 'batch':
        return [nn.BatchNorm(in_channels=channels)]
    return [MapNorm(channels, side, side) if norm == 'layer' else MapNorm(channels)]
