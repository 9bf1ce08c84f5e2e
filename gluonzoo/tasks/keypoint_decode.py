"""From what CenterNet says of its cells to boxes in an image.

As the official code of "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019) does it: pairs of
corners make boxes, a centre in the middle of one confirms it, and soft-NMS settles what overlaps.

Deviation: places that are not peaks of a heat map are no keypoints, even where there are fewer peaks than wanted.
"""
import numpy as np
from mxnet.gluon import HybridBlock

from ..losses.keypoints import gather_cells, gather_rows

__all__ = ['KeypointDecoder', 'CenterCheck', 'soft_nms']

_MARGIN = 1.25         # cells, 5 pixels of the network's input: a box that leaves the image further is rejected
_SMALL_AREA = 22500    # pixels of the image; a box that is larger has a smaller middle


class KeypointDecoder(HybridBlock):
    """Boxes of the likeliest pairs of corners, and the likeliest centres.

    A keypoint is a cell whose heat is the greatest of the 3 x 3 cells around it; the `top` best of all classes together
    are looked at. A top-left and a bottom-right corner make a box if they are of one class, if their tags differ by at
    most `tag_distance`, and if the first is not right of or below the second. Its score is the mean of the corners'.

    Parameters
    ----------
    classes : int
    top : int
        keypoints of a kind, no more than a map has rows of all classes
    pairs : int
        boxes of an image, at most ``top * top``
    tag_distance : float

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
    """

    def __init__(self, classes, top=70, pairs=1000, tag_distance=.5):
        super().__init__()
        self._blocks = classes % 16 == 0
        self._top, self._pairs, self._tag_distance = top, min(pairs, top * top), tag_distance

    def hybrid_forward(self, F, heads, views):
        tl_heat, br_heat, ct_heat, tl_tags, br_tags, tl_offsets, br_offsets, ct_offsets = heads
        tl_label, tl_score, tl_cells, tl = self._keypoints(F, tl_heat, tl_offsets)
        br_label, br_score, br_cells, br = self._keypoints(F, br_heat, br_offsets)
        ct_label, ct_score, _, ct = self._keypoints(F, ct_heat, ct_offsets)

        def compared(operator, a, b):
            """[B, top, 1], [B, top, 1] -> [B, top (of a), top (of b)]"""
            return operator(a, F.transpose(b, axes=(0, 2, 1)))

        tags = [gather_cells(F, *tag) for tag in ((tl_tags, tl_cells), (br_tags, br_cells))]   # [B, top, 1]
        apart = F.abs(compared(F.broadcast_sub, *tags))
        valid = ((apart <= self._tag_distance) * compared(F.broadcast_equal, tl_label, br_label)
                 * compared(F.broadcast_mul, tl_score > 0, br_score > 0))
        for axis in (0, 1):
            a, b = (F.slice_axis(xy, axis=2, begin=axis, end=axis + 1) for xy in (tl, br))
            valid = valid * compared(F.broadcast_lesser_equal, a, b)
        scores = _reject(valid, compared(F.broadcast_add, tl_score, br_score) / 2)
        scores, pairs = F.topk(F.reshape(scores, shape=(0, -1)), k=self._pairs, ret_typ='both')   # [B, pairs]
        first = F.floor(pairs / self._top)
        tl, labels = (gather_rows(F, values, first) for values in (tl, tl_label))
        br = gather_rows(F, br, pairs - first * self._top)

        origin, pitch, size = (F.slice_axis(F.expand_dims(views, 1), axis=2, begin=i, end=i + 2) for i in (0, 2, 4))
        tl, br, ct = (F.broadcast_add(F.broadcast_mul(xy, pitch), origin) for xy in (tl, br, ct))   # [B, ..., 2] pixels
        low, high = F.broadcast_minimum(tl, br), F.broadcast_maximum(tl, br)   # the same, unless mirrored
        margin = _MARGIN * F.abs(pitch)
        outside = F.broadcast_lesser_equal(low, -margin) + F.broadcast_greater_equal(high, size + margin)
        scores = _reject(1 - (F.sum(outside, axis=2) > 0), scores)
        low, high, ct = (F.broadcast_minimum(F.relu(xy), size) for xy in (low, high, ct))
        return (F.concat(low, high, dim=2), scores, F.reshape(labels, shape=(0, -1)),
                F.concat(ct, ct_label, ct_score, dim=2))

    def _around(self, F, x):
        """The greatest of the 3 x 3 cells around each. Keeps the shape [B, classes, H, W]."""
        if self._blocks:
            return F.Pooling(x, kernel=(3, 3), stride=(1, 1), pad=(1, 1), pool_type='max')
        # On a CPU a convolution lays out multiples of 16 channels in blocks, which oneDNN pools fast. Anything else it
        # pools a hundred times slower.
        for axis in (2, 3):
            first, last = (F.slice_axis(x, axis=axis, begin=begin, end=end) for begin, end in ((0, 1), (-1, None)))
            before = F.concat(first, F.slice_axis(x, axis=axis, begin=0, end=-1), dim=axis)
            after = F.concat(F.slice_axis(x, axis=axis, begin=1, end=None), last, dim=axis)
            x = F.maximum(x, F.maximum(before, after))
        return x

    def _keypoints(self, F, heat, offsets):
        """-> labels, scores, [B, top, 1] each; cells [B, top]; x and y in cells [B, top, 2]"""
        sizes = F.cast(F.shape_array(offsets), 'float32')
        height, width = (F.reshape(F.slice_axis(sizes, axis=0, begin=i, end=i + 1), shape=(1, 1)) for i in (2, 3))
        peaks = heat + 1e30 * (heat - self._around(F, heat))   # what is no peak is far below all that are
        # The best cells lie in the rows with the best cells. To find those first spares sorting all cells.
        best_of_row = F.slice_axis(F.contrib.left_pool(peaks), axis=3, begin=0, end=1)   # [B, classes, H, 1]
        label, y = self._divide(F, F.topk(F.reshape(best_of_row, shape=(0, -1)), k=self._top), height)   # [B, top] each
        peaks = gather_rows(F, peaks, label, y)   # [B, classes, H, W] -> [B, top, W]
        logits, places = F.topk(F.reshape(peaks, shape=(0, -1)), k=self._top, ret_typ='both')   # [B, top]
        row, x = self._divide(F, places, width)
        label, y = F.split(gather_rows(F, F.stack(label, y, axis=2), row), num_outputs=2, axis=2, squeeze_axis=True)
        cells = F.broadcast_mul(y, width) + x
        xy = F.stack(x, y, axis=2) + gather_cells(F, offsets, cells)
        return F.expand_dims(label, 2), F.expand_dims(F.sigmoid(logits), 2), cells, xy

    @staticmethod
    def _divide(F, a, b):
        """Quotient and remainder of whole numbers. [B, N], [1, 1] -> [B, N], [B, N]"""
        quotient = F.floor(F.broadcast_div(a, b))
        return quotient, a - F.broadcast_mul(quotient, b)


class CenterCheck(HybridBlock):
    """Keeps the boxes that have a centre of their class in their middle.

    The middle is the central third of a box in x and y, or the central fifth of one of more than 22500 pixels. The
    score becomes (2 score + the centre's) / 3, with the first centre that fits.

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


def soft_nms(boxes, scores, labels, sigma=.5, least=.001, keep=100):
    """Lowers the score of a box by its overlap with better ones of its class, instead of removing it.

    The best box is taken; the scores of the others of its class are multiplied by exp(-IoU^2 / sigma); a box that falls
    below `least` by that is gone; and so on. As in the official code, a pixel is part of the box that ends in it: 1 is
    added to widths and heights.

    "Soft-NMS: Improving Object Detection With One Line of Code" (Bodla et al., 2017)

    Parameters
    ----------
    boxes : array [N, 4]
        xmin ymin xmax ymax, pixels
    scores, labels : array [N]
    sigma, least : float
    keep : int
        so many boxes at most, of all classes together

    Returns
    -------
    kept : int array [n]
        numbers of boxes, best first
    scores : float32 array [n]
        of those, lowered
    """
    boxes, left = np.asarray(boxes, 'float64'), np.array(scores, 'float64')
    labels = np.asarray(labels)
    low, high = boxes[:, :2], boxes[:, 2:] + 1
    areas = (high - low).prod(1)
    same = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    kept, lowered = [], []
    while len(kept) < min(keep, len(boxes)):
        best = left.argmax()
        if left[best] < 0:
            break
        kept.append(best)
        lowered.append(left[best])
        left[best] = -1
        others = same[labels[best]]
        overlaps = (np.minimum(high[others], high[best]) - np.maximum(low[others], low[best])).clip(0).prod(1)
        iou = overlaps / (areas[others] + areas[best] - overlaps)
        weakened = left[others] * np.exp(-iou * iou / sigma)
        weakened[(weakened < least) & (overlaps > 0)] = -1
        left[others] = np.where(left[others] < 0, -1, weakened)
    return np.array(kept, 'int64'), np.array(lowered, 'float32')
