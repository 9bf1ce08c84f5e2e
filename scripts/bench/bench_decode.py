"""Times how long YOLO's heads take to become objects: decoding and suppression in each class, on one core.

    python scripts/bench/bench_decode.py --json bench_decode.json    # 10,647 boxes, 80 classes: those of 416 x 416
    python scripts/bench/bench_decode.py --quick                     # a small input, few rounds: does it run?

The heads are random. `bias` is added to objectness and classes: with -8 hardly a box has a score above the least one,
as of a picture without objects; with 0 nearly all have. First the objects are compared with those of a plain NumPy
decoding. A wrong result ends the run with exit code 1 and no number.
"""
import argparse
import os
import sys

os.environ.setdefault('OMP_NUM_THREADS', '1')   # before gluonzoo

import numpy as np
from measuring import Pace, WrongResultError, call, machine, print_table, take_turns

import gluonzoo
from gluonzoo.boxes import iou
from gluonzoo.tasks.detection.yolo_decode import YOLODecoder
from gluonzoo.tasks.detection.yolo_priors import make_priors

import mxnet as mx  # isort: skip

SIZE, CLASSES, BIASES = 416, 80, (-8, -5, -3, 0)
SCORE, OVERLAP, CANDIDATES, KEEP = .005, .45, 400, 100


def make_heads(net, size, bias, seed=0):
    """Random heads: a list of [1, 3 * (5 + classes), rows, columns]."""
    rng = np.random.default_rng(seed)
    heads = []
    for rows, columns in net.grids(size, size):
        head = rng.normal(0, 1.5, (1, 3, 5 + net.classes, rows, columns))
        head[:, :, 4:] += bias
        heads.append(head.reshape(1, -1, rows, columns).astype('float32'))
    return heads


def decoded(heads, priors, classes, of_class):
    """What the decoder shall find: rows of class, score, box, best first."""
    rows = np.concatenate([head[0].reshape(3, 5 + classes, -1).transpose(2, 0, 1).reshape(-1, 5 + classes)
                           for head in heads]).astype('float64')
    column, row, columns, lines, width, height = priors[0].T.astype('float64')
    sigmoids = 1 / (1 + np.exp(-rows))
    centers = np.stack([(column + sigmoids[:, 0]) / columns, (row + sigmoids[:, 1]) / lines], 1)
    sizes = np.exp(rows[:, 2:4]) * np.stack([width, height], 1)
    boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], 1)
    scores = sigmoids[:, 4:5] * sigmoids[:, 5:]
    kept, looked_at = [], np.zeros(classes, int)
    for pair in np.argsort(-scores.ravel())[:CANDIDATES]:
        box, label = divmod(pair, classes)
        looked_at[label] += 1
        others = np.array([boxes[other] for other, name in kept if name == label]).reshape(-1, 4)
        if (scores[box, label] > SCORE and looked_at[label] <= of_class
                and (iou(boxes[box], others) <= OVERLAP).all()):
            kept.append((box, label))
    return np.array([[label, scores[box, label], *boxes[box]] for box, label in kept[:KEEP]]).reshape(-1, 6)


def check(bias, found, wanted):
    """Raises WrongResultError unless the rows of the decoder are what they shall be, and -1 from there on."""
    rows = np.full((KEEP, 6), -1.)
    rows[:len(wanted)] = wanted
    if not np.allclose(found, rows, rtol=1e-3, atol=1e-4):
        raise WrongResultError(f'bias {bias}: {int((found[:, 0] >= 0).sum())} objects, not {len(wanted)}, or others')


def run(args):
    net = gluonzoo.get_model('yolo3_darknet53', classes=args.classes, width=1 / 64)
    priors, _ = make_priors(net, args.size, args.size)
    decoder = YOLODecoder(priors, args.classes, SCORE, OVERLAP, CANDIDATES, KEEP)
    decoder.initialize()
    decoder.hybridize(static_alloc=True)
    sides, objects = {}, {}
    for bias in BIASES:
        heads = make_heads(net, args.size, bias)
        arrays = [mx.nd.array(head) for head in heads]
        found = decoder(*arrays).asnumpy()[0]
        check(bias, found, decoded(heads, priors, args.classes, decoder.of_class))
        sides[bias] = lambda arrays=arrays: decoder(*arrays).wait_to_read()
        objects[bias] = int((found[:, 0] >= 0).sum())
    times, _ = take_turns(sides, args.pace)
    return {'conditions': {**machine(args.pace), 'threads': gluonzoo.runtime.threads(), 'boxes': priors.shape[1],
                           'classes': args.classes, 'load_average_after': os.getloadavg()[0]},
            'rows': [{'bias': bias, 'objects': objects[bias], 'ms': times[bias]} for bias in BIASES]}


def print_report(report):
    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print('\nTimes in ms: median (10th-90th percentile).')
    print_table(['bias', 'objects', 'ms'],
                *([str(row['bias']), str(row['objects']), '{median:.3g} ({p10:.3g}-{p90:.3g})'.format(**row['ms'])]
                  for row in report['rows']))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', type=int, default=SIZE, help='of the input, a multiple of 32 (default: %(default)s)')
    parser.add_argument('--classes', type=int, default=CLASSES, help='(default: %(default)s)')
    parser.add_argument('--quick', action='store_true', help='a small input, few rounds: does it run?')
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    if args.size < 64 or args.size % 32:
        parser.error(f'--size: must be a multiple of 32, at least 64: {args.size}')
    if args.classes < 2:
        parser.error(f'--classes: must be at least 2: {args.classes}')
    args.pace = Pace(2, .001, 0) if args.quick else Pace(7, .5, .05)
    if args.quick:
        args.size = 64
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
