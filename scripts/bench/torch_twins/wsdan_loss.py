"""The loss of WS-DAN in PyTorch, as one would write it there, and the update of its centers."""
import torch
from torch import nn
from torch.nn import functional as F


class CenterLoss(nn.Module):
    """The mean squared distance of features to the centers of their classes, which are no parameters here.

    As in the official code, centers are divided by their lengths, and a center moves once for each picture of its
    class.
    """

    def __init__(self, classes, length, beta=.05):
        super().__init__()
        self.beta = beta
        self.register_buffer('centers', torch.zeros(classes, length))

    def forward(self, feature, labels):
        """[B, length], [B] -> loss. The centers move here, after the loss is computed, so call it once a step."""
        differences = feature - F.normalize(self.centers[labels], dim=-1)
        # Not `centers[labels] += ...`, which keeps one of several pictures of a class.
        self.centers.index_add_(0, labels, differences.detach(), alpha=self.beta)
        return differences.square().sum(1).mean()


class WSDANLoss(nn.Module):
    """The mean of three cross entropies, of the raw picture, its crop and its drop, plus the center loss."""

    def __init__(self, classes, length, beta=.05):
        super().__init__()
        self.center = CenterLoss(classes, length, beta)

    def forward(self, raw, crop, drop, feature, labels):
        """Logits [B, classes] of the three views, feature [B, length] of the raw one, labels [B] -> loss."""
        return sum(F.cross_entropy(logits, labels) for logits in (raw, crop, drop)) / 3 + self.center(feature, labels)
