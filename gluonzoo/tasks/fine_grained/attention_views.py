"""Views of a picture that attention maps choose: what they look at, cropped and enlarged, and the picture without it.

Source: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (https://arxiv.org/abs/1901.09891). There are two public codes, and a variant for each:

- 'guyuc': https://github.com/GuYuc/WS-DAN.PyTorch. Maps are resized with their corner cells on the corners of the
  picture. A threshold is a part of the map's maximum before it is resized. Boxes are whole pixels in the picture.
- 'official': https://github.com/tau-yihouxiang/WS_DAN (TensorFlow 1). Cell i of a map lies at pixel i * H / h. A
  threshold is a part of the maximum of the resized map. Boxes have fractions and may leave the picture; a crop is 0
  there.

All is done on the device for the batch as a whole, with shapes that do not depend on values. Nothing waits for the
device. No gradient passes. Everything is computed in float32, whatever the type of images and maps. What is drawn
follows ``mx.random.seed``.

Deviations from both codes:

1. What is not a number or below 0 in a map counts as 0, and what is above 1e30 as 1e30.
2. Where no pixel reaches the threshold, and where a map is 0 everywhere, the map says nothing about the picture. Then
   the crop is the whole picture, and nothing is dropped. The codes stop with an error in the first case. By a map of
   zeros, GuYuc's drops the whole picture. Where all are zeros, the official code crops the whole picture with a margin
   of zeros in prediction and stops with an error in training. Nor is anything dropped where all of the picture would
   be, as by a map of one cell: a batch of such pictures has no variance, and gradients grow beyond all bounds.
3. A box has at least one pixel. GuYuc's code stops with an error where both edges of a box are the same, which happens
   in pictures of less than 20 pixels.
"""
from fractions import Fraction

from mxnet.gluon import HybridBlock

from ...ops.gather import gather_rows

__all__ = ['AttentionBox', 'AttentionCrop', 'AttentionDrop', 'RefinedView', 'TrainingViews', 'VARIANTS']

VARIANTS = {   # -> keywords of AttentionBox
    'guyuc': {'clamp': True, 'align_corners': True},
    'official': {'clamp': False, 'align_corners': False}}

CROP_THETA, CROP_PADDING = (0.4, 0.6), 0.1   # of training; thresholds are drawn between the two
DROP_THETA = 0.2, 0.5
REFINED_THETA, REFINED_PADDING = 0.1, 0.05   # of prediction

_MOST = 1e30   # of attention: sums of more could overflow
_NEVER = 1e38   # a threshold that nothing reaches
_TINY = 1e-12   # keeps the probabilities of maps numbers where all are 0


class AttentionBox(HybridBlock):
    """The box around what a map looks at.

    A pixel is looked at if the resized map is at least theta times the maximum there.

    Parameters
    ----------
    padding : float, 0 to 1, in steps of 0.001
        how much the box grows on each side, as a part of the picture's height or width
    clamp : bool
        True: edges are whole pixels, cut off towards 0, and lie in the picture. False: see the module, 'official'.
    align_corners : bool
        how the map is resized, and what the maximum is taken of: True as 'guyuc', False as 'official'

    Inputs:
        - **chosen**: [B, 1, h, w], one map a picture
        - **theta**: [B, 1, 1, 1], from 0 to below 1
        - **images**: [B, C, H, W], of any numbers: only the size counts

    Outputs:
        - **boxes**: float32 [B, 4], pixels: x0, y0, x1, y1. Pixels x0 ... x1 - 1 belong to the box. As in 'guyuc', the
          last row and column that are looked at belong to it only by the padding. Of clamp=False, the first sample of a
          crop is at x0 and the last at x1 - 1, in fractions of pixels, which is from (first / W - padding) * (W - 1) to
          (last / W + padding) * (W - 1).
    """

    def __init__(self, padding, clamp=True, align_corners=True):
        super().__init__()
        if isinstance(padding, bool) or not isinstance(padding, (int, float)) or not 0 <= padding <= 1:
            raise ValueError(f'padding: must be a number from 0 to 1: {padding!r}')
        self._padding = Fraction(padding).limit_denominator(1000)
        self._clamp, self._align_corners = clamp, align_corners

    def hybrid_forward(self, F, chosen, theta, images):
        seen, least = _resized(F, _sane(F, chosen), theta, images, self._align_corners)
        # Along the last axis maxima are found twice as fast.
        x0, x1 = self._edges(F, F.max(F.transpose(seen, axes=(0, 2, 1)), axis=2), least, _places(F, images, 3))
        y0, y1 = self._edges(F, F.max(seen, axis=2), least, _places(F, images, 2))
        return F.concat(x0, y0, x1, y1, dim=1)

    def _edges(self, F, most, least, places):
        """[B, n], the most that is seen of each column (or row) -> [B, 1] and [B, 1], where the box begins and ends"""
        n = F.max(places) + 1   # [1]
        is_seen = F.broadcast_greater_equal(most, least)
        found = F.max(is_seen, axis=1, keepdims=True)
        first = F.broadcast_sub(n, F.max(F.broadcast_mul(is_seen, F.broadcast_sub(n, places)), axis=1, keepdims=True))
        last = F.max(F.broadcast_mul(is_seen, places), axis=1, keepdims=True)
        steps, pad = self._padding.denominator, n * self._padding.numerator   # whole numbers, so that one division ...
        begin, end = F.broadcast_sub(first * steps, pad) / steps, F.broadcast_add(last * steps, pad) / steps
        if self._clamp:   # ... and what is cut off are exact
            begin = F.relu(F.floor(begin))   # which is int() of Python and max(..., 0)
            end = F.broadcast_maximum(F.broadcast_minimum(F.floor(end), n), begin + 1)
        else:
            scale = (n - 1) / n
            begin, end = F.broadcast_mul(begin, scale), F.broadcast_mul(end, scale) + 1
        return begin * found, F.broadcast_add(end * found, F.broadcast_mul(1 - found, n))


class AttentionCrop(HybridBlock):
    """Cuts a box out of each picture and enlarges it to the size of the picture, bilinearly.

    The corner pixels of the box become the corner pixels of the crop. What lies outside of the picture is 0, as of
    TensorFlow's ``crop_and_resize``.

    Inputs:
        - **images**: [B, C, H, W]
        - **boxes**: [B, 4], see :class:`AttentionBox`

    Outputs:
        - **crops**: float32 [B, C, H, W]
    """

    def hybrid_forward(self, F, images, boxes):
        x0, y0, x1, y1 = F.split(F.cast(boxes, 'float32'), num_outputs=4, axis=1)
        rows = F.transpose(F.cast(images, 'float32'), axes=(0, 2, 1, 3))   # [B, C, H, W] -> [B, H, C, W]
        columns = F.transpose(_between(F, rows, y0, y1), axes=(0, 3, 2, 1))   # [B, W, C, H]
        return F.BlockGrad(F.transpose(_between(F, columns, x0, x1), axes=(0, 2, 3, 1)))   # [B, C, H, W]


class AttentionDrop(HybridBlock):
    """Sets to 0 what a map looks at: where the resized map is at least theta times the maximum. Not if that is all.

    Parameters
    ----------
    align_corners : bool
        as of :class:`AttentionBox`

    Inputs: images [B, C, H, W], chosen [B, 1, h, w] and theta [B, 1, 1, 1], as of :class:`AttentionBox`.

    Outputs:
        - **drops**: float32 [B, C, H, W]
    """

    def __init__(self, align_corners=True):
        super().__init__()
        self._align_corners = align_corners

    def hybrid_forward(self, F, images, chosen, theta):
        images = F.cast(images, 'float32')
        seen, least = _resized(F, _sane(F, chosen), theta, images, self._align_corners)
        kept = F.broadcast_lesser(seen, F.expand_dims(least, axis=2))   # [B, H, W]
        kept = F.broadcast_maximum(kept, 1 - F.max(kept, axis=(1, 2), keepdims=True))   # or all, if it is none
        return F.BlockGrad(F.broadcast_mul(images, F.expand_dims(kept, axis=1)))


class TrainingViews(HybridBlock):
    """The two further views of a picture that a training step learns from.

    For each, one map of a picture is drawn, with probabilities in proportion to the square root of its mean. The
    threshold is drawn from 0.4 to 0.6 for the crop and from 0.2 to 0.5 for the drop.

    Parameters
    ----------
    variant : {'guyuc', 'official'}
        see the module

    Inputs:
        - **images**: [B, C, H, W]
        - **attention**: [B, M, h, w]

    Outputs:
        - **crops**: float32 [B, C, H, W], see :class:`AttentionCrop`
        - **drops**: float32 [B, C, H, W], see :class:`AttentionDrop`
    """

    def __init__(self, variant='guyuc'):
        super().__init__()
        settings = _settings(variant)
        with self.name_scope():
            self.box, self.crop = AttentionBox(CROP_PADDING, **settings), AttentionCrop()
            self.drop = AttentionDrop(settings['align_corners'])

    def hybrid_forward(self, F, images, attention):
        attention = _sane(F, attention)
        flat = F.reshape(attention, (0, 0, -1))   # [B, M, h * w]
        weights = F.sqrt(F.mean(flat, axis=2) + _TINY)   # [B, M]
        numbers = F.sample_multinomial(F.broadcast_div(weights, F.sum(weights, axis=1, keepdims=True)), shape=2)
        # [B, 2] -> one-hot rows [B, 2, M], each of which takes a map: x [B, M, h * w] -> [B, 2, h * w] -> [B, 2, h, w]
        picks = F.broadcast_equal(F.cast(F.expand_dims(numbers, axis=2), 'float32'), _places(F, attention, 1))
        chosen = F.reshape_like(F.batch_dot(picks, flat), attention, lhs_begin=2, lhs_end=3, rhs_begin=2, rhs_end=4)
        for_crop, for_drop = F.split(chosen, num_outputs=2, axis=1)   # [B, 1, h, w] each
        boxes = self.box(for_crop, _drawn_theta(F, weights, *CROP_THETA), images)
        return self.crop(images, boxes), self.drop(images, for_drop, _drawn_theta(F, weights, *DROP_THETA))


class RefinedView(HybridBlock):
    """The crop that a prediction looks at a second time: what the mean of all maps looks at.

    Parameters
    ----------
    variant : {'guyuc', 'official'}
        see the module

    Inputs:
        - **images**: [B, C, H, W]
        - **attention**: [B, M, h, w]

    Outputs:
        - **crops**: float32 [B, C, H, W]
        - **boxes**: float32 [B, 4], see :class:`AttentionBox`
    """

    def __init__(self, variant='guyuc'):
        super().__init__()
        with self.name_scope():
            self.box, self.crop = AttentionBox(REFINED_PADDING, **_settings(variant)), AttentionCrop()

    def hybrid_forward(self, F, images, attention):
        chosen = F.mean(_sane(F, attention), axis=1, keepdims=True)   # [B, 1, h, w]
        theta = F.max(chosen, axis=(1, 2, 3), keepdims=True) * 0 + REFINED_THETA
        boxes = self.box(chosen, theta, images)
        return self.crop(images, boxes), boxes


def _settings(variant):
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise ValueError(f'variant: must be one of {", ".join(map(repr, VARIANTS))}: {variant!r}')
    return VARIANTS[variant]


def _sane(F, maps):
    """Maps as numbers from 0 to _MOST, in float32. No gradient passes."""
    maps = F.cast(F.BlockGrad(maps), 'float32')
    return F.where(maps > 0, F.clip(maps, 0, _MOST), F.zeros_like(maps))   # NaN is not above 0


def _places(F, x, axis):
    """0, 1 ... n - 1 for an axis of length n; float32 [n]"""
    corner = F.slice(x, begin=(None,) * 4, end=tuple(None if i == axis else 1 for i in range(4)))
    return F.contrib.arange_like(F.cast(F.BlockGrad(corner), 'float32'), axis=axis)


def _spread(F, maps, images, axis, align_corners):
    """What a cell of a map gives to a pixel of the picture, along an axis of both; [h, H]"""
    cells, pixels = _places(F, maps, axis), _places(F, images, axis)
    last = F.max(cells)   # [1]
    if align_corners:
        at = F.broadcast_div(F.broadcast_mul(pixels, last), F.broadcast_maximum(F.max(pixels), F.ones_like(last)))
    else:
        at = F.broadcast_div(F.broadcast_mul(pixels, last + 1), F.max(pixels) + 1)
        at = F.broadcast_minimum(at, last)
    return F.relu(1 - F.abs(F.broadcast_sub(F.expand_dims(at, axis=0), F.expand_dims(cells, axis=1))))


def _resized(F, chosen, theta, images, align_corners):
    """Maps [B, 1, h, w] in the pictures' size, [B, H, W], and the least there that is looked at, [B, 1]"""
    maps = F.reshape(chosen, (-3, 0, 0))   # [B, 1, h, w] -> [B, h, w]
    rows, columns = (_spread(F, chosen, images, axis, align_corners) for axis in (2, 3))
    seen = F.dot(F.transpose(maps, axes=(0, 2, 1)), rows)   # [B, w, h] x [h, H] -> [B, w, H]
    seen = F.dot(F.transpose(seen, axes=(0, 2, 1)), columns)   # [B, H, w] x [w, W] -> [B, H, W]
    most = F.max(maps if align_corners else seen, axis=(1, 2))   # [B]
    least = F.expand_dims(most * F.reshape(F.cast(F.BlockGrad(theta), 'float32'), (-1,)), axis=1)
    return seen, F.where(least > 0, least, F.ones_like(least) * _NEVER)


def _between(F, lines, begin, end):
    """Takes n lines of each picture [B, n, C, m], evenly from line `begin` [B, 1] to line `end` - 1.

    A place between two lines gives their mean, weighed by how near they are, and a place outside of the picture 0.
    """
    places = _places(F, lines, 1)   # [n]
    last = F.max(places)   # [1]
    steps = F.broadcast_maximum(last, F.ones_like(last))
    # A product of whole numbers and one division: the last line of a clamped box is exact, so never outside.
    at = F.broadcast_add(begin, F.broadcast_div(F.broadcast_mul(end - 1 - begin, places), steps))   # [B, n]
    inside = (at >= 0) * F.broadcast_lesser_equal(at, last)
    at = F.where(inside, at, F.zeros_like(at))
    before = F.floor(at)
    after = F.broadcast_minimum(before + 1, last)
    share = (at - before) * inside   # of the line after
    return F.broadcast_add(*(F.broadcast_mul(gather_rows(F, lines, number), F.reshape(weight, (0, 0, 1, 1)))
                             for number, weight in ((before, inside - share), (after, share))))


def _drawn_theta(F, like, least, most):
    """A threshold for each picture of [B, ...], from U(least, most): [B, 1, 1, 1]"""
    return F.random.uniform_like(F.reshape(F.sum(like, axis=1), (-1, 1, 1, 1)), least, most)
