"""Detection by a network that looks once: SSD's targets, losses and decoding, VOC's measure.

Deviations from the official code (Caffe) in training:

1. An image without objects keeps three hard negatives; there, none.
2. An anchor whose IoU with an object is exactly the threshold stands for no object, as in MXNet's MultiBoxTarget;
   there, it stands for the object.
"""
import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import HybridBlock

from ...losses import MultiBoxLoss, SoftmaxFocalLoss
from ...registry import TASKS
from ...values import NAMES
from ..base import Exported
from .anchors import make_anchors
from .multibox import MultiBoxDecoder, multibox_targets
from .whole_image import WholeImageDetection

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


@TASKS.register('single_shot_detection')
class SingleShotDetection(WholeImageDetection):
    """Trains a single-shot detector, and finds objects with it.

    Batches are as :class:`~gluonzoo.tasks.detection.whole_image.WholeImageDetection` has them, with images of the
    network's ``input_size``. Training treats difficult objects as all others. Results are
    :class:`~gluonzoo.tasks.detection.base.Detections`: at most 200 objects with a score above 0.01.

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

    def __init__(self, net, class_names: NAMES, loss='paper', optimizer=OPTIMIZER):
        if loss not in LOSSES:
            raise ValueError(f'loss: must be one of {", ".join(map(repr, LOSSES))}: {loss!r}')
        super().__init__(net, class_names, net.input_size)
        self._optimizer = optimizer
        anchors = make_anchors(net, net.input_size, net.input_size)
        self._anchors = anchors
        make_loss, self._match = LOSSES[loss]
        self._loss = make_loss()
        self._decoder = MultiBoxDecoder(anchors, net.classes)
        for block in (self._loss, self._decoder):
            block.hybridize(static_alloc=True)

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

    def rows_of(self, outputs):
        return self._decoder(*outputs)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the raw heads, or the rows of :class:`MultiBoxDecoder`."""
        height, width = size or 2 * (self._net.input_size,)
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
        image = self.noise(batch, height, width)
        return Exported(self._net, {'image': image}, ['class_logits', 'box_offsets'], metadata, decoder)
