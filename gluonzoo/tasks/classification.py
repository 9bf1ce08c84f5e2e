"""Which of several classes a picture shows."""
import heapq
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..losses.ghm import GHMC
from ..losses.label_smoothing import smoothed
from ..losses.mixup import check_alpha, draw_weight, mixed
from ..metrics.classification import Classified
from ..pictures.check import check_images
from ..pictures.chw import from_chw, to_chw
from ..pictures.confusion import draw_confusion
from ..pictures.drawn_text import draw_lines
from ..pictures.labelled import labelled_sheet
from ..pictures.middle_crop import middle_crop
from ..reading import quoted
from ..registry import TASKS
from ..values import COUNT, NAMES, NUMBER, NUMBERS, OBJECT, SIDE, TRUE_OR_FALSE, Rule, check
from .base import Exported, FirstTime, Task, chunks, fetch, late

__all__ = ['Classification', 'Classes']

OPTIMIZER = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 1e-4}
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)   # ImageNet's, as PyTorch's models take them

PREDICT = 16   # images a device takes at once
TOLD = 5   # classes of an image
TILE = 192   # pixels of an image in a picture
LEGIBLE, LARGEST = 160, 4096   # pixels that the shorter side of a picture with words must have, and the longer may
MISTAKES = 24   # of an evaluation, shown
LOSSES = ('cross_entropy', 'ghm_c', 'ghm_c_sigmoid')
GHM = {'bins': 10, 'momentum': 0.75, 'per_class': False}
COLOURS = Rule('three numbers, of red, green and blue', lambda value: NUMBERS.holds(value) and len(value) == 3)
_BELOW_1 = Rule('a number from 0 to below 1', lambda value: NUMBER.holds(value) and 0 <= value < 1)
_GHM_RULES = {'bins': COUNT, 'momentum': _BELOW_1, 'per_class': TRUE_OR_FALSE}


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
    mixup : float, 0 or from 1e-6 to 1e6
        Pictures are mixed in pairs, and so are their targets, by a weight that is drawn from Beta(mixup, mixup) for
        each batch; 0: none. Source: "mixup: Beyond Empirical Risk Minimization" (https://arxiv.org/abs/1710.09412).
    loss : {'cross_entropy', 'ghm_c', 'ghm_c_sigmoid'}
        'ghm_c': see :class:`gluonzoo.losses.ghm.GHMC`, which weighs a picture by how many others are as easy. With
        'ghm_c_sigmoid' each class is a question of its own, and scores are sigmoids. Both take neither smoothing nor
        mixup, since they count how far pictures are from one class.
    ghm : dict
        'bins', 'momentum' and 'per_class' of GHMC
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`
    """

    main_metric = 'top1', 'max'

    def __init__(self, net, class_names: NAMES, size: SIDE = 224, crop=0.875, mean: COLOURS = MEAN, std: COLOURS = STD,
                 smoothing=0.0, mixup=0.0, loss='cross_entropy', ghm=GHM, optimizer=OPTIMIZER):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f'size: must be a number of pixels: {size!r}')
        for name, value, rule in (('class_names', class_names, NAMES), ('mean', mean, COLOURS), ('std', std, COLOURS),
                                  ('crop', crop, NUMBER), ('smoothing', smoothing, NUMBER), ('mixup', mixup, NUMBER)):
            check(name, value, rule)
        if min(std) <= 0:
            raise ValueError(f'std: must be three numbers above 0: {quoted(std)}')
        if not 0 < crop <= 1:
            raise ValueError(f'crop: must be above 0 and at most 1: {crop!r}')
        if not 0 <= smoothing < 1:
            raise ValueError(f'smoothing: must be from 0 to below 1: {smoothing!r}')
        check_alpha(mixup)
        if loss not in LOSSES:
            raise ValueError(f'loss: must be one of {", ".join(map(repr, LOSSES))}: {quoted(loss)}')
        if loss != 'cross_entropy' and (smoothing or mixup):
            raise ValueError(f'loss: {loss} takes neither smoothing nor mixup: {smoothing!r}, {mixup!r}')
        ghm = _checked_ghm(ghm)
        if loss == 'cross_entropy' and ghm != GHM:
            raise ValueError(f"ghm: is of the losses 'ghm_c' and 'ghm_c_sigmoid', not of {loss!r}: {quoted(ghm)}")
        super().__init__(net=net)
        self._net, self.class_names = net, list(class_names)
        self._size, self._crop, self._mean, self._std = size, crop, mean, std
        self._smoothing, self._mixup, self._optimizer = smoothing, mixup, optimizer
        self._cross_entropy = gluon.loss.SoftmaxCELoss(sparse_label=False)
        self._ghm = None
        if loss != 'cross_entropy':
            self._ghm = self.keep('ghm', GHMC(len(self.class_names), sigmoid=loss == 'ghm_c_sigmoid', **ghm))
        self._activation = 'sigmoid' if loss == 'ghm_c_sigmoid' else 'softmax'   # of logits, to make probabilities
        self._evaluated = None   # what the last evaluation found, to be drawn

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def check_outputs(self, outputs):
        if outputs['net'].shape != (1, len(self.class_names)):
            raise ValueError(f'class_names: must name the {outputs["net"].shape[-1]} outputs of the network; there are '
                             f'{len(self.class_names)}')

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The loss: 'loss'."""
        shape = batch.arrays[0].shape
        if shape[1:] != (3, self._size, self._size):
            raise ValueError(f'images: must be [B, 3, {self._size}, {self._size}], by size: {list(shape)}')
        weight = draw_weight(self._mixup)   # one for the batch, whatever the parts
        return self.engine.minimize('net', batch, lambda *part: self._losses(*part, weight))

    def _losses(self, images, labels, weight):
        if self._ghm:
            return {'loss': self._ghm(self._logits_of(images), labels)}
        targets = smoothed(labels, len(self.class_names), self._smoothing)
        if self._mixup:
            images, targets = mixed(images, targets, weight)
        return {'loss': self._cross_entropy(self._logits_of(images), targets).mean()}

    def evaluate(self, batches):
        """The part of the images that is classified rightly.

        Of classes that are equally likely the first is taken.

        Returns
        -------
        dict
            'top1': whose class is the likeliest; 'top5': or among the five likeliest; 'mean_class_top1': top1 of each
            class, and the mean of these, over the classes that there are images of
        """
        is_new, counts, worst = FirstTime(), Classified(len(self.class_names)), []
        begun = ((batch, self._logits(batch.arrays[0])) for batch in batches)
        for batch, logits in late(begun):
            truth = batch.arrays[1].asnumpy().reshape(-1).astype(int)
            logits = fetch(logits)
            new = [place for place, record in enumerate(batch.records.tolist()) if is_new(record)]
            counts.add(truth[new], logits[new])
            self._add_mistakes(worst, batch, truth, logits, new)
        metrics = counts.metrics()
        self._evaluated = counts.confusion, sorted(worst, reverse=True)
        return metrics

    def _add_mistakes(self, worst, batch, truth, logits, places):
        """Adds to a heap, of at most MISTAKES, (how sure, - record, image, what is said of it) of wrong images."""
        for place in places:
            label, score = (part[0] for part in self._likeliest(logits[place]))
            if label == truth[place] or not score > (worst[0][0] if len(worst) == MISTAKES else 0):
                continue
            image = from_chw(batch.arrays[0][place].asnumpy(), self._mean, self._std)
            said = [f'{self.class_names[label]} {score:.0%}', f'({self.class_names[truth[place]]})']
            item = float(score), -int(batch.records[place]), image, said
            heapq.heappushpop(worst, item) if len(worst) == MISTAKES else heapq.heappush(worst, item)

    def evaluation_pictures(self):
        """As :meth:`Task.evaluation_pictures`: 'confusion' (of up to 2000 classes), and 'mistakes', the wrong
        images that were the surest."""
        if self._evaluated is None:
            return {}
        confusion, worst = self._evaluated
        drawn = {} if confusion is None else {'confusion': draw_confusion(confusion, self.class_names)}
        drawn['mistakes'] = labelled_sheet([image for *_, image, _ in worst], [said for *_, said in worst], TILE)
        return drawn

    def predict(self, images):
        """The five likeliest :class:`Classes` of each image. See `crop` for the part that the network gets.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        found = []
        begun = (self._logits(mx.nd.array(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for logits in late(begun):
            found += [self._likeliest(row) for row in fetch(logits)]
        return found

    def _prepare(self, images):
        """List of uint8 [H, W, 3] -> float32 [n, 3, S, S]"""
        middles = [middle_crop(image, self._size, self._crop) for image in images]
        return to_chw(middles, self._mean, self._std)

    def _logits(self, images):
        """One array a device. Does not wait."""
        return [self._logits_of(part) for part in self.on_devices(images)]

    def _logits_of(self, images):
        return self._net(images).astype('float32', copy=False)

    def _likeliest(self, logits):
        """The :class:`Classes` of one image."""
        if self._activation == 'sigmoid':
            probabilities = np.where(logits < 0, np.exp(np.minimum(logits, 0)), 1) / (1 + np.exp(-abs(logits)))
        else:
            exponentials = np.exp(logits - logits.max())
            probabilities = exponentials / exponentials.sum()
        best = np.argsort(-probabilities, kind='stable')[:TOLD]
        return Classes(best.astype('int32'), probabilities[best].astype('float32'))

    def draw(self, image, result):
        """The image with the names of the five likeliest classes and their probabilities in its corner.

        A picture that is too small to be read with words on it is enlarged, to at most LARGEST pixels a side.
        """
        scale = min(-(-LEGIBLE // min(image.shape[:2])), LARGEST // max(image.shape[:2]))
        if scale > 1:
            image = image.repeat(scale, 0).repeat(scale, 1)
        return draw_lines(image, [f'{self.class_names[label]} {score:.0%}' for label, score in zip(*result)])

    def describe(self, result):
        """{'classes': [{'class': name, 'score': float}, ...]}"""
        return {'classes': [{'class': self.class_names[label], 'score': round(float(score), 4)}
                            for label, score in zip(*result)]}

    def picture(self, batch):
        """Up to 8 images of the batch with the likeliest class, and the true one in brackets where it is another."""
        images, labels = (array[:8] for array in batch.arrays)
        words = []
        for truth, row in zip(labels.asnumpy().reshape(-1).astype(int), fetch(self._logits(images))):
            found, truth = self.class_names[row.argmax()], self.class_names[truth]
            words.append([found if found == truth else f'{found} ({truth})'])
        return labelled_sheet(from_chw(images.asnumpy(), self._mean, self._std), words, TILE, columns=4)

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
            'outputs': {'logits': f'float32 [B, classes]; a {self._activation} makes probabilities'}})


def _checked_ghm(ghm):
    """A whole dict of GHMC's keywords. ValueError for unknown ones and values that are not as they must be."""
    check('ghm', ghm, OBJECT)
    for name, value in ghm.items():
        if name not in GHM:
            raise ValueError(f'ghm: unknown {quoted(name)}; there are {", ".join(GHM)}')
        check(f'ghm.{name}', value, _GHM_RULES[name])
    return {**GHM, **ghm}
