"""What tasks share that name the class of a picture: evaluation, prediction, and what they show."""
import heapq
from typing import NamedTuple

import mxnet as mx
import numpy as np

from ..metrics.classification import Classified
from ..pictures.check import check_images
from ..pictures.chw import from_chw, to_chw
from ..pictures.confusion import draw_confusion
from ..pictures.drawn_text import draw_lines
from ..pictures.labelled import labelled_sheet
from ..pictures.middle_crop import middle_crop
from ..reading import quoted
from ..values import NAMES, NUMBER, NUMBERS, Rule, check
from .base import FirstTime, Task, chunks, fetch, late, require_look

__all__ = ['COLOURS', 'MEAN', 'STD', 'Classes', 'Classifier']

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)   # ImageNet's, as PyTorch's models take them

PREDICT = 16   # images a device takes at once
TOLD = 5   # classes of an image
TILE = 192   # pixels of an image in a picture
LEGIBLE, LARGEST = 160, 4096   # pixels that the shorter side of a picture with words must have, and the longer may
MISTAKES = 24   # of an evaluation, shown
COLOURS = Rule('three numbers, of red, green and blue', lambda value: NUMBERS.holds(value) and len(value) == 3)


class Classes(NamedTuple):
    """The likeliest classes of an image, the surest first."""
    labels: np.ndarray
    """int32 [n], class numbers from 0"""
    scores: np.ndarray
    """float32 [n], probabilities"""


class Classifier(Task):
    """A network that names the class of a picture. How it is trained, a subclass says.

    A batch's arrays are images [B, 3, S, S], normalised, and labels [B, 1], class numbers from 0. S is `size`. Results
    are :class:`Classes`: the five likeliest.

    A subclass may define :meth:`outcomes`, :meth:`logits_of` and :meth:`seen`.

    Parameters
    ----------
    net : HybridBlock
    class_names : list of str
    size : int
        pixels of the images that the network takes
    crop : float, above 0 and at most 1
        what of a photo to predict is seen: see :meth:`seen`
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the network takes (rgb - mean) / std
    others : dict of name -> HybridBlock
        the task's other networks

    Raises ValueError for values that are not as said.
    """

    main_metric = 'top1', 'max'
    activation = 'softmax'   # of logits, to make probabilities; or 'sigmoid'

    def __init__(self, net, class_names, size, crop, mean, std, **others):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f'size: must be a number of pixels: {size!r}')
        for name, value, rule in (('class_names', class_names, NAMES), ('mean', mean, COLOURS), ('std', std, COLOURS),
                                  ('crop', crop, NUMBER)):
            check(name, value, rule)
        if min(std) <= 0:
            raise ValueError(f'std: must be three numbers above 0: {quoted(std)}')
        if not 0 < crop <= 1:
            raise ValueError(f'crop: must be above 0 and at most 1: {crop!r}')
        super().__init__(net=net, **others)
        self._net, self.class_names = net, list(class_names)
        self._size, self._crop, self._mean, self._std = size, crop, mean, std
        self._evaluated = None   # what the last evaluation found, to be drawn

    @property
    def look(self):
        """{'size': pixels of a side, 'mean': three numbers, 'std': three numbers}: what the network's input is like."""
        return {'size': self._size, 'mean': self._mean, 'std': self._std}

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def check_logits(self, logits):
        """ValueError unless the network has an output for each class name."""
        if logits.shape != (1, len(self.class_names)):
            raise ValueError(f'class_names: must name the {logits.shape[-1]} outputs of the network; there are '
                             f'{len(self.class_names)}')

    def check_batch(self, batch):
        """ValueError unless the images of a batch are of the size that the task is for."""
        shape = batch.arrays[0].shape
        if shape[1:] != (3, self._size, self._size):
            raise ValueError(f'images: must be [B, 3, {self._size}, {self._size}], by size: {list(shape)}')

    def check_data(self, part, dataset):
        """The images must have the task's size, and its mean and std."""
        arrays = getattr(dataset, 'arrays', None)
        if arrays is not None and tuple(arrays[0]) != (3, self._size, self._size):
            raise ValueError(f'{part}: must make images {[3, self._size, self._size]}, by task.size: {list(arrays[0])}')
        require_look(part, dataset, self._mean, self._std, 'task')

    # -- what a subclass may define ----------------------------------------------------------------------------------

    def logits_of(self, images):
        """The logits of a part of the images, all on one device: NDArray [B, classes], float32."""
        return self._net(images).astype('float32', copy=False)

    def outcomes(self, images):
        """What is counted in an evaluation: dict of name -> list of NDArrays [b, classes], one a device.

        The logits named '' are the result. Others are counted beside them, under their names. Does not wait.
        """
        return {'': self._logits(images)}

    def seen(self, photo):
        """The part of a photo that the network gets: uint8 [H, W, 3] -> uint8 [S, S, 3].

        The photo is resized until its shorter side has size / crop pixels. The middle is seen.
        """
        return middle_crop(photo, self._size, self._crop)

    # -- evaluation --------------------------------------------------------------------------------------------------

    def evaluate(self, batches):
        """The part of the images that is classified rightly.

        Of classes that are equally likely the first is taken.

        Returns
        -------
        dict
            'top1': whose class is the likeliest; 'top5': or among the five likeliest; 'mean_class_top1': top1 of each
            class, and the mean of these, over the classes that there are images of. Of further outcomes the same, as
            'NAME_top1' and so on.
        """
        is_new, counts, worst = FirstTime(), {}, []
        begun = ((batch, self.outcomes(batch.arrays[0])) for batch in batches)
        for batch, outcomes in late(begun):
            truth = batch.arrays[1].asnumpy().reshape(-1).astype(int)
            new = [place for place, record in enumerate(batch.records.tolist()) if is_new(record)]
            for name, logits in outcomes.items():
                logits = fetch(logits)
                counts.setdefault(name, Classified(len(self.class_names))).add(truth[new], logits[new])
                if not name:
                    self._add_mistakes(worst, batch, truth, logits, new)
        if not counts:
            raise ValueError('batches: there must be at least one image')
        self._evaluated = counts[''].confusion, sorted(worst, reverse=True)
        return {f'{name}_{metric}'.lstrip('_'): value
                for name, counted in counts.items() for metric, value in counted.metrics().items()}

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

    # -- prediction --------------------------------------------------------------------------------------------------

    def predict(self, images):
        """The five likeliest :class:`Classes` of each image. See :meth:`seen` for the part that the network gets.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        found = []
        begun = (self._logits(mx.nd.array(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for logits in late(begun):
            found += [self._likeliest(row) for row in fetch(logits)]
        return found

    def _prepare(self, photos):
        """List of uint8 [H, W, 3] -> float32 [n, 3, S, S]"""
        return to_chw([self.seen(photo) for photo in photos], self._mean, self._std)

    def _logits(self, images):
        """One array a device. Does not wait."""
        return [self.logits_of(part) for part in self.on_devices(images)]

    def _likeliest(self, logits):
        """The :class:`Classes` of one image."""
        if self.activation == 'sigmoid':
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
        words = self._said(labels, fetch(self._logits(images)))
        return labelled_sheet(from_chw(images.asnumpy(), self._mean, self._std), words, TILE, columns=4)

    def _said(self, labels, logits):
        """For each image a line with the likeliest class, and one with the true one in brackets where it is another."""
        words = []
        for truth, row in zip(labels.asnumpy().reshape(-1).astype(int), logits):
            found, truth = self.class_names[row.argmax()], self.class_names[truth]
            words.append([found] if found == truth else [found, f'({truth})'])
        return words
