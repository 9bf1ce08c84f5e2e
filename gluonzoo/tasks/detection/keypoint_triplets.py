"""Detection by keypoints: CenterNet's targets, losses, decoding and test, COCO's measure.

Paper: "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019, https://arxiv.org/abs/1904.08189).
Official code: github.com/Duankaiwen/CenterNet.
"""
import math
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.gluon import HybridBlock

from ...boxes import area
from ...losses.keypoints import KeypointTripletLoss
from ...metrics.coco import COCOMeanAP
from ...models.centernet import HEADS
from ...pictures.check import check_images
from ...pictures.chw import to_chw
from ...pictures.contact_sheet import contact_sheet
from ...pictures.drawn_boxes import draw_boxes
from ...pictures.resize import resize
from ...registry import TASKS
from ...values import NAMES, SIDE
from ..base import Exported, FirstTime, chunks, late, reason_of
from ..curves import precision_and_recall
from .base import Detections, DetectionTask
from .keypoint_decode import CenterCheck, KeypointDecoder, soft_nms
from .photo_views import STRIDE, make_view, mirror, spread

__all__ = ['KeypointDetection']

OPTIMIZER = {'name': 'adam', 'learning_rate': 2.5e-4}   # CenterNet's
LOSSES = ('heat_loss', 'pull_loss', 'push_loss', 'offset_loss')

PREDICT = 8   # photos a device takes at once, where all inputs have one size
KEYPOINTS = 70   # of each kind, looked at in a photo
TILE = 384   # pixels of a photo in a picture
COLORS = ((255, 80, 60), (60, 140, 255), (90, 255, 90))   # of the heat of top-left corners, bottom-right ones, centres


@TASKS.register('keypoint_detection')
class KeypointDetection(DetectionTask):
    """Trains a network that finds the keypoints of objects, and finds objects with it.

    In training, a batch's arrays are images [B, 3, S, S], normalised, and the ten of
    :class:`gluonzoo.data.transforms.keypoint_targets.KeypointTargets`: what the transform 'keypoint_train' makes. S is
    `size`.

    In evaluation they are photos [B, T, T, 3] (RGB, 0 to 255), each in the top left of its square; extents [B, 4]: the
    photo's height and width there, and the scales of x and y, pixels there to a pixel of the photo itself; and truth
    [B, M, 7]:
    class, xmin, ymin, xmax, ymax (pixels of the photo itself), area, crowd; rows of -1 fill up.

    Results are :class:`~gluonzoo.tasks.detection.base.Detections`.

    The losses have the official normalisation: the losses of the tags are summed over the images of a part, so the size
    of a part changes the training. (The official code trains with parts of 6.) See :mod:`gluonzoo.losses.keypoints`.

    Parameters
    ----------
    net : HybridBlock
        as :class:`gluonzoo.models.centernet.CenterNet`: with ``classes``, ``mean`` and ``std``; 8 arrays a stack
    class_names : list of str
    size : int
        height and width of the images to train with
    test_size : int, optional
        photos are tested at their own size, or as squares of this size; see
        :func:`gluonzoo.tasks.detection.photo_views.make_view`
    max_size : int, optional
        without `test_size`, photos whose longer side has more pixels are first shrunk to that
    flip : bool
        whether the mirrored photo is tested too
    scales : list of float
        factors of the size at which photos are tested. One of them is 1, at which the centres are found. With several
        scales, boxes that overlap are averaged (the paper: 0.6, 1, 1.2, 1.5, 1.8).
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`; by default, CenterNet's own
    """

    main_metric = 'AP', 'max'
    bfloat16 = False   # the corner pools
    shown = 0.3

    def __init__(self, net, class_names: NAMES, size: SIDE = 511, test_size: SIDE = None, max_size: SIDE = None,
                 flip=False, scales=(1,), optimizer=OPTIMIZER):
        for name, value in (('size', size), ('test_size', test_size), ('max_size', max_size)):
            given = value is not None or name == 'size'
            if given and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f'{name}: must be a number of pixels: {value!r}')
        if not _are_scales(scales):
            raise ValueError(f'scales: must be numbers above 0, each once, and one of them 1: {scales!r}')
        if not isinstance(flip, bool):
            raise ValueError(f'flip: must be true or false: {flip!r}')
        super().__init__(net, class_names)
        self._curves = {}   # of the last evaluation
        self._net, self._size, self._test_size, self._max_size = net, size, test_size, max_size
        self._flip, self._scales = flip, sorted(scales, key=lambda scale: scale != 1)   # 1 first
        self._optimizer = optimizer
        self._loss = KeypointTripletLoss()
        self._loss.hybridize(static_alloc=True)
        self._center_check = CenterCheck()
        self._center_check.hybridize(static_alloc=True)
        least_height = _least_height(127 if test_size is None else test_size)
        if net.classes * least_height ** 2 <= KEYPOINTS:
            raise ValueError(f'test_size: must give more than {KEYPOINTS} cells in all classes, one for 4 x 4 pixels: '
                             f'{test_size}')
        self._detector = _Detector(net, KeypointDecoder(net.classes, KEYPOINTS, least_height=least_height))

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def check_outputs(self, outputs):
        outputs = outputs['net']
        self._heat_size = outputs[0].shape[2:]
        expected = [(1, channels, *outputs[0].shape[2:]) for channels in 3 * (self._net.classes,) + (1, 1, 2, 2, 2)]
        if not outputs or [output.shape for output in outputs] != len(outputs) // len(HEADS) * expected:
            raise ValueError(f'net: must return {expected} for each stack; it returns {[o.shape for o in outputs]}')
        if self._test_size not in (None, self._size):
            try:
                self._net(mx.nd.zeros((1, 3, self._test_size, self._test_size), ctx=self.ctx[0]))
            except mx.MXNetError as error:
                raise ValueError(f'net: does not take images of test_size {self._test_size}: '
                                 f'{reason_of(error)}') from error
        self._detector.hybridize(static_alloc=True, static_shape=True)   # and with it the network, but
        # with static_shape, MXNet 1.9.1 lets others read the running statistics before a step has written them.
        self._net.hybridize(static_alloc=True)

    # -- training ----------------------------------------------------------------------------------------------------

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The losses: heat, pull, push and offset loss, weighted, and their sum, 'loss'."""
        self._check(batch)
        return self.engine.minimize('net', batch, self._losses)

    def _losses(self, images, *targets):
        outputs = [x.astype('float32', copy=False) for x in self._net(images)]
        losses = self._loss(outputs, list(targets))
        return {'loss': sum(losses), **dict(zip(LOSSES, losses))}

    def _check(self, batch):
        images, *targets = (list(array.shape) for array in batch.arrays)
        if images[1:] != [3, self._size, self._size]:
            raise ValueError(f'images: must be [B, 3, {self._size}, {self._size}], by size: {images}')
        heat = [self._net.classes, *self._heat_size]
        if len(targets) != 10 or any(shape[1:] != heat for shape in targets[:3]):
            raise ValueError(f'targets: must be ten, the first three [B, {", ".join(map(str, heat))}], as the heat '
                             f'maps of the network: {targets}')

    # -- use ---------------------------------------------------------------------------------------------------------

    def evaluate(self, batches):
        """COCO's twelve numbers, see :meth:`gluonzoo.metrics.coco.COCOMeanAP.get`: 'AP', 'AP50', 'AP75', 'AP_small',
        'AP_medium', 'AP_large', 'AR1', 'AR10', 'AR100', 'AR_small', 'AR_medium', 'AR_large'; NaN where there are no
        such objects.
        """
        metric, is_new = COCOMeanAP(), FirstTime()
        for item, found in self._find(each for batch in batches for each in _photos(batch) if is_new(each.record)):
            metric.update(item.record, found.boxes / item.scale, found.scores, found.labels, item.truth[:, 1:5],
                          item.truth[:, 0], item.truth[:, 5], item.truth[:, 6] > 0)
        numbers = metric.get()
        self._curves = {self.class_names[number]: points for number, points in metric.curves().items()}
        return numbers

    def evaluation_curves(self):
        """As :meth:`Task.evaluation_curves`: precision and recall of each class."""
        return precision_and_recall(self._curves)

    def predict(self, images):
        """A Detections for each image: at most 100 objects.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        return [found for _, found in self._find(map(_Item, images))]

    def views(self, image):
        """'heatmaps': the image, darkened, with the heat maps of the keypoints.

        The heat of the top-left corners is red, of the bottom-right corners blue, of the centres green. Of all classes,
        the greatest heat is shown.
        """
        pixels, view = make_view(image, 1, self._test_size, self._max_size)
        heats = self._net(self._normalized([pixels], self.ctx[0]))[-len(HEADS):][:3]
        logits = np.stack([heat[0].asnumpy().max(axis=0) for heat in heats], axis=-1)   # [h, w, 3]
        heat = spread(1 / (1 + np.exp(-logits.astype('float32'))), view)   # [H, W, 3]
        return {'heatmaps': (.4 * image + heat @ np.array(COLORS, 'float32')).clip(0, 255).astype('uint8')}

    def picture(self, batch):
        """Up to 8 photos of a batch to evaluate, with what is found (score at least `shown`) and the true boxes."""
        tiles = []
        for item, found in self._find(list(_photos(batch))[:8]):
            zoom = TILE / max(item.photo.shape[:2])
            size = [max(1, round(side * zoom)) for side in item.photo.shape[1::-1]]
            found = found._replace(boxes=found.boxes * zoom).above(self.shown)
            truth = item.truth[item.truth[:, 6] == 0, 1:5] * item.scale * zoom
            drawn = draw_boxes(resize(item.photo, *size, 'linear'), *found, self.class_names, truth)
            tiles.append(np.zeros((TILE, TILE, 3), 'uint8'))
            tiles[-1][:size[1], :size[0]] = drawn
        return contact_sheet(tiles)

    def _find(self, items):
        """Yields each _Item with the Detections of its photo.

        Photos that are tested at one size are computed together. Each device has work while earlier results are read.
        """
        begun = ((chunk, self._detect([item.photo for item in chunk], self.ctx[i % len(self.ctx)]))
                 for i, chunk in enumerate(chunks(items, 1 if self._test_size is None else PREDICT)))
        for chunk, arrays in late(begun, len(self.ctx)):
            for item, *rows in zip(chunk, *(array.asnumpy() for array in arrays)):
                yield item, _detections(*rows, merge=len(self._scales) > 1)

    def _detect(self, photos, ctx):
        """Boxes, scores, labels and corner scores, as of KeypointDecoder, a row a photo. Does not wait."""
        found = []
        for scale in self._scales:
            views = [make_view(photo, scale, self._test_size, self._max_size) for photo in photos]
            if self._flip:
                views += [mirror(*view) for view in views]
            pixels, places = zip(*views)
            outputs = self._detector(self._normalized(pixels, ctx), mx.nd.array(places, ctx=ctx))
            looks = len(views) // len(photos)
            found += zip(*(gluon.utils.split_data(output, looks) for output in outputs))   # one tuple a look
        boxes, scores, labels, corner_scores = (mx.nd.concat(*(look[i] for look in found), dim=1) for i in (0, 1, 2, 4))
        centers = mx.nd.concat(*(look[3] for look in found[:1 + self._flip]), dim=1)   # of scale 1, which is the first
        return boxes, self._center_check(boxes, scores, labels, centers), labels, corner_scores

    def _normalized(self, pixels, ctx):
        """uint8 [h, w, 3] each -> [n, 3, h, w]"""
        return mx.nd.array(to_chw(pixels, self._net.mean, self._net.std), ctx=ctx)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the raw heads of the last stack, or rows of the boxes that a centre confirms,
        before soft-NMS, of one view of the photo. By default, images are of `test_size` or, without that, of the size
        to train with.
        """
        height, width = size or 2 * (self._test_size or self._size,)
        mean, std = (np.array(values, 'float32')[:, None, None] for values in (self._net.mean, self._net.std))
        rng = np.random.default_rng(0)
        noise = rng.uniform(0, 255, (batch, 3, height, width)).astype('float32')
        metadata = {
            'task': 'keypoint_detection', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._net.mean), 'std': list(self._net.std), 'notes': [],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, (0..255 - mean) / std; the photo with its '
                                'aspect ratio kept, in the middle of black pixels (0 before that)'}}
        if not decode:
            metadata['outputs'] = {
                **{f'{name}_heat': 'float32 [B, classes, h, w], logits that a cell of W / w x H / h pixels (about 4 x '
                                   '4) has such a keypoint' for name in ('tl', 'br', 'ct')},
                **{f'{name}_tag': 'float32 [B, 1, h, w], near each other for the corners of one box'
                   for name in ('tl', 'br')},
                **{f'{name}_offset': 'float32 [B, 2, h, w], x and y of the keypoint in its cell, 0..1'
                   for name in ('tl', 'br', 'ct')}}
            return Exported(_LastStack(self._net), {'image': (noise - mean) / std}, list(HEADS), metadata)
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        view = [0, 0, width / columns, height / rows, width, height]
        # An example with objects: hot cells of few classes, and tags that agree.
        examples = {'views': np.tile(np.array(view, 'float32'), (batch, 1))}
        for name in ('tl_heat', 'br_heat', 'ct_heat'):
            examples[name] = rng.normal(0, 2, (batch, self._net.classes, rows, columns)).astype('float32')
            examples[name][:, 1:] -= 20
        for name in ('tl_tag', 'br_tag'):
            examples[name] = rng.normal(0, .1, (batch, 1, rows, columns)).astype('float32')
        metadata['inputs']['views'] = (
            'float32 [B, 6]: x, y, dx, dy, W, H: the cell in column i and row j, of ceil(width / 4) columns and '
            'ceil(height / 4) rows of the image, begins at the pixel (x + i dx, y + j dy) of a photo of W x H pixels: '
            '0, 0, W / columns, H / rows, W, H if the image is all of the photo')
        metadata['outputs'] = {'detections': (
            'float32 [B, N, 6]: class (from 0), score, xmin, ymin, xmax, ymax (pixels of the photo); class and score '
            'are -1 in rows without an object')}
        metadata['notes'] = ['the boxes are those of one scale before soft-NMS: they overlap, and are in no order']
        return Exported(_LastStack(self._net), {'image': (noise - mean) / std}, list(HEADS), metadata,
                        _Rows(self._net.classes, _least_height(height)), examples)


class _Detector(HybridBlock):
    """A network and the decoder of its last stack; what only the others need is not computed.

    Inputs: images [B, 3, H, W], views [B, 6]. Outputs: as those of :class:`KeypointDecoder`.
    """

    def __init__(self, net, decoder):
        super().__init__()
        self.net, self.decoder = net, decoder

    def hybrid_forward(self, F, images, views):
        return self.decoder([F.amp_cast(head, dtype='float32') for head in self.net(images)[-len(HEADS):]], views)


class _Item(NamedTuple):
    photo: np.ndarray   # uint8 [h, w, 3]
    record: int = -1
    scale: np.ndarray = np.ones(4)   # its pixels to a pixel of what the truth is about: x, y, x, y
    truth: np.ndarray = None   # [m, 7]


class _LastStack(HybridBlock):
    """What a network says on its last stack. Inputs: [B, 3, H, W]. Outputs: a list as HEADS."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def hybrid_forward(self, F, images):
        return self.net(images)[-len(HEADS):]


class _Rows(HybridBlock):
    """The boxes that a centre confirms, as rows.

    Inputs: as HEADS, and views [B, 6]. Outputs: [B, N, 6]: class, score and box; class and score are -1 for no box.
    """

    def __init__(self, classes, least_height):
        super().__init__()
        self.decoder, self.check = KeypointDecoder(classes, least_height=least_height), CenterCheck()

    def hybrid_forward(self, F, *inputs):
        *heads, views = inputs
        boxes, scores, labels, centers, _ = self.decoder(heads, views)
        scores = self.check(boxes, scores, labels, centers)
        labels = F.where(scores < 0, scores, labels)   # [B, N]
        return F.concat(F.stack(labels, scores, axis=2), boxes, dim=2)


def _least_height(size):
    """Cells of the height of the smallest input, where `size` is the least that tests begin with."""
    return math.ceil(min(size, 127) / STRIDE)


def _are_scales(scales):
    try:
        return 1 in scales and all(0 < scale < float('inf') for scale in scales) and len(set(scales)) == len(scales)
    except TypeError:   # not a list, or not of numbers
        return False


def _photos(batch):
    """An _Item for each element of a batch to evaluate."""
    canvases, extents, truths = (array.asnumpy() for array in batch.arrays)
    if canvases.ndim != 4 or canvases.shape[3] != 3 or extents.shape[1:] != (4,) or truths.shape[2:] != (7,):
        raise ValueError('batch: to evaluate, the arrays must be [B, T, T, 3], [B, 4] and [B, M, 7]: '
                         f'{[array.shape for array in (canvases, extents, truths)]}')
    for record, canvas, extent, truth in zip(batch.records.tolist(), canvases, extents, truths):
        height, width, *scale = extent
        photo = canvas[:int(height), :int(width)].astype('uint8')
        yield _Item(photo, record, np.array(2 * scale), truth[truth[:, 0] >= 0])


def _detections(boxes, scores, labels, corner_scores, merge):
    """What was found in one photo: rows as of KeypointDecoder, the scores as of CenterCheck."""
    valid = (scores > -1) & (area(boxes) > 0)
    boxes, scores, labels, corner_scores = (array[valid] for array in (boxes, scores, labels, corner_scores))
    kept, scores, boxes = soft_nms(boxes, scores, labels, corner_scores if merge else None)
    return Detections(boxes, scores, labels[kept].astype('int32'))
