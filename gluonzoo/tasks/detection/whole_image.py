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
from ..base import FirstTime, chunks, fetch, late
from .base import Detections, DetectionTask

__all__ = ['WholeImageDetection']

PREDICT = 8   # images a device takes at once
TILE = 384   # pixels of an image in a picture


class WholeImageDetection(DetectionTask):
    """A detection task that sees each image once, as a square of `size` pixels.

    A batch's arrays are images [B, 3, S, S] and labels [B, M, 6]: class, xmin, ymin, xmax, ymax (fractions of the
    image), difficult; rows of -1 fill up. Only the evaluation uses `difficult`.

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

    def rows_of(self, outputs):
        """The objects in the network's outputs: [B, keep, 6], class, score, xmin, ymin, xmax, ymax (fractions of the
        input), best first; rows of -1 fill up.
        """
        raise self._undefined('rows_of')

    def fitted(self, image):
        """An RGB uint8 image as a square of `size` pixels."""
        return resize(image, self._size, self._size, 'linear')

    def from_input(self, boxes, width, height):
        """Boxes [n, 4] in fractions of the input, in pixels of the image of this size that :meth:`fitted` took."""
        return stretched(boxes, width, height)

    def make_metric(self):
        """What :meth:`evaluate` computes: it has ``update`` and ``get`` as VOCMeanAP has them."""
        return VOCMeanAP(self.class_names)

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def evaluate(self, batches):
        """What the metric of :meth:`make_metric` gives. The images must be resized only, neither cropped nor turned."""
        metric, is_new = self.make_metric(), FirstTime()
        for records, rows, labels in late(self._begin(batch) for batch in batches):
            for record, row, truth in zip(records.tolist(), fetch(rows), labels.asnumpy()):
                if not is_new(record):
                    continue
                truth = truth[truth[:, 0] >= 0]
                metric.update(*detections(row, self._size, self._size), truth[:, 1:5] * self._size, truth[:, 0],
                              truth[:, 5] > 0)
        return metric.get()

    def predict(self, images):
        """A Detections for each image.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        results = []
        begun = ((chunk, self._detect(self._prepare(chunk))) for chunk in chunks(images, PREDICT * len(self.ctx)))
        for chunk, rows in late(begun):
            results += [detections(row, *image.shape[1::-1], self.from_input)
                        for image, row in zip(chunk, fetch(rows))]
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
                                    *detections(row, TILE, TILE).above(self.shown), self.class_names, truth))
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
        images, labels = batch.arrays
        return batch.records, self._detect(images), labels

    def _detect(self, images):
        """:meth:`rows_of` the images, one array a device. Does not wait."""
        return [self.rows_of([x.astype('float32', copy=False) for x in self._net(part)])
                for part in self.on_devices(images)]

    def _prepare(self, images):
        return mx.nd.array(to_chw([self.fitted(image) for image in images], self._net.mean, self._net.std))


def stretched(boxes, width, height):
    """Boxes [n, 4] in fractions of an image, in pixels of the image."""
    return boxes * np.array([width, height] * 2, 'float32')


def detections(row, width, height, in_pixels=stretched):
    """The rows [keep, 6] of an image of this size as :class:`Detections`.

    `in_pixels` takes boxes [n, 4] in fractions of the input, the width and the height.
    """
    row = row[(row[:, 0] >= 0) & np.isfinite(row).all(axis=1)]   # an output may overflow
    boxes = clip(in_pixels(row[:, 2:], width, height), width, height)
    inside = area(boxes) > 0
    return Detections(boxes[inside], row[inside, 1], row[inside, 0].astype('int32'))
