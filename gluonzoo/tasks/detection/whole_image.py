"""Detection by a network that sees each image once, at one size: evaluation, prediction and pictures."""
import mxnet as mx
import numpy as np

from ...boxes import area, clip
from ...metrics.voc import VOCMeanAP
from ...pictures.check import check_images
from ...pictures.chw import from_chw, to_chw
from ...pictures.contact_sheet import contact_sheet
from ...pictures.drawn_boxes import draw_boxes
from ...pictures.resize import resize
from ..base import FirstTime, chunks, fetch, late, require_look
from ..curves import precision_and_recall
from .base import Detections, DetectionTask

__all__ = ['WholeImageDetection']

PREDICT = 8   # images a device takes at once
TILE = 384   # pixels of an image in a picture


class WholeImageDetection(DetectionTask):
    """A detection task that sees each image once, as a square of `size` pixels.

    A batch's arrays are images [B, 3, S, S] and labels [B, M, 6]: class, xmin, ymin, xmax, ymax (fractions of the
    image), difficult; rows of -1 fill up. Only the evaluation uses `difficult`. Where the images of an evaluation are
    letterboxed, there are windows [B, 4], too: where each picture is, xmin, ymin, xmax, ymax (fractions of the image).

    A subclass defines :meth:`rows_of`. It may define :meth:`fitted`, :meth:`from_input` and :meth:`make_metric`.

    Parameters
    ----------
    net : HybridBlock
        with ``classes``, ``mean`` and ``std``
    class_names : list of str
    size : int
        S
    """

    main_metric = 'mAP', 'max'

    def __init__(self, net, class_names, size):
        super().__init__(net, class_names)
        self._net, self._size = net, size
        self._curves = {}   # of the last evaluation

    def rows_of(self, outputs):
        """The objects in the network's outputs: [B, keep, 6], class, score, xmin, ymin, xmax, ymax (fractions of the
        input), best first; rows of -1 fill up.
        """
        raise self._undefined('rows_of')

    def fitted(self, image):
        """An RGB uint8 image as a square of `size` pixels, of 0..255."""
        return resize(image, self._size, self._size, 'linear')

    def from_input(self, boxes, width, height):
        """Boxes [n, 4] in fractions of the input, in pixels of the image of this size that :meth:`fitted` took."""
        return boxes * np.array([width, height] * 2, 'float32')

    def make_metric(self):
        """What :meth:`evaluate` computes: it has ``update`` and ``get``, and perhaps ``curves``, as
        VOCMeanAP has them."""
        return VOCMeanAP(self.class_names)

    def check_data(self, part, dataset):
        """The images must have the task's size, and the network's mean and std."""
        if getattr(dataset, 'arrays', None) is not None:
            self.check_images(part, dataset.arrays[0])
        require_look(part, dataset, self._net.mean, self._net.std, 'network')

    def check_images(self, part, shape):
        """ValueError unless a dataset makes images of a `shape` that the task takes."""
        if tuple(shape) != (3, self._size, self._size):
            raise ValueError(f'{part}: must make images {[3, self._size, self._size]}, which the task takes: '
                             f'{list(shape)}')

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def evaluate(self, batches):
        """What the metric of :meth:`make_metric` gives. The images must be resized only, neither cropped nor turned."""
        metric, is_new = self.make_metric(), FirstTime()
        for records, rows, labels, windows in late(self._begin(batch) for batch in batches):
            for record, row, truth, window in zip(records.tolist(), fetch(rows), labels.asnumpy(), windows.asnumpy()):
                if not is_new(record):
                    continue
                truth = truth[truth[:, 0] >= 0]
                found, boxes = (self._in_window(each, window) for each in (row[:, 2:], truth[:, 1:5]))
                width, height = (window[2:] - window[:2]) * self._size
                metric.update(*detections(row, found, width, height), boxes, truth[:, 0], truth[:, 5] > 0)
        self._curves = metric.curves() if hasattr(metric, 'curves') else {}
        return metric.get()

    def evaluation_curves(self):
        """As :meth:`Task.evaluation_curves`: precision and recall of each class."""
        return precision_and_recall(self._curves)

    def _in_window(self, boxes, window):
        """Boxes [n, 4] in fractions of the input, in the input's pixels from the corner of the picture."""
        return (boxes - np.tile(window[:2], 2)) * self._size

    def predict(self, images):
        """A Detections for each image.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        results = []
        begun = ((chunk, self._detect(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for chunk, rows in late(begun):
            for image, row in zip(chunk, fetch(rows)):
                height, width = image.shape[:2]
                results.append(detections(row, self.from_input(row[:, 2:], width, height), width, height))
        return results

    def picture(self, batch):
        """Up to 8 images of the batch with what is found in them (score at least `shown`), and the true boxes, thin."""
        self._check(batch)
        images, labels = (array[:8] for array in batch.arrays[:2])
        tiles = []
        for image, row, truth in zip(from_chw(images.asnumpy(), self._net.mean, self._net.std),
                                     fetch(self._detect(images)), labels.asnumpy()):
            truth = truth[truth[:, 0] >= 0, 1:5] * TILE
            found = detections(row, row[:, 2:] * TILE, TILE, TILE).above(self.shown)
            tiles.append(draw_boxes(resize(image, TILE, TILE, 'linear'), *found, self.class_names, truth))
        return contact_sheet(tiles)

    def noise(self, batch, height, width):
        """An input of such a shape for the export: float32 [batch, 3, height, width]."""
        mean, std = (np.array(values, 'float32')[:, None, None] for values in (self._net.mean, self._net.std))
        return (np.random.default_rng(0).uniform(0, 255, (batch, 3, height, width)).astype('float32') - mean) / std

    def _check(self, batch):
        shape, size = batch.arrays[0].shape, self._size
        if shape[1:] != (3, size, size):
            raise ValueError(f'images: must be [B, 3, {size}, {size}], which the network is made for: {list(shape)}')

    def _begin(self, batch):
        self._check(batch)
        images, labels, *windows = batch.arrays
        whole = mx.nd.tile(mx.nd.array([0, 0, 1, 1]), (len(images), 1))
        return batch.records, self._detect(images), labels, (windows or [whole])[0]

    def _detect(self, images):
        """:meth:`rows_of` the images, one array a device. Does not wait."""
        return [self.rows_of([x.astype('float32', copy=False) for x in self._net(part)])
                for part in self.on_devices(images)]

    def _prepare(self, images):
        return mx.nd.array(to_chw([self.fitted(image) for image in images], self._net.mean, self._net.std))


def detections(row, boxes, width, height):
    """The rows [keep, 6] of an image as :class:`Detections`.

    `boxes` are theirs [keep, 4], in pixels of a picture of this size; what is outside is cut off.
    """
    keep = (row[:, 0] >= 0) & np.isfinite(row).all(axis=1)   # an output may overflow
    row, boxes = row[keep], clip(boxes[keep], width, height)
    inside = area(boxes) > 0
    return Detections(boxes[inside], row[inside, 1], row[inside, 0].astype('int32'))
