"""The losses of keypoint detectors: heat maps, tags (which corners belong together), and offsets in a cell.

"CornerNet: Detecting Objects as Paired Keypoints" (Law and Deng, 2018), section 3; "CenterNet: Keypoint Triplets for
Object Detection" (Duan et al., 2019) adds the centre. The normalisation is that of both official codes. The losses of
heat maps and offsets are divided by the number of objects in the batch. The losses of tags are divided by the number of
objects in each image, and summed over the images.
"""
from math import log

from mxnet.gluon.loss import Loss

from ..ops.gather import gather_cells

__all__ = ['heatmap_loss', 'tag_losses', 'offset_loss', 'KeypointTripletLoss']

_TINY = 1e-4    # of the official divisions
_LIMIT = log((1 - _TINY) / _TINY)   # the logit of a probability of 0.9999, where the official code clamps


def heatmap_loss(F, logits, targets):
    """Focal loss of heat maps. The nearer a cell is to a keypoint, the less the cell counts as wrong. -> [1]

    With p = sigmoid(logits), clamped to 0.0001..0.9999, the sum of ``-(1 - p)^2 log p`` where the target is 1, and of
    ``-(1 - target)^4 p^2 log(1 - p)`` elsewhere, divided by the number of targets that are 1, or by 1 if there is none.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    logits, targets : NDArray or Symbol [B, classes, H, W]
        of one dtype, float32 or float64; targets from 0 to 1, exactly 1 at keypoints
    """
    positive = targets == 1
    # How sure each cell is of what is wrong, as a logit; then both losses are p^2 softrelu(wrong), p being its sigmoid.
    wrong = F.clip(logits, -_LIMIT, _LIMIT) * (1 - 2 * positive)   # not F.maximum: NaN shall stay NaN
    losses = F.square(F.Activation(wrong, act_type='sigmoid')) * F.Activation(wrong, act_type='softrelu')
    weights = F.square(F.square(1 - targets)) + positive   # the first is 0 at keypoints
    return _dot(F, weights, losses) / F.maximum(_dot(F, positive, positive), 1)


def _dot(F, a, b):
    """Sum of all products; on a CPU ten times as fast as F.sum, which is slow."""
    return F.dot(F.reshape(a, shape=(-1,)), F.reshape(b, shape=(-1,)))


def tag_losses(F, tl_tags, br_tags, mask):
    """Pulls the two tags of an object together, pushes those of different objects apart. -> [1], [1]

    With n objects in an image and t the mean of an object's two tags, pull is ``sum((tl - t)^2 + (br - t)^2) / n`` and
    push is the mean over pairs of different objects of ``max(0, 1 - |t - t'|)``. As in the official code, every divisor
    has 0.0001 added. Also as there, push sums over the pairs of an object with itself too, and subtracts 1 / n from
    every pair. So a single object has a push of nearly 1, which has no gradient.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    tl_tags, br_tags : NDArray or Symbol [B, M]
    mask : NDArray or Symbol [B, M]
        1 for objects, 0 for what fills up
    """
    count = F.sum(mask, axis=1, keepdims=True)   # [B, 1]
    mean = (tl_tags + br_tags) / 2
    apart = F.square(tl_tags - mean) + F.square(br_tags - mean)
    pull = F.sum(F.broadcast_div(mask * apart, count + _TINY))
    pairs = F.broadcast_mul(F.expand_dims(mask, 1), F.expand_dims(mask, 2))   # [B, M, M]
    distance = F.abs(F.broadcast_sub(F.expand_dims(mean, 1), F.expand_dims(mean, 2)))
    count = F.expand_dims(count, 2)   # [B, 1, 1]
    push = F.broadcast_sub(F.relu(1 - distance), 1 / (count + _TINY))
    push = F.broadcast_div(push, (count - 1) * count + _TINY)
    return pull, F.sum(push * pairs)


def offset_loss(F, offsets, targets, mask):
    """Smooth L1, summed over x, y and objects, divided by the number of objects plus 0.0001. -> [1]

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    offsets, targets : NDArray or Symbol [B, M, 2]
    mask : NDArray or Symbol [B, M]
        1 for objects, 0 for what fills up
    """
    distance = F.broadcast_mul(F.smooth_l1(offsets - targets, scalar=1), F.expand_dims(mask, 2))
    return F.sum(distance) / (F.sum(mask) + _TINY)


class KeypointTripletLoss(Loss):
    """The four losses of CenterNet, weighted; their sum is to be minimised. Each is the mean over the stacks.

    Parameters
    ----------
    pull, push, offset : float
        weights; that of the heat maps is 1

    Inputs:
        - **outputs**: list of 8 arrays for each stack, in the order of :data:`gluonzoo.models.centernet.HEADS`
        - **targets**: list of 10 arrays, :class:`gluonzoo.data.transforms.keypoint_targets.KeypointTargets`

    Outputs: heat, pull, push and offset loss, [1] each.
    """

    def __init__(self, pull=.1, push=.1, offset=1.0):
        super().__init__(weight=None, batch_axis=0)
        self._pull, self._push, self._offset = pull, push, offset

    def hybrid_forward(self, F, outputs, targets):
        stacks = [outputs[i:i + 8] for i in range(0, len(outputs), 8)]
        losses = zip(*[self._losses(F, stack, targets) for stack in stacks])
        return [sum(values) * (weight / len(stacks))
                for values, weight in zip(losses, (1, self._pull, self._push, self._offset))]

    @staticmethod
    def _losses(F, heads, targets):
        heats, (tl_tag, br_tag), offsets = heads[:3], heads[3:5], heads[5:]
        heat_targets, cells, offset_targets, mask = targets[:3], targets[3:6], targets[6:9], targets[9]
        heat = sum(heatmap_loss(F, *pair) for pair in zip(heats, heat_targets))
        tags = [F.reshape(gather_cells(F, tag, cell), shape=(0, -1)) for tag, cell in zip((tl_tag, br_tag), cells)]
        pull, push = tag_losses(F, *tags, mask)
        offset = sum(offset_loss(F, gather_cells(F, maps, cell), target, mask)
                     for maps, cell, target in zip(offsets, cells, offset_targets))
        return heat, pull, push, offset
