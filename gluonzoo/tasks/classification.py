"""Which of several classes a picture shows."""
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..pictures.check import check_images
from ..pictures.chw import from_chw, to_chw
from ..pictures.contact_sheet import contact_sheet
from ..pictures.drawn_text import draw_lines
from ..pictures.resize import resize
from ..registry import TASKS
from ..values import NAMES, SIDE
from .base import Exported, FirstTime, Task, chunks, fetch, late

__all__ = ['Classification', 'Classes']

OPTIMIZER = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 1e-4}
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)   # ImageNet's, as PyTorch's models take them

PREDICT = 16   # images a device takes at once
TOLD = 5   # classes of an image
TILE = 192   # pixels of an image in a picture


class Classes(NamedTuple):
    """The likeliest classes of an image, the surest first."""
    labels: np.ndarray
    """int32 [n], class numbers from 0"""
    scores: np.ndarray
    """float32 [n], probabilities"""


@TASKS.register('classification')
class Classification(Task):
    """Trains a network to name the class of a picture.

    A batch's arrays are images [B, 3, S, S], normalised, and labels [B, 1], class numbers from 0. S is `size`. Results
    are :class:`Classes`: the five likeliest.

    Parameters
    ----------
    net : HybridBlock
        ``logits [B, classes] = net(images)``
    class_names : list of str
    size : int
        pixels of the images that the network takes
    crop : float, above 0 and at most 1
        Photos to predict are resized until their shorter side has size / crop pixels. The network gets the middle, of
        size x size pixels.
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the network takes (rgb - mean) / std
    smoothing : float, from 0 to below 1
        part of the target's weight that is shared among all classes
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`
    """

    main_metric = 'top1', 'max'

    def __init__(self, net, class_names: NAMES, size: SIDE = 224, crop=0.875, mean=MEAN, std=STD, smoothing=0.0,
                 optimizer=OPTIMIZER):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f'size: must be a number of pixels: {size!r}')
        if not 0 < crop <= 1:
            raise ValueError(f'crop: must be above 0 and at most 1: {crop!r}')
        if not 0 <= smoothing < 1:
            raise ValueError(f'smoothing: must be from 0 to below 1: {smoothing!r}')
        super().__init__(net=net)
        self._net, self.class_names = net, list(class_names)
        self._size, self._crop, self._mean, self._std = size, crop, mean, std
        self._smoothing, self._optimizer = smoothing, optimizer
        self._loss = gluon.loss.SoftmaxCELoss(sparse_label=False)

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def check_outputs(self, outputs):
        if outputs['net'].shape != (1, len(self.class_names)):
            raise ValueError(f'class_names: must name the {outputs["net"].shape[-1]} outputs of the network; there are '
                             f'{len(self.class_names)}')

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The loss: cross-entropy, 'loss'."""
        shape = batch.arrays[0].shape
        if shape[1:] != (3, self._size, self._size):
            raise ValueError(f'images: must be [B, 3, {self._size}, {self._size}], by size: {list(shape)}')
        return self.engine.minimize('net', batch, self._losses)

    def _losses(self, images, labels):
        classes, rest = len(self.class_names), self._smoothing / len(self.class_names)
        targets = mx.nd.one_hot(labels.reshape(-1), classes, on_value=1 - self._smoothing + rest, off_value=rest)
        return {'loss': self._loss(self._net(images).astype('float32', copy=False), targets).mean()}

    def evaluate(self, batches):
        """'top1' and 'top5': the part of the images whose class is the likeliest, or among the five likeliest.

        Of classes that are equally likely the first is taken.
        """
        is_new, ranks = FirstTime(), []
        begun = ((batch.records, batch.arrays[1], self._logits(batch.arrays[0])) for batch in batches)
        for records, labels, logits in late(begun):
            truth = labels.asnumpy().reshape(-1).astype(int)
            logits = fetch(logits)
            ranks += [rank for record, rank in zip(records.tolist(), _ranks(logits, truth)) if is_new(record)]
        if not ranks:
            raise ValueError('batches: there must be at least one image')
        ranks = np.array(ranks)
        return {'top1': float((ranks < 1).mean()), 'top5': float((ranks < 5).mean())}

    def predict(self, images):
        """The five likeliest :class:`Classes` of each image. See `crop` for the part that the network gets.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        found = []
        begun = (self._logits(mx.nd.array(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for logits in late(begun):
            found += [_likeliest(row) for row in fetch(logits)]
        return found

    def _prepare(self, images):
        """List of uint8 [H, W, 3] -> float32 [n, 3, S, S]"""
        middles = []
        for image in images:
            height, width = image.shape[:2]
            scale = self._size / self._crop / min(height, width)
            height, width = (max(self._size, round(scale * side)) for side in (height, width))
            top, left = (height - self._size) // 2, (width - self._size) // 2
            middles.append(resize(image, width, height)[top:top + self._size, left:left + self._size])
        return to_chw(middles, self._mean, self._std)

    def _logits(self, images):
        """One array a device. Does not wait."""
        return [self._net(part).astype('float32', copy=False) for part in self.on_devices(images)]

    def draw(self, image, result):
        """The image with the names of the three likeliest classes and their probabilities in its corner."""
        return draw_lines(image, [f'{self.class_names[label]} {score:.0%}'
                                  for label, score in list(zip(*result))[:3]])

    def describe(self, result):
        """{'classes': [{'class': name, 'score': float}, ...]}"""
        return {'classes': [{'class': self.class_names[label], 'score': round(float(score), 4)}
                            for label, score in zip(*result)]}

    def picture(self, batch):
        """Up to 8 images of the batch with the likeliest class, and the true one in brackets where it is another."""
        images, labels = (array[:8] for array in batch.arrays)
        tiles = []
        for image, truth, row in zip(from_chw(images.asnumpy(), self._mean, self._std),
                                     labels.asnumpy().reshape(-1).astype(int), fetch(self._logits(images))):
            found, truth = self.class_names[row.argmax()], self.class_names[truth]
            tiles.append(draw_lines(resize(image, TILE, TILE), [found if found == truth else f'{found} ({truth})']))
        return contact_sheet(tiles)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the logits."""
        if decode:
            raise ValueError('decode: classification has nothing to decode, its outputs are logits')
        height, width = size or 2 * (self._size,)
        return Exported(self._net, {'image': (batch, 3, height, width)}, ['logits'], {
            'task': 'classification', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._mean), 'std': list(self._std), 'notes': [],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, (0..255 - mean) / std; the middle of a photo whose '
                                f'shorter side has input_size / {self._crop} pixels'},
            'outputs': {'logits': 'float32 [B, classes]; a softmax makes probabilities'}})


def _ranks(logits, truth):
    """How many classes are before the true one. Of equals the first is, and where there is NaN, none is."""
    own = np.take_along_axis(logits, truth[:, None], axis=1)   # [n, 1]
    earlier = np.arange(logits.shape[1]) < truth[:, None]   # [n, classes]
    return (~(logits <= own) | ((logits == own) & earlier)).sum(axis=1)


def _likeliest(logits):
    exponentials = np.exp(logits - logits.max())
    probabilities = exponentials / exponentials.sum()
    best = np.argsort(-probabilities, kind='stable')[:TOLD]
    return Classes(best.astype('int32'), probabilities[best].astype('float32'))
