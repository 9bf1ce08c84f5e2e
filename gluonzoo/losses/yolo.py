"""The losses of YOLOv3: objectness and classes by cross entropies of sigmoids, boxes by one of five kinds.

Papers: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767), "Generalized
Intersection over Union: A Metric and a Loss for Bounding Box Regression" (Rezatofighi et al., 2019,
https://arxiv.org/abs/1902.09630), "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression" (Zheng et
al., 2020, https://arxiv.org/abs/1911.08287). Official code: github.com/pjreddie/darknet and
github.com/generalized-iou/g-darknet (src/yolo_layer.c, src/box.c), whose losses are gradients alone: what they log is
another number.

Deviations:

1. Where two boxes do not meet, their intersection is 0. In g-darknet's gradient it is a product of two lengths, one or
   both of which are negative: two boxes apart in x and in y have an intersection that grows with their distance.
2. By default, the gradient of GIoU and IoU is that of the formula. g-darknet leaves out the sigmoid's slope, the number
   of columns and rows, and the anchor's part of the input; ``giou_gradient='darknet'`` gives its gradient.
3. Raw outputs are clipped: to +-8 before exp, to +-10,000 elsewhere. So the loss and the gradient of infinite outputs
   are finite. No gradient passes beyond these bounds, where no trained network comes.
4. With the kind 'mse', the logarithm of an object's size in anchors is clipped to +-8, too, and an object counts as no
   larger than the input: 2 - w h would be negative at last.
"""
import math

from mxnet.gluon import HybridBlock

from ..boxes import center_to_corner, ciou, diou, giou, iou
from ..values import NUMBER, check, number

__all__ = ['YOLOLoss', 'predicted_boxes']

MOST_SIZE = 8   # of the logarithm of a size in anchors: 2981 anchors
MOST = 1e4   # of any raw output

OVERLAPS = {'iou': iou, 'giou': giou, 'diou': diou, 'ciou': ciou}

# The weight of the box loss, of each kind and gradient. Those of 'darknet' are g-darknet's for COCO; for VOC, 0.25.
BOX_WEIGHTS = {
    'autograd': {'mse': 1, 'iou': 2.5, 'giou': 2.5, 'diou': 2.5, 'ciou': 2.5},
    'darknet': {'iou': 0.5, 'giou': 0.5},
}


def predicted_boxes(F, rows, priors):
    """The boxes that raw outputs stand for. They are finite, whatever the outputs, unless these are NaN.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    rows : NDArray or Symbol [B, N, 4 or more]
        raw outputs: tx, ty, tw, th and others
    priors : NDArray or Symbol [1, N, 6]
        of each row: column, row, columns, rows, and the anchor's width and height as fractions of the input

    Returns
    -------
    NDArray or Symbol [B, N, 4]
        center format, fractions of the input: (column + sigmoid tx) / columns, (row + sigmoid ty) / rows, and the
        anchor's width times exp tw, its height times exp th, where tw and th are clipped to +-8
    """
    cells, grids, anchors = _pairs(F, priors, 3)
    centers, sizes = _pairs(F, rows, 2)
    centers = F.broadcast_div(F.broadcast_add(F.sigmoid(centers), cells), grids)
    return F.concat(centers, F.broadcast_mul(_scales(F, sizes), anchors), dim=2)


class YOLOLoss(HybridBlock):
    """Objectness, box and class losses: sums over an image, means over the batch, as darknet has them.

    The classes are not exclusive: each has a sigmoid. The box loss is that of the responsible rows, of the kind

    - 'mse', darknet's: cross entropy of the sigmoids of tx and ty with the place in the cell, from 0 to 1, and half of
      the squares of tw and th less the logarithm of the object's size in anchors; all times 2 - w h of the object, so
      that small ones count more. (GluonCV has absolute values instead of half of the squares.)
    - 'iou', 'giou', 'diou', 'ciou': 1 less the overlap of the boxes, by :mod:`gluonzoo.boxes`, in units of cells.

    Parameters
    ----------
    box_loss : {'mse', 'iou', 'giou', 'diou', 'ciou'}
    giou_gradient : {'autograd', 'darknet'}
        'darknet', for 'iou' and 'giou': the gradient by tx and ty is that by the box's center, as fractions of the
        input; the gradient by tw and th is that by the box's size, times exp tw and exp th. At 416 x 416 pixels, it is
        at least 52 times as large for centers, and 1.1 to 42 times for sizes. The loss is the same.
    box_weight : float, optional
        what the box loss is multiplied by; default: that of the kind and gradient in `BOX_WEIGHTS`
    smoothing : float, from 0 to below 0.5
        the targets of the classes are 1 - smoothing for those of the objects and smoothing for the others. GluonCV's
        label smoothing is the smaller one of 1 / classes and 1 / 40.

    Raises ValueError for values out of range, and for 'darknet' with a kind that has no such gradient.

    Inputs:
        - **rows**: [B, N, 5 + classes], raw outputs: tx, ty, tw, th, objectness, classes
        - **priors**: [1, N, 6], as of :func:`predicted_boxes`
        - **objectness**: [B, N]; 1 for a responsible row, 0 for one that is not, -1 for one that does not count
        - **box_targets**: [B, N, 4]; center format, fractions of the input; of the responsible rows
        - **class_targets**: [B, N, classes], 0 or 1; of the responsible rows
        - **row_weights**: [B, N]; what the losses of a responsible row are multiplied by (mixup)

    Outputs: objectness loss [1], box loss [1], class loss [1].
    """

    def __init__(self, box_loss='mse', giou_gradient='autograd', box_weight=None, smoothing=0):
        super().__init__()
        if box_loss not in ('mse', *OVERLAPS):
            raise ValueError(f"box_loss: must be 'mse', 'iou', 'giou', 'diou' or 'ciou': {box_loss!r}")
        if giou_gradient not in BOX_WEIGHTS:
            raise ValueError(f"giou_gradient: must be 'autograd' or 'darknet': {giou_gradient!r}")
        if box_loss not in BOX_WEIGHTS[giou_gradient]:
            raise ValueError(f"giou_gradient: must be 'autograd' for the box loss {box_loss!r}: {giou_gradient!r}")
        box_weight = BOX_WEIGHTS[giou_gradient][box_loss] if box_weight is None else box_weight
        check('box_weight', box_weight, number(0))
        check('smoothing', smoothing, NUMBER)
        if not 0 <= smoothing < 0.5:
            raise ValueError(f'smoothing: must be from 0 to below 0.5: {smoothing!r}')
        self._box_loss, self._giou_gradient = box_loss, giou_gradient
        self._box_weight, self._smoothing = box_weight, smoothing

    def hybrid_forward(self, F, rows, priors, objectness, box_targets, class_targets, row_weights):
        rows = F.clip(rows, -MOST, MOST)
        boxes = F.slice_axis(rows, axis=2, begin=0, end=4)   # raw, once: the gradient of each part is as large as rows
        responsible = objectness > 0   # [B, N]
        weights = responsible * row_weights
        logits = F.reshape(F.slice_axis(rows, axis=2, begin=4, end=5), (0, -1))   # [B, N]
        # A responsible row counts by its weight, others by 1, and those of -1 not at all.
        objectness_loss = _cross_entropy(F, logits, responsible) * (weights + (objectness == 0))
        if self._smoothing:
            class_targets = class_targets * (1 - 2 * self._smoothing) + self._smoothing
        class_logits = F.slice_axis(rows, axis=2, begin=5, end=None)
        class_loss = F.sum(_cross_entropy(F, class_logits, class_targets), axis=2) * weights   # [B, N]
        if self._box_loss == 'mse':
            box_loss = _squares(F, boxes, priors, box_targets)
        else:
            box_loss = 1 - OVERLAPS[self._box_loss](*_corners(F, boxes, priors, box_targets, self._giou_gradient))
        box_loss = box_loss * weights * self._box_weight
        return [F.mean(F.sum(x, axis=1)) for x in (objectness_loss, box_loss, class_loss)]


def _cross_entropy(F, logits, targets):
    """Of sigmoids. The gradient is sigmoid - target everywhere; Gluon's own loss has another at 0."""
    return F.Activation(logits, act_type='softrelu') - logits * targets


def _squares(F, rows, priors, box_targets):
    """darknet's box loss. -> [B, N]"""
    cells, grids, anchors = _pairs(F, priors, 3)
    centers, sizes = _pairs(F, rows, 2)
    object_centers, object_sizes = _pairs(F, box_targets, 2)
    places = F.clip(F.broadcast_sub(F.broadcast_mul(object_centers, grids), cells), 0, 1)
    scales = F.clip(F.broadcast_div(object_sizes, anchors), math.exp(-MOST_SIZE), math.exp(MOST_SIZE))
    loss = _cross_entropy(F, centers, places) + (sizes - F.log(scales)) ** 2 / 2   # [B, N, 2]
    return F.sum(loss, axis=2) * (2 - F.minimum(F.prod(object_sizes, axis=2), 1))


def _corners(F, rows, priors, box_targets, gradient):
    """The predicted boxes and the objects', corner format, in units of cells, in which x and y are alike."""
    boxes = predicted_boxes(F, rows, priors)
    if gradient == 'darknet':
        # The same numbers, but the slope of x is 1 by tx, and that of w is exp tw by tw.
        centers, sizes = _pairs(F, rows, 2)
        slopes = F.concat(centers, _scales(F, sizes), dim=2)
        boxes = F.BlockGrad(boxes) + (slopes - F.BlockGrad(slopes))
    _, grids, _ = _pairs(F, priors, 3)
    grids = F.concat(grids, grids, dim=2)   # columns, rows, columns, rows
    return (center_to_corner(F.broadcast_mul(x, grids)) for x in (boxes, box_targets))


def _scales(F, sizes):
    return F.exp(F.clip(sizes, -MOST_SIZE, MOST_SIZE))


def _pairs(F, x, count):
    """Two columns after the other. [..., 2 count or more] -> count x [..., 2]"""
    return [F.slice_axis(x, axis=2, begin=2 * i, end=2 * i + 2) for i in range(count)]
