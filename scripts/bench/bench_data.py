"""Times how fast detection records become batches: gluonzoo's loader beside the readers that come with MXNet.

    python scripts/bench/bench_data.py --json bench_data.json     # a few minutes
    python scripts/bench/bench_data.py --quick                    # seconds: small pictures, few of them

All read the same records, which are made in a temporary directory. All decode, resize linearly (where the size
differs), normalise, and give batches of float32 [B, 3, S, S] and of boxes, unshuffled. The sides:

    gluonzoo              Loader of a detection_records dataset with the transform 'resize'
    ImageDetRecordIter    MXNet's, in C++. It takes as many threads as asked for, but at most half of the processors
                          less one
    ImageDetIter          MXNet's, in Python; it knows no workers
    RecordFileDetection   gluoncv's dataset with Gluon's DataLoader, in this process and with processes as workers.
                          (Not with threads: they share the file's position and mix records up.)

First every side is checked against NumPy and OpenCV. Pictures may differ by 1.5 levels of 255 in the mean, since the
JPEG decoders have different versions; boxes by 1e-4 of the picture's side. A wrong result ends the run with exit code 1
and no number. Then the sides take turns (A B C C B A ...). A turn is a pass over all records, started and waited for. A
rate is the median of all passes. A ratio is the median of the ratios within one round, to the fastest of the other
readers. Each has its 10th and 90th percentile.
"""
import argparse
import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from measuring import Pace, WrongResultError, call, machine, print_table, ratio, take_turns

import gluonzoo
from gluonzoo.data import Loader, write_records
from gluonzoo.registry import DATASETS

import mxnet as mx  # isort: skip

SIZES = (512, 300)      # what DSOD-gluon-mxnet and the DSOD paper train on
QUICK_SIZES = (48,)
DESCRIPTION = __doc__.splitlines()[0]
SIDE, COUNT = 512, 128             # of the pictures, and how many
QUICK_SIDE, QUICK_COUNT = 64, 8
BATCH = 8
MEAN, STD = (123, 117, 104), (58, 57, 57)
OURS = 'gluonzoo'


# -- the records -------------------------------------------------------------------------------------------------

def make_picture(seed, side):
    """(image, boxes, labels): smooth, with noise as of a camera and 1 to 3 rectangles, which are the objects."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (24, 24, 3), np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    image = (image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)
    count = rng.integers(1, 4)     # none would be refused by the other readers
    begin = rng.integers(0, side * 3 // 4, (count, 2))
    boxes = np.hstack([begin, begin + rng.integers(side // 16, side // 4, (count, 2))])
    for xmin, ymin, xmax, ymax in boxes:
        image[ymin:ymax, xmin:xmax] = rng.integers(0, 256, 3)
    return image, boxes, rng.integers(0, 3, count)


def reference(path, size):
    """[(image [3, S, S], rows of class xmin ymin xmax ymax as fractions)] of all records, read one after the other."""
    records = mx.recordio.MXIndexedRecordIO(str(path.with_suffix('.idx')), str(path), 'r')
    found = []
    for key in records.keys:
        header, bgr = mx.recordio.unpack_img(records.read_idx(key))
        image = cv2.resize(bgr[..., ::-1], (size, size), interpolation=cv2.INTER_LINEAR)
        found.append((((image - np.array(MEAN)) / STD).transpose(2, 0, 1), header.label[4:].reshape(-1, 5)))
    records.close()
    return found


# -- the sides ---------------------------------------------------------------------------------------------------

def sides_of(path, size, workers):
    """name -> function that gives the batches (images, labels) of a pass."""
    from gluoncv.data import RecordFileDetection
    from gluoncv.data.batchify import Pad, Stack, Tuple

    dataset = DATASETS.create('detection_records', path=str(path),
                              transform={'name': 'resize', 'size': size, 'mean': MEAN, 'std': STD})
    loader = Loader(dataset, BATCH, shuffle=False, seed=0, workers=workers)

    def ours():
        for batch in loader.epoch(0):
            yield batch.arrays

    def again(iterator):
        def batches():
            iterator.reset()
            for batch in iterator:
                yield batch.data[0], batch.label[0]
        return batches

    resizes = [mx.image.ForceResizeAug((size, size), interp=1)] if size != picture_side(path) else []
    normalises = [mx.image.CastAug(), mx.image.ColorNormalizeAug(mx.nd.array(MEAN), mx.nd.array(STD))]
    in_python = mx.image.ImageDetIter(BATCH, (3, size, size), path_imgrec=str(path), aug_list=[
        mx.image.DetBorrowAug(step) for step in resizes + normalises])
    in_c = mx.io.ImageDetRecordIter(
        path_imgrec=str(path), data_shape=(3, size, size), batch_size=BATCH, label_pad_width=50,
        preprocess_threads=workers, verbose=False,
        **{f'mean_{name}': value for name, value in zip('rgb', MEAN)},
        **{f'std_{name}': value for name, value in zip('rgb', STD)})

    def transform(image, label):
        if image.shape[:2] != (size, size):
            label = label * np.array([size / image.shape[1], size / image.shape[0]] * 2 + [1])
            image = mx.image.imresize(image, size, size, interp=1)
        image = mx.nd.image.normalize(mx.nd.image.to_tensor(image), mean=tuple(np.divide(MEAN, 255)),
                                      std=tuple(np.divide(STD, 255)))
        return image, label

    def gluon(processes):
        return mx.gluon.data.DataLoader(RecordFileDetection(str(path)).transform(transform), BATCH,
                                        batchify_fn=Tuple(Stack(), Pad(pad_val=-1)), num_workers=processes).__iter__

    return {f'{OURS}, {workers} workers': ours, f'ImageDetRecordIter, {workers} threads': again(in_c),
            'ImageDetIter': again(in_python), 'RecordFileDetection': gluon(0),
            f'RecordFileDetection, {workers} processes': gluon(workers)}


def picture_side(path):
    return DATASETS.create('detection_records', path=str(path)).sample(0).image.shape[0]


def rows_of(name, labels, size):
    """[n, 5], class xmin ymin xmax ymax as fractions, of a picture's labels as the side `name` gives them."""
    kind = name.split(',')[0]
    if kind == 'ImageDetRecordIter':        # 3 numbers of the shape, how many follow, 4 of the header
        rows = labels[8:4 + int(labels[3])].reshape(-1, 5)
    elif kind == 'RecordFileDetection':     # pixels, and the class last
        rows = np.hstack([labels[:, 4:], labels[:, :4] / size])
    else:
        rows = labels[:, :5]
    return rows[rows[:, 0] >= 0]     # what fills up is -1


def check(sides, wanted, size):
    """Raises WrongResultError unless every side gives all pictures and boxes, in order."""
    for name, batches in sides.items():
        number = 0
        for images, labels in batches():
            for image, label in zip(images.asnumpy(), labels.asnumpy()):
                where = f'{name}: picture {number} at {size}'
                if number == len(wanted):
                    raise WrongResultError(f'{name}: more than {number} pictures at {size}')
                wanted_image, wanted_rows = wanted[number]
                off = np.abs((image - wanted_image) * np.reshape(STD, (3, 1, 1))).mean()
                if image.dtype != np.float32 or not off < 1.5:
                    raise WrongResultError(f'{where}: {image.dtype}, off by {off:.3g} levels in the mean')
                rows = rows_of(name, label, size)
                if rows.shape != wanted_rows.shape or not np.abs(rows - wanted_rows).max() < 1e-4:
                    raise WrongResultError(f'{where}: boxes {rows.tolist()}, wanted {wanted_rows.tolist()}')
                number += 1
        if number < len(wanted):
            raise WrongResultError(f'{name}: {number} of {len(wanted)} pictures at {size}')


def drained(batches):
    """A function that goes through a pass and waits for each batch."""
    def run():
        for images, labels in batches():
            images.wait_to_read()
            labels.wait_to_read()
    return run


# -- the report --------------------------------------------------------------------------------------------------

def measure(path, size, count, workers, pace):
    """The rows of one size, and how much faster gluonzoo is than the fastest of the others there."""
    sides = sides_of(path, size, workers)
    check(sides, reference(path, size), size)
    print(f'{len(sides)} readers are right at {size}; timing', file=sys.stderr)
    times, by_round = take_turns({name: drained(batches) for name, batches in sides.items()}, pace)
    rows = [{'size': size, 'reader': name, 'images_per_second': {
        'median': count * 1e3 / ms['median'], 'p10': count * 1e3 / ms['p90'], 'p90': count * 1e3 / ms['p10'],
        'samples': ms['samples']}} for name, ms in times.items()]
    ours, *others = sides
    fastest = min(others, key=lambda name: times[name]['median'])
    return rows, {'size': size, 'against': fastest, 'faster': ratio(by_round, fastest, ours)}


def conditions(args, count, side, path):
    return {
        **machine(args.pace), 'workers': args.workers,
        'mxnet_threads': os.environ.get('MXNET_OMP_MAX_THREADS') or os.environ.get('OMP_NUM_THREADS'),
        'pictures': count, 'side': side,
        'bytes_per_picture': path.stat().st_size // count, 'batch': BATCH,
        'gluonzoo': gluonzoo.__version__, 'mxnet': mx.__version__, 'numpy': np.__version__, 'opencv': cv2.__version__,
    }


def text(value, form='.0f'):
    return f'{value["median"]:{form}} ({value["p10"]:{form}}-{value["p90"]:{form}})'


def print_report(report, side='reader', ours='gluonzoo'):
    """`side` is the key of rates that says whose they are; `ours` is the one that ratios are of."""
    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print_table(['size', side, 'images a second'],
                *([str(row['size']), row[side], text(row['images_per_second'])] for row in report['rates']))
    print_table([f'{ours} at size', 'against', 'times as fast'],
                *([str(row['size']), row['against'], text(row['faster'], '.2f')] for row in report['ratios']))


def parse(argv, description=DESCRIPTION, sizes=SIZES, quick_sizes=QUICK_SIZES):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--json', metavar='FILE', help='write every number here')
    parser.add_argument('--workers', type=int, help='threads or processes that read; default: all physical cores')
    parser.add_argument('--sizes', type=int, nargs='+', help='sides of what a network would get')
    parser.add_argument('--rounds', type=int, help='turns of each side; default: 7, or 1 with --quick')
    parser.add_argument('--quick', action='store_true', help='small pictures, few of them: does it work?')
    args = parser.parse_args(argv)
    defaults = {'workers': gluonzoo.cores.physical_cores(), 'sizes': quick_sizes if args.quick else sizes,
                'rounds': 1 if args.quick else 7}
    for name, default in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        if np.min(getattr(args, name)) < 1:
            parser.error(f'--{name}: must be at least 1: {getattr(args, name)}')
    args.pace = Pace(args.rounds, turn=0, pause=0.05)
    return args


def run(args, measure=measure):
    """The report. `measure` is a function of path, size, count, workers and pace -> (rates, ratio)."""
    side, count = (QUICK_SIDE, QUICK_COUNT) if args.quick else (SIDE, COUNT)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / 'bench.rec'
        write_records(path, (make_picture(seed, side) for seed in range(count)), quality=90)
        report = {'conditions': conditions(args, count, side, path), 'rates': [], 'ratios': []}
        for size in args.sizes:
            rates, faster = measure(path, size, count, args.workers, args.pace)
            report['rates'] += rates
            report['ratios'].append(faster)
        report['conditions']['load_average_after'] = os.getloadavg()[0]
    return report


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
