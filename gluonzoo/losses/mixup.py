"""Pictures that are mixed in pairs, and their targets with them.

Source: "mixup: Beyond Empirical Risk Minimization" (Zhang et al., 2017, https://arxiv.org/abs/1710.09412). As in its
official code, a batch has one weight, and a picture's partner is in the same batch.
"""
import mxnet as mx
import numpy as np

__all__ = ['check_alpha', 'draw_weight', 'mixed']

_LEAST = 1e-6


def check_alpha(alpha):
    """ValueError unless Beta(alpha, alpha) can be drawn from; 0 stands for no mixup."""
    if alpha and not _LEAST <= alpha <= 1 / _LEAST:   # beyond, a Beta of floats is NaN or constant
        raise ValueError(f'mixup: must be 0, or from {_LEAST} to {1 / _LEAST:g}: {alpha!r}')


def draw_weight(alpha):
    """The weight of a picture beside its partner, from Beta(alpha, alpha); 1 where alpha is 0.

    It comes from NumPy's global generator, which the training loop seeds before each step.
    """
    return float(np.random.beta(alpha, alpha)) if alpha else 1.0


def mixed(images, targets, weight):
    """weight x + (1 - weight) y for each picture x and another y of the batch, and the same of their targets.

    The cross entropy is linear in its targets. So its value for the mixed ones is the paper's weighted sum of two. The
    partners are a permutation, drawn from NumPy's global generator.

    Parameters
    ----------
    images : NDArray [B, ...]
    targets : NDArray [B, classes]
    weight : float, from 0 to 1

    Returns
    -------
    (NDArray, NDArray) as given
    """
    partners = mx.nd.array(np.random.permutation(len(images)), ctx=images.context, dtype='int32')
    return tuple(weight * array + (1 - weight) * mx.nd.take(array, partners) for array in (images, targets))
