"""What YOLOv3 learns from the objects of an image: which rows are responsible for them, and which are left alone.

Paper: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767). Official code:
github.com/pjreddie/darknet (src/yolo_layer.c).

Of all nine anchors, an object's is the one whose size is most like its own: the greatest IoU with both on one center,
and of equal ones the first. The row of that anchor in the cell of the object's center is responsible for the object.

Deviations from darknet:

1. A center on the right or lower edge of the input belongs to the last cell. There, it belongs to the first cell of the
   next row, or to memory of something else.
2. A row of labels that is no object may stand anywhere. There, the first one ends the list.

GluonCV's YOLOV3PrefetchTargetGenerator and YOLOV3TargetMerger make the same targets, except that

- where objects have one responsible row, the class of the last is the only one; here and in darknet, all are;
- of anchors that are equally like the object, the first of the coarsest scale is taken; here and in darknet, the first
  of the finest;
- an object less than a pixel wide or high is taken to be a pixel;
- a box with a negative coordinate is no object, and no object is seen after the first row that is none;
- a center on the right or lower edge is treated as in darknet.
"""
import numpy as np
from mxnet import autograd
from mxnet.gluon import HybridBlock

from ...boxes import area, corner_to_center
from ...ops.gather import gather_rows

__all__ = ['YOLOTargets']

ANCHORS = 3   # of a scale


class YOLOTargets(HybridBlock):
    """The targets of each row of the outputs, made on the device. No gradient passes.

    An object is a row of labels whose class is from 0 to classes - 1 and whose box is finite and has an area; other
    rows are none. Where several objects have one responsible row, its box is that of the last, and its classes are
    those of all. A row that is responsible for none, but whose box has a greater IoU than `ignore` with any object, is
    not asked for its objectness.

    The same block serves inputs and batches of all sizes, also when hybridized.

    Parameters
    ----------
    classes : int
    ignore : float, from 0 to 1
        darknet's ignore_thresh: 0.7 for COCO, 0.5 for VOC; GluonCV has 0.7 for both. ValueError for others

    Inputs:
        - **boxes**: [B, N, 4], the boxes of the outputs; corner format, fractions of the input
        - **labels**: [B, M, 6]: class, xmin, ymin, xmax, ymax (fractions of the input), difficult, which does not
          count. M may be at most N. (At 416 x 416 pixels, N is 10,647.)
        - **weights**: [B, M], of the objects
        - **priors**, **anchor_table**: those of one call of
          :func:`~gluonzoo.tasks.detection.yolo_priors.make_priors`

    Outputs:
        - **objectness**: [B, N]; 1 for a responsible row, -1 for one that is not asked, 0 for the others
        - **box_targets**: [B, N, 4]; center format, fractions of the input; 0 for rows that are not responsible
        - **class_targets**: [B, N, classes]; 1 for the classes of the objects, 0 for the others
        - **row_weights**: [B, N]; of a responsible row, the weight of its last object; 1 for the others

    Numbers of rows are exact up to 2^24, the rows of all images of a batch together.
    """

    def __init__(self, classes, ignore):
        if not 0 <= ignore <= 1:
            raise ValueError(f'ignore: must be from 0 to 1: {ignore!r}')
        super().__init__()
        self._classes, self._ignore = classes, ignore

    def __call__(self, *args):
        with autograd.pause():   # recorded, a blocked gradient crashes in `split`
            return super().__call__(*args)

    def hybrid_forward(self, F, boxes, labels, weights, priors, anchor_table):
        there, classes, corners = _objects(F, labels, self._classes)   # [B, M], [B, M], [B, M, 4]
        centers = corner_to_center(corners)
        rows = _responsible_rows(F, centers, anchor_table) * there   # [B, M]; of what is no object, row 0

        # Each label writes what its row is to be. So a row that is written several times is written alike each time, in
        # whatever order, and what is no object writes what row 0 is to be anyway.
        same = F.broadcast_equal(F.expand_dims(rows, 2), F.expand_dims(rows, 1))
        same = F.broadcast_mul(same, F.expand_dims(there, 1))   # [B, M, M]: whether object n has the row of label m
        numbers = F.contrib.arange_like(there, axis=1) + 1   # [M]
        last = F.max(F.broadcast_mul(same, F.reshape(numbers, (1, 1, -1))), axis=2)   # [B, M]; 0: none
        values = F.concat(F.expand_dims(there, 2), centers, F.expand_dims(weights, 2), dim=2)   # [B, M, 6]
        values = F.broadcast_mul(gather_rows(F, values, F.relu(last - 1)), F.expand_dims(last > 0, 2))
        classes = F.minimum(F.batch_dot(same, F.one_hot(classes, depth=self._classes)), 1)   # [B, M, classes]

        # The sum alone makes sure that boxes and priors are equally many.
        nothing = F.zeros_like(F.broadcast_add(*(F.slice_axis(x, axis=2, begin=0, end=1) for x in (boxes, priors))))
        values = _write(F, F.tile(nothing, (1, 1, 6)), rows, values)
        class_targets = _write(F, F.tile(nothing, (1, 1, self._classes)), rows, classes)
        responsible = F.reshape(F.slice_axis(values, axis=2, begin=0, end=1), (0, -1))   # [B, N]
        row_weights = F.reshape(F.slice_axis(values, axis=2, begin=5, end=6), (0, -1))
        ignored = _overlap_more(F, boxes, corners, there, self._ignore)
        objectness = F.where(responsible, responsible, 0 - ignored)   # not -ignored, which is -0
        row_weights = F.where(responsible, row_weights, F.ones_like(row_weights))
        box_targets = F.slice_axis(values, axis=2, begin=1, end=5)
        return [F.BlockGrad(x) for x in (objectness, box_targets, class_targets, row_weights)]


def _objects(F, labels, classes):
    """Whether each label is an object [B, M], its class [B, M], its box [B, M, 4]; zeros for what is none."""
    numbers = F.slice_axis(labels, axis=2, begin=0, end=1)   # [B, M, 1]
    corners = F.slice_axis(labels, axis=2, begin=1, end=5)
    cx, cy, w, h = F.split(corner_to_center(corners), num_outputs=4, axis=2)   # [B, M, 1] each
    there = (numbers >= 0) * (numbers < classes) * (w > 0) * (h > 0)   # of NaN, no comparison holds
    there = there * (F.abs(cx) + w < np.inf) * (F.abs(cy) + h < np.inf)
    numbers = F.where(there, numbers, F.zeros_like(numbers))
    corners = F.where(F.broadcast_like(there, corners), corners, F.zeros_like(corners))
    return F.reshape(there, (0, -1)), F.reshape(numbers, (0, -1)), corners


def _responsible_rows(F, boxes, anchor_table):
    """[B, M, 4] center format -> [B, M], whole numbers"""
    cx, cy, w, h = F.split(boxes, num_outputs=4, axis=2)   # [B, M, 1] each
    widths, heights = (F.reshape(F.slice_axis(anchor_table, axis=1, begin=i, end=i + 1), (1, 1, -1)) for i in (0, 1))
    intersection = F.broadcast_minimum(w, widths) * F.broadcast_minimum(h, heights)   # [B, M, 9]
    union = F.broadcast_add(w * h, widths * heights) - intersection
    best = F.argmax(intersection / union, axis=2)   # [B, M]; the first of equals
    _, _, columns, rows, first, place = F.split(F.take(anchor_table, best, axis=0), num_outputs=6, axis=2)
    column = F.maximum(F.minimum(F.floor(cx * columns), columns - 1), 0)   # [B, M, 1]
    row = F.maximum(F.minimum(F.floor(cy * rows), rows - 1), 0)
    return F.reshape(first + (row * columns + column) * ANCHORS + place, (0, -1))


def _overlap_more(F, boxes, objects, there, threshold):
    """Whether the IoU of each box with any object is above the threshold. [B, N, 4], [B, M, 4], [B, M] -> [B, N]

    IoU > t is I > t / (1 + t) A, where I is the intersection and A the sum of both areas. This takes a third less time
    than the IoUs of all pairs: each operation on [B, N, M] counts.
    """
    aleft, atop, aright, abottom = F.split(boxes, num_outputs=4, axis=2)   # [B, N, 1] each
    bleft, btop, bright, bbottom = F.split(F.transpose(objects, (0, 2, 1)), num_outputs=4, axis=1)   # [B, 1, M] each
    share = threshold / (1 + threshold)
    areas = F.broadcast_add(share * F.expand_dims(area(boxes), 2), share * F.expand_dims(area(objects), 1))
    width = F.broadcast_minimum(aright, bright) - F.broadcast_maximum(aleft, bleft)   # [B, N, M]
    height = F.broadcast_minimum(abottom, bbottom) - F.broadcast_maximum(atop, btop)
    more = F.relu(width) * F.relu(height) > areas
    return F.reshape(F.batch_dot(more, F.expand_dims(there, 2)) > 0, (0, -1))


def _write(F, table, rows, values):
    """`table`, with `values` in its rows of these numbers. [B, N, C], [B, M], [B, M, C] -> [B, N, C]"""
    column = F.slice_axis(table, axis=2, begin=0, end=1)   # [B, N, 1]
    first = F.slice_axis(F.contrib.arange_like(column), axis=1, begin=0, end=1)   # [B, 1, 1]: 0, N, 2 N ...
    most = F.slice_axis(F.contrib.arange_like(column, axis=1), axis=0, begin=-1, end=None)   # [1]: N - 1
    # index_copy writes anywhere, so numbers of another size's anchor table must not reach it.
    rows = F.broadcast_add(F.broadcast_minimum(rows, F.expand_dims(most, 0)), F.reshape(first, (-1, 1)))
    flat = F.contrib.index_copy(F.reshape(table, (-3, 0)), F.reshape(rows, (-1,)), F.reshape(values, (-3, 0)))
    return F.reshape_like(flat, table)
