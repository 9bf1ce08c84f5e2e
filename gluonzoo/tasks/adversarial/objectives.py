"""Adversarial losses of the discriminator's scores, for the discriminator and for the generator.

An objective is a function of (raw scores of any shape, whether they should be those of real pictures). Its value, [1],
is to be minimised.
"""
import mxnet as mx
from mxnet import gluon

__all__ = ['OBJECTIVES', 'cross_entropy', 'squared_distance', 'critic']

_bce, _l2 = gluon.loss.SigmoidBCELoss(), gluon.loss.L2Loss(weight=2)   # 2: MXNet's is half of the square


def cross_entropy(scores, real):
    """Binary cross-entropy of the scores' sigmoids."""
    return _bce(scores, mx.nd.full(scores.shape, real, ctx=scores.ctx)).mean()


def squared_distance(scores, real):
    """Squared distance to 1 for real pictures, to 0 for made ones: LSGAN."""
    return _l2(scores, mx.nd.full(scores.shape, real, ctx=scores.ctx)).mean()


def critic(scores, real):
    """The mean score, which is to be high for real pictures: WGAN. The critic is not bounded here."""
    return -scores.mean() if real else scores.mean()


OBJECTIVES = {'vanilla': cross_entropy, 'lsgan': squared_distance, 'wgan': critic}
