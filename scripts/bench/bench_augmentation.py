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
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_data import BATCH, COUNT, MEAN, QUICK_COUNT, QUICK_SIDE, SIDE, STD, conditions, drained, make_picture, text
from measuring import Pace, WrongResultError, call, print_table, ratio, take_turns

import gluonzoo
from gluonzoo.data import Loader, write_records
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


def print_report(report):
    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print_table(['size', 'side', 'images a second'],
                *([str(row['size']), row['side'], text(row['images_per_second'])] for row in report['rates']))
    print_table([f'{OURS[0]} at size', 'against', 'times as fast'],
                *([str(row['size']), row['against'], text(row['faster'], '.2f')] for row in report['ratios']))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write every number here')
    parser.add_argument('--workers', type=int, help='threads or processes that read; default: all physical cores')
    parser.add_argument('--sizes', type=int, nargs='+', help='sides of what a network would get')
    parser.add_argument('--rounds', type=int, help='turns of each side; default: 7, or 1 with --quick')
    parser.add_argument('--quick', action='store_true', help='small pictures, few of them: does it work?')
    args = parser.parse_args(argv)
    defaults = {'workers': gluonzoo.cores.physical_cores(), 'sizes': QUICK_SIZES if args.quick else SIZES,
                'rounds': 1 if args.quick else 7}
    for name, default in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        if np.min(getattr(args, name)) < 1:
            parser.error(f'--{name}: must be at least 1: {getattr(args, name)}')
    args.pace = Pace(args.rounds, turn=0, pause=0.05)
    return args


def run(args):
    side, count = (QUICK_SIDE, QUICK_COUNT) if args.quick else (SIDE, COUNT)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / 'bench.rec'
        write_records(path, (make_picture(seed, side) for seed in range(count)), quality=90)
        report = {'conditions': conditions(args, count, side, path), 'rates': [], 'ratios': []}
        for size in args.sizes:
            rates, faster = measure(path, size, count, args.workers, args.pace)
            report['rates'] += rates
            report['ratios'].append(faster)
    return report


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
