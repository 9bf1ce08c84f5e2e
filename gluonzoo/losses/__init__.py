"""Losses that two or more models use: a function of F and arrays, and a thin Gluon loss around it."""
from .focal import SoftmaxFocalLoss, softmax_focal_loss
from .multibox import MultiBoxLoss, mine_hard_negatives

__all__ = ['MultiBoxLoss', 'SoftmaxFocalLoss', 'mine_hard_negatives', 'softmax_focal_loss']
