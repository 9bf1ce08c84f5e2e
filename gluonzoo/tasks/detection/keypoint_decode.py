"""Decodes the outputs of CenterNet to boxes in an image.

As in the official code of "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019), pairs of corners
make boxes, a centre in the middle of a box confirms the box, and soft-NMS lowers the scores of overlapping boxes.

Deviations:

1. A place that is not a peak of a heat map is no keypoint, even where there are fewer peaks than keypoints asked for.
2. With many classes, 22 or more, peaks are searched only in the rows with the greatest heats: ten times as many rows,
   of all classes together, as keypoints asked for. These are as many rows as five whole maps of 128 rows have. A lower
   peak is no object.
3. A box that soft-NMS drops is removed. The official test keeps the dropped rows, with their former scores.
4. When boxes of several scales are merged, the scores of a box's corners stay with the box. Official soft-NMS exchanges
   rows of boxes but for these two columns, so a box is weighted with corner scores of another. The paper's best
   numbers are measured so.
5. A box that reaches 1.25 cells out of the image is rejected. Of an input of 511 pixels these are 4.99 pixels.
   The official number is 5 pixels of any input.
"""
import numpy as np
from mxnet.gluon import HybridBlock

from ...ops.gather import gather_cells, gather_rows

__all__ = ['KeypointDecoder', 'CenterCheck', 'soft_nms']

_MARGIN = 1.25         # cells, about 5 pixels of the network's input: a box that leaves the image so far is rejected
_ROWS = 10             # for each keypoint, so many rows of the maps are searched
_SMALL_AREA = 22500    # pixels of the image; a box that is larger has a smaller middle


class KeypointDecoder(HybridBlock):
    """Boxes of the likeliest pairs of corners, and the likeliest centres.

    A keypoint is a cell whose heat is the greatest of the 3 x 3 cells around it. The `top` best keypoints, of all
    classes together, are used (see the second deviation above). A top-left and a bottom-right corner make a box if they
    have the same class, if their tags differ by at most `tag_distance`, and if the first is not right of or below the
    second. The score of a box is the mean of the scores of the corners.

    Parameters
    ----------
    classes : int
    top : int
        keypoints of a kind
    pairs : int
        boxes of an image, at most ``top * top``
    tag_distance : float
    least_height : int
        no map has fewer rows

    Inputs:
        - **heads**: list of the 8 arrays of one stack, float32, in the order of
          :data:`gluonzoo.models.centernet.HEADS`
        - **views**: [B, 6]: x, y, dx, dy, width, height. Which part of which image the input shows: the cell in column
          i and row j begins at the pixel (x + i dx, y + j dy) of an image of `width` x `height` pixels; dx is negative
          in a mirrored view.

    Outputs:
        - **boxes**: [B, pairs, 4], xmin ymin xmax ymax in pixels of the image, clipped to it
        - **scores**: [B, pairs], 0 to 1, best first; -1 for what is no box, or lies too far outside of the image
        - **labels**: [B, pairs]
        - **centers**: [B, top, 4]: x and y in pixels of the image, clipped to it, label, score from 0 to 1; best first
        - **corner_scores**: [B, pairs, 2], 0 to 1: of the top-left and the bottom-right corner (as the view shows them)
    """

    def __init__(self, classes, top=70, pairs=1000, tag_distance=.5, least_height=32):
        super().__init__()
        self._top, self._pairs, self._tag_distance = top, min(pairs, top * top), tag_distance
        self._rows = _ROWS * top if classes * least_height >= _ROWS * top else None   # None: all of them

    def hybrid_forward(self, F, heads, views):
        heats, tags, offsets = heads[:3], heads[3:5], heads[5:]
        (tl, tl_cells), (br, br_cells), (ct, _) = (self._keypoints(F, *pair) for pair in zip(heats, offsets))
        tl_tags, br_tags = (gather_cells(F, *pair) for pair in zip(tags, (tl_cells, br_cells)))   # [B, top, 1]

        def compared(operator, a, b):
            """[B, top, 1], [B, top, 1] -> [B, top (of a), top (of b)]"""
            return operator(a, F.transpose(b, axes=(0, 2, 1)))

        valid = F.abs(compared(F.broadcast_sub, tl_tags, br_tags)) <= self._tag_distance
        (x1, y1, label1, score1), (x2, y2, label2, score2) = (F.split(k, num_outputs=4, axis=2) for k in (tl, br))
        for operator, a, b in ((F.broadcast_lesser_equal, x1, x2), (F.broadcast_lesser_equal, y1, y2),
                               (F.broadcast_equal, label1, label2), (F.broadcast_mul, score1 > 0, score2 > 0)):
            valid = valid * compared(operator, a, b)
        scores = _reject(valid, compared(F.broadcast_add, score1, score2) / 2)
        scores, pairs = F.topk(F.reshape(scores, shape=(0, -1)), k=self._pairs, ret_typ='both')   # [B, pairs] each
        first, second = self._divide(F, pairs, self._top)
        tl, br = (gather_rows(F, *pair) for pair in ((tl, first), (br, second)))   # [B, pairs, 4] each

        def part(x, begin, end):
            return F.slice_axis(x, axis=2, begin=begin, end=end)

        origin, pitch, size = (part(F.expand_dims(views, 1), i, i + 2) for i in (0, 2, 4))   # [B, 1, 2] each
        a, b, center = (F.broadcast_add(F.broadcast_mul(part(k, 0, 2), pitch), origin) for k in (tl, br, ct))   # pixels
        low, high = F.minimum(a, b), F.maximum(a, b)   # the same, unless mirrored
        margin = _MARGIN * F.abs(pitch)
        outside = F.broadcast_lesser_equal(low, -margin) + F.broadcast_greater_equal(high, size + margin)
        outside_x, outside_y = F.split(outside, num_outputs=2, axis=2, squeeze_axis=True)
        scores = _reject((outside_x + outside_y) == 0, scores)
        low, high, center = (F.broadcast_minimum(F.relu(xy), size) for xy in (low, high, center))
        return (F.concat(low, high, dim=2), scores, F.reshape(part(tl, 2, 3), shape=(0, -1)),
                F.concat(center, part(ct, 2, 4), dim=2), F.concat(part(tl, 3, 4), part(br, 3, 4), dim=2))

    def _keypoints(self, F, heat, offsets):
        """-> x and y in cells, label, score: [B, top, 4]; numbers of the cells: [B, top]"""
        sizes = F.cast(F.shape_array(offsets), 'float32')
        height, width = (F.reshape(F.slice_axis(sizes, axis=0, begin=i, end=i + 1), shape=(1, 1)) for i in (2, 3))
        lines = F.reshape(heat, shape=(0, -3, 0))   # [B, classes * H, W]
        numbers = self._best_lines(F, lines)   # [B, rows]
        label, y = self._divide(F, numbers, height)
        lines, above, below = (gather_rows(F, lines, line) for line in (
            numbers, numbers - (y > 0), numbers + F.broadcast_lesser(y, height - 1)))   # [B, rows, W] each
        peaks = lines + 1e30 * (lines - self._around(F, lines, above, below))   # what is no peak is below all others
        # In float32, numbers of places would be rounded from 2^24 on, which a large photo has.
        logits, places = F.topk(F.reshape(peaks, shape=(0, -1)), k=self._top, ret_typ='both', dtype='float64')
        line, x = (F.cast(part, 'float32') for part in self._divide(F, places, F.cast(width, 'float64')))   # [B, top]
        label, y = F.split(gather_rows(F, F.stack(label, y, axis=2), line), num_outputs=2, axis=2, squeeze_axis=True)
        cells = F.broadcast_mul(y, width) + x
        dx, dy = F.split(gather_cells(F, offsets, cells), num_outputs=2, axis=2, squeeze_axis=True)
        return F.stack(x + dx, y + dy, label, F.sigmoid(logits), axis=2), cells

    def _best_lines(self, F, lines):
        """The numbers of the lines to search. [B, N, W] -> [B, rows]"""
        best = F.slice_axis(F.contrib.left_pool(F.expand_dims(lines, 1)), axis=3, begin=0, end=1)
        best = F.reshape(best, shape=(0, -1))   # [B, N]
        if self._rows:
            return F.topk(best, k=self._rows)
        return F.broadcast_like(F.expand_dims(F.contrib.arange_like(best, axis=1), 0), best)

    @staticmethod
    def _around(F, *lines):
        """The greatest of the 3 x 3 cells around each of the middle one of three lines. [B, rows, W] -> [B, rows, W]"""
        x = F.expand_dims(F.maximum(lines[0], F.maximum(*lines[1:])), 1)   # on a CPU, F.concat is slow unless it is 4-D
        left, right = (F.slice_axis(x, axis=3, begin=begin, end=end) for begin, end in ((0, 1), (-1, None)))
        before = F.concat(left, F.slice_axis(x, axis=3, begin=0, end=-1), dim=3)
        after = F.concat(F.slice_axis(x, axis=3, begin=1, end=None), right, dim=3)
        return F.reshape(F.maximum(x, F.maximum(before, after)), shape=(-3, 0, 0))

    @staticmethod
    def _divide(F, a, b):
        """Quotient and remainder of whole numbers. [B, N], int or [1, 1] -> [B, N], [B, N]"""
        if isinstance(b, int):
            quotient = F.floor(a / b)
            return quotient, a - quotient * b
        quotient = F.floor(F.broadcast_div(a, b))
        return quotient, a - F.broadcast_mul(quotient, b)


class CenterCheck(HybridBlock):
    """Keeps the boxes that have a centre of their class in their middle.

    The middle is the central third of a box in x and y, or the central fifth of a box of more than 22500 pixels. The
    score becomes (2 score + the score of the centre) / 3, with the first centre that fits.

    Inputs: boxes [B, N, 4], scores [B, N], labels [B, N], centers [B, M, 4] as of :class:`KeypointDecoder`.
    Outputs: scores [B, N]; -1 for what is not confirmed, or was no box.
    """

    def hybrid_forward(self, F, boxes, scores, labels, centers):
        low, high = (F.slice_axis(boxes, axis=2, begin=i, end=i + 2) for i in (0, 2))   # [B, N, 2]
        extent = high - low
        small = F.prod(extent, axis=2, keepdims=True) <= _SMALL_AREA   # [B, N, 1]
        edge = F.broadcast_mul(extent, small / 3 + (1 - small) * .4)
        low, high = low + edge, high - edge
        centers = F.transpose(centers, axes=(0, 2, 1))   # [B, 4, M]
        x, y, label, center_scores = F.split(centers, num_outputs=4, axis=1)   # [B, 1, M] each
        inside = F.broadcast_equal(F.expand_dims(labels, 2), label)   # [B, N, M]
        inside = F.broadcast_mul(inside, center_scores > 0)   # what is no peak fills up the centres, with a score of 0
        for axis, value in enumerate((x, y)):
            a, b = (F.slice_axis(xy, axis=2, begin=axis, end=axis + 1) for xy in (low, high))
            inside = inside * F.broadcast_lesser(a, value) * F.broadcast_greater(b, value)
        first = F.argmax(inside, axis=2)   # [B, N]
        confirmed = F.pick(inside, first, axis=2) * (scores > -1)
        center = gather_rows(F, F.transpose(center_scores, axes=(0, 2, 1)), first)   # [B, N, 1]
        return _reject(confirmed, (2 * scores + F.reshape(center, shape=(0, -1))) / 3)


def _reject(valid, scores):
    """Scores where `valid` is 1, and -1 where it is 0."""
    return valid * (scores + 1) - 1


def soft_nms(boxes, scores, labels, corner_scores=None, sigma=.5, least=.001, keep=100):
    """Lowers the score of a box by its overlap with better boxes of its class, instead of removing the box.

    The best box is taken. The scores of the other boxes of its class are multiplied by exp(-IoU^2 / sigma). A box whose
    score falls below `least` is removed. This is repeated with the remaining boxes. As in the official code, a pixel is
    part of the box that ends in it: 1 is added to widths and heights.

    "Soft-NMS: Improving Object Detection With One Line of Code" (Bodla et al., 2017)

    Parameters
    ----------
    boxes : array [N, 4]
        xmin ymin xmax ymax, pixels
    scores, labels : array [N]
    corner_scores : array [N, 2], optional
        With them, a box that is taken becomes the mean of itself and of the boxes whose scores it lowers, as in the
        official code for several scales. The weights are the scores of the corners (the top-left corner's for xmin and
        ymin, the other corner's for xmax and ymax), times (1 - exp(-IoU^2 / sigma))^10; for the box itself, times 1.
    sigma, least : float
    keep : int
        so many boxes at most, of all classes together

    Returns
    -------
    kept : int array [n]
        numbers of boxes, best first
    scores : float32 array [n]
        of those, lowered
    boxes : float32 array [n, 4]
        those; the means, with `corner_scores`
    """
    boxes, scores, labels = np.asarray(boxes, 'float64'), np.asarray(scores, 'float64'), np.asarray(labels)
    order = np.argsort(labels, kind='stable')   # a class is a slice
    labels = labels[order]
    begins, ends = (np.searchsorted(labels, labels, side) for side in ('left', 'right'))
    left, corners = scores[order], boxes[order].T.copy()   # [N], [4, N]
    xmin, ymin, xmax, ymax = corners + [[0], [0], [1], [1]]
    areas = (xmax - xmin) * (ymax - ymin)
    if corner_scores is not None:
        weights = np.asarray(corner_scores, 'float64')[order].T.repeat(2, axis=0)   # [4, N]
    kept, lowered, means = [], [], []
    while len(kept) < min(keep, len(boxes)):
        best = left.argmax()
        if left[best] == -np.inf:   # gone, or taken
            break
        kept.append(order[best])
        lowered.append(left[best])
        left[best] = -np.inf
        same = slice(begins[best], ends[best])
        overlaps = (np.maximum(np.minimum(xmax[same], xmax[best]) - np.maximum(xmin[same], xmin[best]), 0)
                    * np.maximum(np.minimum(ymax[same], ymax[best]) - np.maximum(ymin[same], ymin[best]), 0))
        iou = overlaps / (areas[same] + areas[best] - overlaps)
        factors = np.exp(iou * iou * (-1 / sigma))
        if corner_scores is not None:
            shares = (1 - factors) ** 10 * (left[same] > -np.inf)
            shares[best - same.start] = 1
            shares = shares * weights[:, same]   # [4, n]
            means.append((corners[:, same] * shares).sum(1) / shares.sum(1))
        left[same] *= factors
        left[same][(left[same] < least) & (overlaps > 0)] = -np.inf
    kept = np.array(kept, 'int64')
    means = boxes[kept] if corner_scores is None else np.array(means).reshape(-1, 4)
    return kept, np.array(lowered, 'float32'), means.astype('float32')
