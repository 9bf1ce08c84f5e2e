"""Detection by a network that looks once: SSD's targets, losses and decoding, VOC's measure.

Deviations from the official code (Caffe) in training:

1. An image without objects keeps three hard negatives; there, none.
2. An anchor whose IoU with an object is exactly the threshold stands for no object, as in MXNet's MultiBoxTarget;
   there, it stands for the object.
"""
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import HybridBlock

from ...boxes import area, clip
from ...losses import MultiBoxLoss, SoftmaxFocalLoss
from ...metrics.voc import VOCMeanAP
from ...pictures.check import check_images
from ...pictures.chw import from_chw, to_chw
from ...pictures.contact_sheet import contact_sheet
from ...pictures.drawn_boxes import draw_boxes
from ...pictures.resize import resize
from ...registry import TASKS
from ...values import NAMES
from ..base import Exported, FirstTime, chunks, fetch, late
from .anchors import make_anchors
from .base import Detections, DetectionTask
from .multibox import MultiBoxDecoder, multibox_targets

__all__ = ['SingleShotDetection']


class FocalL1Loss(HybridBlock):
    """The loss of DSOD-gluon-mxnet: focal loss of all anchors, and 5 times the L1 distance of the positive ones.

    Both are means over all anchors (and coordinates) of all images. Inputs and outputs: as MultiBoxLoss.
    """

    def __init__(self):
        super().__init__()
        self.focal = SoftmaxFocalLoss()
        self.l1 = gluon.loss.L1Loss(weight=5)

    def hybrid_forward(self, F, class_logits, box_offsets, class_labels, box_targets):
        positive = F.expand_dims(class_labels > 0, axis=2)   # [B, A, 1]
        return F.mean(self.focal(class_logits, class_labels)), F.mean(self.l1(box_offsets, box_targets, positive))


# The loss, and the IoU above which an anchor stands for an object.
LOSSES = {'paper': (MultiBoxLoss, 0.5), 'pikachu': (FocalL1Loss, 0.3)}

OPTIMIZER = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 5e-4}   # DSOD's

PREDICT = 8   # images a device takes at once
TILE = 384   # pixels of an image in a picture


@TASKS.register('single_shot_detection')
class SingleShotDetection(DetectionTask):
    """Trains a single-shot detector, and finds objects with it.

    A batch's arrays are images [B, 3, S, S] and labels [B, M, 6]: class, xmin, ymin, xmax, ymax (fractions of the
    image), difficult; rows of -1 fill up. Only the evaluation uses `difficult`; training treats all objects alike. S is
    the network's ``input_size``. Results are :class:`~gluonzoo.tasks.detection.base.Detections`.

    Parameters
    ----------
    net : HybridBlock
        ``class_logits [B, A, classes + 1], box_offsets [B, A, 4] = net(images)``, with the attributes ``classes``,
        ``anchor_shapes``, ``anchor_steps``, ``grids``, ``input_size``, ``mean`` and ``std``
    class_names : list of str
    loss : {'paper', 'pikachu'}
        'paper': softmax with three hard negatives for each positive, plus smooth L1, divided by the number of
        positives; an anchor stands for an object if their IoU is above 0.5. 'pikachu': focal loss plus 5 L1, means over
        the anchors; above 0.3.
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`; by default, DSOD's own
    """

    main_metric = 'mAP', 'max'

    def __init__(self, net, class_names: NAMES, loss='paper', optimizer=OPTIMIZER):
        if loss not in LOSSES:
            raise ValueError(f'loss: must be one of {", ".join(map(repr, LOSSES))}: {loss!r}')
        super().__init__(net, class_names)
        self._net, self._optimizer = net, optimizer
        anchors = make_anchors(net, net.input_size, net.input_size)
        self._anchors = anchors
        make_loss, self._match = LOSSES[loss]
        self._loss = make_loss()
        self._decoder = MultiBoxDecoder(anchors, net.classes)
        for block in (self._loss, self._decoder):
            block.hybridize(static_alloc=True)

    def input_shapes(self, name):
        return [(1, 3, self._net.input_size, self._net.input_size)]

    def check_outputs(self, outputs):
        expected = [(1, self._anchors.shape[1], self._net.classes + 1), (1, self._anchors.shape[1], 4)]
        if [output.shape for output in outputs['net']] != expected:
            raise ValueError(f'net: must return {expected} by its anchors; it returns '
                             f'{[output.shape for output in outputs["net"]]}')
        self._anchors_on = {ctx: mx.nd.array(self._anchors, ctx=ctx) for ctx in self.ctx}
        for block in (self._loss, self._decoder):
            block.initialize(ctx=self.ctx, force_reinit=True)   # constants alone

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The losses: 'class_loss', 'box_loss' and their sum, 'loss'."""
        self._check(batch)
        return self.engine.minimize('net', batch, self._losses)

    def _losses(self, images, labels):
        with autograd.pause():
            targets = multibox_targets(self._anchors_on[images.ctx], labels, self._match)
        outputs = (x.astype('float32', copy=False) for x in self._net(images))
        class_loss, box_loss = self._loss(*outputs, *targets)
        return {'loss': class_loss + box_loss, 'class_loss': class_loss, 'box_loss': box_loss}

    def evaluate(self, batches):
        """Mean average precision at IoU 0.5: see :meth:`VOCMeanAP.get`. 'mAP' is the area under the curve.

        The images must be resized only, neither cropped nor turned.
        """
        metric = VOCMeanAP(self.class_names)
        size = self._net.input_size
        is_new = FirstTime()
        for records, rows, labels in late(self._begin(batch) for batch in batches):
            for record, row, truth in zip(records.tolist(), fetch(rows), labels.asnumpy()):
                if not is_new(record):
                    continue
                found = _detections(row, size, size)
                truth = truth[truth[:, 0] >= 0]
                metric.update(*found, truth[:, 1:5] * size, truth[:, 0], truth[:, 5] > 0)
        return metric.get()

    def predict(self, images):
        """A Detections for each image: at most 200 objects with a score above 0.01.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        results = []
        begun = ((chunk, self._detect(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for chunk, rows in late(begun):
            results += [_detections(row, *image.shape[1::-1]) for image, row in zip(chunk, fetch(rows))]
        return results

    def picture(self, batch):
        """Up to 8 images of the batch with what is found in them (score at least `shown`), and the true boxes, thin."""
        self._check(batch)
        images, labels = (array[:8] for array in batch.arrays)
        tiles = []
        for image, row, truth in zip(from_chw(images.asnumpy(), self._net.mean, self._net.std),
                                     fetch(self._detect(images)), labels.asnumpy()):
            truth = truth[truth[:, 0] >= 0, 1:5] * TILE
            tiles.append(draw_boxes(resize(image, TILE, TILE, 'linear'),
                                    *_detections(row, TILE, TILE).above(self.shown), self.class_names, truth))
        return contact_sheet(tiles)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the raw heads, or the rows of :class:`MultiBoxDecoder`."""
        height, width = size or 2 * (self._net.input_size,)
        mean, std = (np.array(values, 'float32')[:, None, None] for values in (self._net.mean, self._net.std))
        noise = np.random.default_rng(0).uniform(0, 255, (batch, 3, height, width)).astype('float32')
        anchors = make_anchors(self._net, height, width)
        metadata = {
            'task': 'single_shot_detection', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._net.mean), 'std': list(self._net.std), 'notes': [],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, (0..255 - mean) / std, resized linearly to input_size, '
                                'whatever its aspect ratio'}}
        decoder = None
        if decode:
            decoder = MultiBoxDecoder(anchors, self._net.classes)
            decoder.initialize(ctx=self.ctx)
            metadata['outputs'] = {'detections': (
                'float32 [B, N, 6], the surest first: class (from 0), score, xmin, ymin, xmax, ymax (fractions of the '
                'image, which a box may leave); rows of -1 fill up')}
        else:
            metadata['outputs'] = {
                'class_logits': 'float32 [B, A, classes + 1], raw; column 0 is the background',
                'box_offsets': 'float32 [B, A, 4], x y w h: a box has its center at (cx + x * W / 10, cy + y * H / 10) '
                               'and the size (W * exp(w / 5), H * exp(h / 5)), if its anchor has (cx, cy) and (W, H)'}
            metadata['anchors'] = {
                'order': 'scale, row, column, shape', 'grids': self._net.grids(height, width),
                'shapes': self._net.anchor_shapes, 'steps': self._net.anchor_steps,
                'meaning': 'grids: rows and columns of a scale; shapes: width and height, fractions of the image; '
                           'steps: from center to center in pixels, the first half of it from the edge; null: image / '
                           'grid'}
        return Exported(self._net, {'image': (noise - mean) / std}, ['class_logits', 'box_offsets'], metadata, decoder)

    def _check(self, batch):
        shape, size = batch.arrays[0].shape, self._net.input_size
        if shape[1:] != (3, size, size):
            raise ValueError(f'images: must be [B, 3, {size}, {size}], which the network is made for: {list(shape)}')

    def _begin(self, batch):
        self._check(batch)
        images, labels = batch.arrays
        return batch.records, self._detect(images), labels

    def _detect(self, images):
        """Rows of MultiBoxDecoder, one array a device. Does not wait."""
        return [self._decoder(*(x.astype('float32', copy=False) for x in self._net(part)))
                for part in self.on_devices(images)]

    def _prepare(self, images):
        size = self._net.input_size
        resized = [resize(image, size, size, 'linear') for image in images]
        return mx.nd.array(to_chw(resized, self._net.mean, self._net.std))


def _detections(row, width, height):
    """The output of MultiBoxDecoder for one image of this size in pixels. [keep, 6] -> Detections"""
    row = row[(row[:, 0] >= 0) & np.isfinite(row).all(axis=1)]   # an offset may overflow
    boxes = clip(row[:, 2:] * np.array([width, height, width, height], 'float32'), width, height)
    inside = area(boxes) > 0
    return Detections(boxes[inside], row[inside, 1], row[inside, 0].astype('int32'))
