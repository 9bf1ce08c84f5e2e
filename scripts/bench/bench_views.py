"""Times the views of pictures that attention maps choose, beside the same in PyTorch, picture by picture.

    python scripts/bench/bench_views.py --json bench_views.json    # 4 pictures of 448 x 448, 32 maps of 14 x 14
    python scripts/bench/bench_views.py --quick                    # small pictures, few rounds: does it run?

'training' are the crop and the drop of a training step with their draws, 'refined' is the crop of a prediction. First
the boxes and crops of both sides are compared. A wrong result ends the run with exit code 1 and no number.
"""
import argparse
import os
import sys

import numpy as np
from measuring import Pace, UnavailableError, WrongResultError, call, machine, print_table, ratio, take_turns

import gluonzoo
from gluonzoo.tasks.fine_grained.attention_views import RefinedView, TrainingViews

import mxnet as mx  # isort: skip

SIZE, BATCH, MAPS, STRIDE = 448, 4, 32, 32
VIEWS = 'training', 'refined'


def make(args, seed=0):
    """Random pictures, and attention with high places and many zeros."""
    rng = np.random.default_rng(seed)
    cells = args.size // STRIDE
    attention = np.maximum(rng.normal(size=(args.batch, args.maps, cells, cells)), 0) ** 6
    return (rng.random((args.batch, 3, args.size, args.size)).astype('float32'), attention.astype('float32'))


def check(found, wanted):
    """Raises WrongResultError unless crops and boxes are the same on both sides."""
    (crops, boxes), (twin_crops, twin_boxes) = found, wanted
    if not np.array_equal(boxes, twin_boxes):
        raise WrongResultError(f'boxes: {boxes.tolist()}, not {np.array(twin_boxes).tolist()}')
    if not np.allclose(crops, twin_crops, rtol=0, atol=1e-4):
        raise WrongResultError(f'crops: by {np.abs(crops - twin_crops).max():.2g}')


def run(args):
    try:
        import torch
        from torch_twins import wsdan_views as twin
    except ImportError as error:
        raise UnavailableError(f'bench_views: {error}') from error
    threads = gluonzoo.runtime.threads()
    torch.set_num_threads(threads)
    arrays = make(args)
    ours, others = [mx.nd.array(array) for array in arrays], [torch.from_numpy(array) for array in arrays]
    training, refined = TrainingViews(), RefinedView()
    for block in (training, refined):
        block.hybridize(static_alloc=True)
    crops, boxes = twin.refined_view(*others)
    check([y.asnumpy() for y in refined(*ours)], [crops.numpy(), boxes])
    sides = {('training', 'gluonzoo'): lambda: wait(training(*ours)),
             ('training', 'PyTorch'): lambda: twin.training_views(*others, *twin.draw(others[1])),
             ('refined', 'gluonzoo'): lambda: wait(refined(*ours)),
             ('refined', 'PyTorch'): lambda: twin.refined_view(*others)}
    times, by_round = take_turns(sides, args.pace)
    rows = [{'views': views, **{side: times[views, side] for side in ('gluonzoo', 'PyTorch')},
             'ratio': ratio(by_round, (views, 'PyTorch'), (views, 'gluonzoo'))} for views in VIEWS]
    return {'conditions': {**machine(args.pace), 'threads': threads, 'pytorch': torch.__version__,
                           'pictures': [args.batch, 3, args.size, args.size],
                           'attention': list(arrays[1].shape), 'load_average_after': os.getloadavg()[0]},
            'rows': rows}


def wait(outputs):
    for output in outputs:
        output.wait_to_read()


def print_report(report):
    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print('\nTimes in ms: median (10th-90th percentile). Ratio: how many times longer PyTorch takes.')
    print_table(['views', 'gluonzoo', 'PyTorch', 'ratio'],
                *([row['views'], *('{median:.3g} ({p10:.3g}-{p90:.3g})'.format(**row[key])
                                   for key in ('gluonzoo', 'PyTorch', 'ratio'))] for row in report['rows']))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--size', type=int, default=SIZE,
                        help=f'of the pictures, a multiple of {STRIDE} (default: %(default)s)')
    parser.add_argument('--batch', type=int, default=BATCH, help='pictures (default: %(default)s)')
    parser.add_argument('--maps', type=int, default=MAPS, help='of attention (default: %(default)s)')
    parser.add_argument('--quick', action='store_true', help='small pictures, few rounds: does it run?')
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    if args.size < STRIDE or args.size % STRIDE:
        parser.error(f'--size: must be a multiple of {STRIDE}: {args.size}')
    for name in ('batch', 'maps'):
        if getattr(args, name) < 1:
            parser.error(f'--{name}: must be at least 1: {getattr(args, name)}')
    args.pace = Pace(2, .001, 0) if args.quick else Pace(9, .5, .05)
    if args.quick:
        args.size = 96
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
