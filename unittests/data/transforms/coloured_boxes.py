"""Pictures with coloured rectangles, which tests of transforms find again in what the network gets."""
import numpy as np

from gluonzoo.data import Sample

MEAN, STD = [100, 110, 120], [50, 60, 70]
SIZE = 64
PALETTE = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]])     # of objects, on black


def rng_of(seed):
    return np.random.Generator(np.random.PCG64(seed))


class Scripted:
    """A generator that gives what it is told."""

    def __init__(self, *values):
        self.values = list(values)

    def integers(self, low, high=None):
        value = self.values.pop(0)
        low, high = (0, low) if high is None else (low, high)
        assert low <= value < high
        return value

    def random(self):
        return self.values.pop(0)

    def permutation(self, count):
        order = self.values.pop(0)
        assert sorted(order) == list(range(count))
        return order

    def uniform(self, low, high):
        value = self.values.pop(0)
        assert low <= value <= high
        return value

    def normal(self, mean, deviation, count):
        assert (mean, deviation) == (0, 0.1)   # those of the lighting of keypoint_train, which alone draws so
        values = self.values.pop(0)
        assert len(values) == count
        return np.array(values)


def apply(transform, sample, rng, image=None):
    """The arrays of a sample: new ones, but the first is written to `image` if that is given."""
    return transform(sample, rng, (image, *[None] * (len(transform.arrays) - 1)))


def coloured(boxes, width, height):
    """A black picture on which object i is a rectangle of PALETTE[i]. -> image, boxes, labels"""
    image = np.zeros((height, width, 3), np.uint8)
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    for (xmin, ymin, xmax, ymax), colour in zip(boxes.astype(int), PALETTE):
        image[ymin:ymax, xmin:xmax] = colour
    return image, boxes, np.arange(len(boxes), dtype=np.int32)


def sample_of(boxes, width=96, height=72, difficult=None):
    """A black picture on which object i is a rectangle of PALETTE[i]."""
    image, boxes, labels = coloured(boxes, width, height)
    return Sample(image, boxes, labels, 5, np.zeros(len(boxes), bool) if difficult is None else np.array(difficult))


def picture_of(image):
    """What the network gets -> [S, S, 3] on 0 .. 255."""
    return image.transpose(1, 2, 0) * STD + MEAN


def find(picture, colour):
    """The rectangle of a colour of the palette, on pixels' edges that are as exact as one can see; None without."""
    amount = picture @ (colour / 255 * 1.5 - 0.5) / 255      # 1 on it, 0 on black, less than 0 on the others
    if amount.max() < 0.6:
        return None
    ends = [np.flatnonzero(amount.max(axis) > 0.5)[[0, -1]] + [0, 1] for axis in (0, 1)]
    return np.array([ends[0][0], ends[1][0], ends[0][1], ends[1][1]])


def check_boxes(image, labels, atol):
    """The rectangles are where the boxes say, but for `atol` pixels. -> how many were compared"""
    picture = picture_of(image)
    assert image.shape == (3, SIZE, SIZE) and image.dtype == labels.dtype == np.float32
    assert not labels[:, 5:].any()   # none is difficult, where that is told
    assert ((labels[:, 1:5] >= 0) & (labels[:, 1:5] <= 1)).all()
    assert (labels[:, 3:5] > labels[:, 1:3]).all()
    compared = 0
    for row in labels:
        box = row[1:5] * SIZE
        if (box[2:] - box[:2]).min() >= 4:      # else too little can be seen
            np.testing.assert_allclose(find(picture, PALETTE[int(row[0])]), box, atol=atol)
            compared += 1
    return compared


def check_all_depends_on_the_generator(make, sample):
    """make: gives the transform."""
    wanted = apply(make(), sample, rng_of(1))
    np.random.seed(1)
    for got, want in zip(apply(make(), sample, rng_of(1)), wanted):
        np.testing.assert_array_equal(got, want)
    assert any((apply(make(), sample, rng_of(seed))[0] != wanted[0]).any() for seed in (2, 3))


def assert_same_distribution(ours, theirs, **more):
    """Compares the means of many properties of rectangles [n, 4]."""
    for name, of in {'area': lambda c: (c[:, 2] - c[:, 0]) * (c[:, 3] - c[:, 1]),
                     'aspect': lambda c: np.log((c[:, 2] - c[:, 0]) / (c[:, 3] - c[:, 1])),
                     'squared aspect': lambda c: np.log((c[:, 2] - c[:, 0]) / (c[:, 3] - c[:, 1])) ** 2,
                     'full width': lambda c: c[:, 2] - c[:, 0] > 0.9995,
                     'full height': lambda c: c[:, 3] - c[:, 1] > 0.9995,
                     'x': lambda c: c[:, 0], 'y': lambda c: c[:, 1], 'right': lambda c: c[:, 2], **more}.items():
        a, b = of(ours).astype(float), of(theirs).astype(float)
        error = np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert abs(a.mean() - b.mean()) < 4 * error, name
