"""Detection by YOLOv3: darknet's and GluonCV's ways to train it, GIoU among the losses of boxes.

Papers: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767);
"Generalized Intersection over Union: A Metric and a Loss for Bounding Box Regression" (Rezatofighi et al., 2019,
https://arxiv.org/abs/1902.09630).
Official codes: github.com/pjreddie/darknet, github.com/generalized-iou/g-darknet; github.com/dmlc/gluon-cv.

Deviations from darknet:

1. Images of a training with changing sizes are made at the largest size. The device then resizes a batch to the size of
   the step, bilinearly. darknet makes them at that size at once.
2. The sizes of the steps are the same in every training, whatever its seed, so that all machines of a training have
   them.
3. An evaluation looks at the best 400 pairs of a box and a class, and keeps 100 objects of an image, as GluonCV does.
   darknet keeps all with a score above 0.005.
4. mixup mixes images of one batch after they have been augmented. GluonCV mixes photos before that, top left on top
   left. As there, each image has a weight of its own, and the losses of an object have the weight of its image.
5. Difficult objects are trained on, as in GluonCV. darknet's scripts leave them out of its labels.

Those of targets and losses: see :mod:`gluonzoo.tasks.detection.yolo_targets` and :mod:`gluonzoo.losses.yolo`.
"""
import mxnet as mx
import numpy as np
from mxnet import autograd

from ...losses.mixup import check_alpha
from ...losses.yolo import YOLOLoss
from ...memory import require as require_memory
from ...metrics.boxes import BoxMeanAP
from ...pictures.letterbox import letterbox as placement_of
from ...pictures.letterbox import letterboxed
from ...reading import quoted
from ...registry import TASKS
from ...values import COUNT, LIST, NAMES, NUMBER, SIDE, WHOLE, check, whole
from ..base import Exported
from .whole_image import WholeImageDetection
from .yolo_decode import YOLODecoder, YOLORows
from .yolo_priors import make_priors
from .yolo_targets import YOLOTargets

__all__ = ['YOLODetection', 'mixed']

_LARGE = 2 ** 28   # bytes
_MOST = 2 ** 15 - 1   # pixels; MXNet resizes to no more

# darknet's: only the weights of convolutions decay.
OPTIMIZER = {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': 0.9, 'wd': 5e-4, 'no_decay': ['gamma', 'beta', 'bias']}


def mixed(images, labels, alpha):
    """Images that are each mixed with another one of the batch, with the objects of both.

    An image that is alone in its batch stays as it is. The weights come from Beta(alpha, alpha), and like the partners
    from NumPy's global generator, which the training loop seeds before each step.

    Parameters
    ----------
    images : NDArray [B, 3, S, S]
    labels : NDArray [B, M, 6]
    alpha : float above 0

    Returns
    -------
    NDArray [B, 3, S, S]; NDArray [B, 2 M, 6], or [1, M, 6]; NDArray [B, 2 M] or [1, M], the weights of the objects
    """
    if len(images) == 1:
        return images, labels, mx.nd.ones(labels.shape[:2], ctx=labels.context)
    order = np.random.permutation(len(images))
    partners = np.empty_like(order)
    partners[order] = np.roll(order, 1)   # each has another, and is the partner of another
    partners = mx.nd.array(partners, ctx=images.context, dtype='int32')
    weights = mx.nd.array(np.random.beta(alpha, alpha, len(images)), ctx=images.context)
    images = (images * weights.reshape((-1, 1, 1, 1))
              + mx.nd.take(images, partners) * (1 - weights).reshape((-1, 1, 1, 1)))
    ones = mx.nd.ones(labels.shape[:2], ctx=labels.context)
    weights = mx.nd.concat(ones * weights.reshape((-1, 1)), ones * (1 - weights).reshape((-1, 1)), dim=1)
    return images, mx.nd.concat(labels, mx.nd.take(labels, partners), dim=1), weights


@TASKS.register('yolo_detection')
class YOLODetection(WholeImageDetection):
    """Trains a YOLO network, and finds objects with it.

    Batches are as :class:`~gluonzoo.tasks.detection.whole_image.WholeImageDetection` has them. Training takes images of
    any size that all strides divide, and treats difficult objects as all others. Results are
    :class:`~gluonzoo.tasks.detection.base.Detections`: at most 100 objects with a score above 0.005.

    Parameters
    ----------
    net : HybridBlock
        as :class:`gluonzoo.models.yolo3.YOLO3`: it returns raw heads, and has ``classes``, ``anchors``, ``strides``,
        ``grids``, ``mean`` and ``std``
    class_names : list of str
    size : int
        height and width of the images to evaluate and predict with
    letterbox : bool
        whether predicted images keep their aspect ratio, with grey bars, as in darknet, or fill the input, as in
        GluonCV. The transform of the validation data must be 'letterbox' or 'resize' accordingly.
    box_loss, giou_gradient, box_weight, smoothing
        see :class:`gluonzoo.losses.yolo.YOLOLoss`
    ignore : float, 0 to 1
        a cell without an object has no objectness loss where its box has a greater IoU than this with some object;
        darknet has 0.7 for COCO, 0.5 for VOC
    sizes : list of int, optional
        what training images are resized to; drawn anew every `resize_every` steps
    resize_every : int
    largest_from : int, optional
        the step from which training images have the largest of `sizes`; by default, never
    mixup : float, 0 or above
        see :func:`mixed`; 0: none. GluonCV has 1.5.
    mixup_until : int, optional
        the step from which images are not mixed; by default, never
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`; by default, darknet's own
    """

    bfloat16 = False   # MXNet cannot join upsampled maps, which stay float32, with others

    def __init__(self, net, class_names: NAMES, size: SIDE = 416, letterbox=True, box_loss='giou',
                 giou_gradient='autograd', box_weight: NUMBER = None, smoothing=0.0, ignore=0.7, sizes: LIST = None,
                 resize_every: COUNT = 10, largest_from: WHOLE = None, mixup=0.0, mixup_until: WHOLE = None,
                 optimizer=OPTIMIZER):
        if not 0 <= ignore <= 1:
            raise ValueError(f'ignore: must be from 0 to 1: {ignore!r}')
        check_alpha(mixup)
        super().__init__(net, class_names, size)
        self._letterbox, self._optimizer = letterbox, optimizer
        self._sizes = _checked_sizes(net, size, sizes)
        self._resize_every, self._largest_from = resize_every, largest_from
        self._mixup, self._mixup_until = mixup, mixup_until
        self._rows, self._targets = YOLORows(net.classes), YOLOTargets(net.classes, ignore)
        self._loss = YOLOLoss(box_loss, giou_gradient, box_weight, smoothing)
        self._decoder = YOLODecoder(make_priors(net, size, size)[0], net.classes)
        self._priors = {}   # size and device -> priors, table of anchors
        for block in (self._rows, self._targets, self._loss, self._decoder):
            block.hybridize(static_alloc=True)

    def check_data(self, part, dataset):
        super().check_data(part, dataset)
        arrays = getattr(dataset, 'arrays', None)
        if part == 'val_data' and arrays is not None and (len(arrays) == 3) != self._letterbox:
            raise ValueError(f'val_data.transform: must {"" if self._letterbox else "not "}letterbox pictures, as '
                             f"task.letterbox says: {'letterbox' if self._letterbox else 'resize'!r} does so")

    def check_images(self, part, shape):
        if part == 'val_data':
            super().check_images(part, shape)
        elif len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2] or shape[1] < max(self._sizes, default=1):
            least = f' of {max(self._sizes)} pixels at least, the largest of task.sizes' if self._sizes else ''
            raise ValueError(f'{part}: must make images [3, S, S]{least}: {list(shape)}')
        else:
            _check_size(part, self._net, shape[1])

    def check_outputs(self, outputs):
        expected = [(1, 3 * (5 + self._net.classes), *grid) for grid in self._net.grids(self._size, self._size)]
        if [output.shape for output in outputs['net']] != expected:
            raise ValueError(f'net: must return {expected} by its strides; it returns '
                             f'{[output.shape for output in outputs["net"]]}')
        for block in (self._rows, self._targets, self._loss, self._decoder):
            block.initialize(ctx=self.ctx, force_reinit=True)   # constants alone

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def make_metric(self):
        return BoxMeanAP(self.class_names)

    # -- training ----------------------------------------------------------------------------------------------------

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The losses: 'objectness_loss', 'box_loss', 'class_loss' and their sum, 'loss'."""
        images, labels = batch.arrays
        if len(images.shape) != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
            raise ValueError(f'images: must be [B, 3, S, S]: {list(images.shape)}')
        size = self._size_of(step) or images.shape[2]
        _check_size('images', self._net, size)
        if self._mixup and (self._mixup_until is None or step < self._mixup_until):
            batch = batch._replace(arrays=mixed(images, labels, self._mixup))
        return self.engine.minimize('net', batch, lambda *part: self._losses(size, *part))

    def _size_of(self, step):
        """What the images of a step are resized to; None: they stay as they are."""
        if not self._sizes:
            return None
        if self._largest_from is not None and step >= self._largest_from:
            return max(self._sizes)
        return int(np.random.default_rng(step // self._resize_every).choice(self._sizes))

    def _losses(self, size, images, labels, weights=None):
        if images.shape[2] != size:
            images = mx.nd.contrib.BilinearResize2D(images, height=size, width=size, align_corners=False)
        priors, anchors = self._priors_on(images.context, size)
        _require_room(labels.shape, priors.shape[1])
        heads = (head.astype('float32', copy=False) for head in self._net(images))
        rows, boxes = self._rows(priors, *heads)
        with autograd.pause():
            weights = mx.nd.ones(labels.shape[:2], ctx=labels.context) if weights is None else weights
            targets = self._targets(boxes, labels, weights, priors, anchors)
        objectness, box, classes = self._loss(rows, priors, *targets)
        return {'loss': objectness + box + classes, 'objectness_loss': objectness, 'box_loss': box,
                'class_loss': classes}

    def _priors_on(self, ctx, size):
        if (ctx, size) not in self._priors:
            self._priors[ctx, size] = [mx.nd.array(array, ctx=ctx) for array in make_priors(self._net, size, size)]
        return self._priors[ctx, size]

    # -- use ---------------------------------------------------------------------------------------------------------

    def rows_of(self, outputs):
        return self._decoder(*outputs)

    def fitted(self, image):
        return letterboxed(image, self._size) if self._letterbox else super().fitted(image)

    def from_input(self, boxes, width, height):
        if self._letterbox:
            return placement_of(width, height, self._size).back(boxes * self._size)
        return super().from_input(boxes, width, height)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the raw heads, or the rows of :class:`YOLODecoder`."""
        height, width = size or (self._size, self._size)
        priors, _ = make_priors(self._net, height, width)
        names = [f'stride{stride}' for stride in self._net.strides]
        how = ('resized linearly to input_size with its aspect ratio kept, in the middle of grey (127.5)'
               if self._letterbox else 'resized linearly to input_size, whatever its aspect ratio')
        metadata = {
            'task': 'yolo_detection', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._net.mean), 'std': list(self._net.std), 'notes': [],
            'inputs': {'image': f'float32 [B, 3, H, W], RGB, (0..255 - mean) / std, {how}'}}
        decoder = None
        if decode:
            decoder = YOLODecoder(priors, self._net.classes)
            decoder.initialize(ctx=self.ctx)
            metadata['outputs'] = {'detections': (
                'float32 [B, N, 6], the surest first: class (from 0), score, xmin, ymin, xmax, ymax (fractions of the '
                'input, which a box may leave); rows of -1 fill up')}
        else:
            metadata['outputs'] = {name: (
                f'float32 [B, 3 * (5 + classes), H / {stride}, W / {stride}], raw; for each anchor tx ty tw th '
                'objectness classes: a box has its center at ((column + sigmoid(tx)) / columns, (row + sigmoid(ty)) / '
                'rows), and the size of its anchor times exp(tw), exp(th); its score is sigmoid(objectness) * '
                'sigmoid(class)')
                for name, stride in zip(names, self._net.strides)}
            metadata['anchors'] = {'strides': list(self._net.strides), 'shapes': [list(map(list, scale))
                                                                                  for scale in self._net.anchors],
                                   'meaning': 'shapes: width and height in pixels of the input, of each stride'}
        return Exported(self._net, {'image': self.noise(batch, height, width)}, names, metadata, decoder)


def _require_room(labels, rows):
    """ValueError if labels [B, M, 6] are more than the rows, or their targets more than the memory."""
    batch, objects, _ = labels
    if objects > rows:
        raise ValueError(f'labels: must be at most {rows} objects in an image of this size: {objects}')
    count = 4 * 4 * batch * rows * objects   # four arrays [B, N, M] at a time
    if count > _LARGE:   # what there is takes time to find out
        require_memory(f'labels: {objects} objects in an image', count)


def _checked_sizes(net, size, sizes):
    """`sizes` as a list, empty for None. ValueError unless all of them and `size` can be inputs of the network."""
    if sizes is not None and (not isinstance(sizes, (list, tuple)) or not sizes):
        raise ValueError(f'sizes: must be a list of sizes in pixels: {quoted(sizes)}')
    _check_size('size', net, size)
    for each in sizes or ():
        _check_size('sizes', net, each)
    return list(sizes or ())


def _check_size(name, net, size):
    """ValueError unless a network takes images of so many pixels, and MXNet can resize some to that."""
    check(name, size, whole(1, _MOST))
    try:
        net.grids(size, size)
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from None
