"""Times how fast detection records become augmented batches: gluonzoo's transforms, and GluonCV's for YOLOv3.

    python scripts/bench/bench_augmentation.py --json bench_augmentation.json     # a few minutes
    python scripts/bench/bench_augmentation.py --quick                            # seconds: small pictures, few of them

All read the same records, those of bench_data.py, and give batches of float32 [B, 3, S, S] and of boxes. The sides:

    darknet_train       gluonzoo's Loader with the transform of this name: what darknet does to train YOLOv3
    ssd_train           gluonzoo's Loader with what SSD and DSOD do
    letterbox, resize   gluonzoo's Loader with what is done to test: the same work without augmentation
    gluoncv             RecordFileDetection and YOLO3DefaultTrainTransform (SSD's augmentation; no targets) with Gluon's
                        DataLoader, in this process and with processes as workers

First every side is checked: as many pictures as there are, of the right shape and type, finite (ours: on the scale of
the normalised colours), and boxes within them. What is drawn has tests of its own. A wrong result ends the run with
exit code 1 and no number. Then the sides take turns, as in bench_data.py. A ratio is the median of the ratios within
one round of `darknet_train` to the faster form of gluoncv.
"""
import sys
from functools import partial

import numpy as np
from bench_data import BATCH, MEAN, STD, drained, parse, print_report, run
from measuring import WrongResultError, call, ratio, take_turns

from gluonzoo.data import Loader
from gluonzoo.registry import DATASETS

import mxnet as mx  # isort: skip

SIZES = (608, 416)      # the largest and the middle one of YOLOv3's training
QUICK_SIZES = (48,)
OURS = ('darknet_train', 'ssd_train', 'letterbox', 'resize')
THEIRS = 'gluoncv'


def sides_of(path, size, workers):
    """name -> function that gives the batches (images, labels) of a pass."""
    from gluoncv.data import RecordFileDetection
    from gluoncv.data.batchify import Pad, Stack, Tuple
    from gluoncv.data.transforms.presets.yolo import YOLO3DefaultTrainTransform

    def ours(name):
        dataset = DATASETS.create('detection_records', path=str(path),
                                  transform={'name': name, 'size': size, 'mean': MEAN, 'std': STD})
        loader = Loader(dataset, BATCH, shuffle=False, seed=0, workers=workers)
        return lambda: (batch.arrays[:2] for batch in loader.epoch(0))   # without the windows of letterboxes

    def theirs(processes):
        transform = YOLO3DefaultTrainTransform(size, size, mean=tuple(np.divide(MEAN, 255)),
                                               std=tuple(np.divide(STD, 255)))
        return mx.gluon.data.DataLoader(RecordFileDetection(str(path)).transform(transform), BATCH,
                                        batchify_fn=Tuple(Stack(), Pad(pad_val=-1)), num_workers=processes).__iter__

    return {**{name: ours(name) for name in OURS},
            THEIRS: theirs(0), f'{THEIRS}, {workers} processes': theirs(workers)}


def check(sides, count, size):
    """Raises WrongResultError unless every side gives so many pictures and boxes that can be right."""
    least, most = (np.subtract(level, MEAN) / STD for level in (0, 255))
    for name, batches in sides.items():
        number = 0
        for images, labels in batches():
            images, labels = images.asnumpy(), labels.asnumpy()
            where = f'{name}: pictures {number} to {number + len(images) - 1} at {size}'
            if images.shape[1:] != (3, size, size) or images.dtype != np.float32 or len(labels) != len(images):
                raise WrongResultError(f'{where}: {images.dtype} {images.shape}, labels {labels.shape}')
            levels = images.transpose(0, 2, 3, 1)
            room = np.inf if name.startswith(THEIRS) else 0.01   # GluonCV does not cut colours at black and white
            if not ((levels > least - room) & (levels < most + room)).all() or not images.std() > 0.1:   # NaN neither
                raise WrongResultError(f'{where}: values from {images.min():.3g} to {images.max():.3g}')
            # GluonCV's have the class last, and pixels.
            known, boxes = (labels[..., 4] >= 0, labels[..., :4] / size) if name.startswith(THEIRS) else (
                labels[..., 0] >= 0, labels[..., 1:5])
            boxes = boxes[known]
            if not ((boxes > -1e-5) & (boxes < 1 + 1e-5)).all() or not (boxes[:, 2:] > boxes[:, :2]).all():
                raise WrongResultError(f'{where}: boxes {boxes.tolist()}')
            number += len(images)
        if number != count:
            raise WrongResultError(f'{name}: {number} of {count} pictures at {size}')


def measure(path, size, count, workers, pace):
    """The rates of one size, and how much faster darknet_train is than GluonCV."""
    sides = sides_of(path, size, workers)
    check(sides, count, size)
    print(f'{len(sides)} sides can be right at {size}; timing', file=sys.stderr)
    times, by_round = take_turns({name: drained(batches) for name, batches in sides.items()}, pace)
    rates = [{'size': size, 'side': name, 'images_per_second': {
        'median': count * 1e3 / ms['median'], 'p10': count * 1e3 / ms['p90'], 'p90': count * 1e3 / ms['p10'],
        'samples': ms['samples']}} for name, ms in times.items()]
    fastest = min((name for name in sides if name.startswith(THEIRS)), key=lambda name: times[name]['median'])
    return rates, {'size': size, 'against': fastest, 'faster': ratio(by_round, fastest, OURS[0])}


def main(argv=None):
    args = parse(argv, __doc__.splitlines()[0], SIZES, QUICK_SIZES)
    return call(args, partial(run, measure=measure), partial(print_report, side='side', ours=OURS[0]))


if __name__ == '__main__':
    sys.exit(main())
