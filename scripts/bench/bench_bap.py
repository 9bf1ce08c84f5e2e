"""Times the ways to compute bilinear attention pooling, on one core.

    python scripts/bench/bench_bap.py --json bench_bap.json   # maps of Inception v3 and ResNet-50 at 448 x 448
    python scripts/bench/bench_bap.py --quick                 # small maps, few rounds: does it run?

loop
    Attention map by attention map: the features times the map, and their mean. So the formula reads.
batch_dot
    One matrix product for each image: gluonzoo.nn.bilinear_attention_pooling, exact.
sketch
    The same, then the channels under each map are added up in groups: compact pooling, by fixed signs and a product
    with a fixed matrix.
FFT
    Compact bilinear pooling as its paper has it (https://arxiv.org/abs/1511.06062): in every pixel a count sketch of
    the attention and one of the features, their convolution by FFT, and the sum over pixels. By NumPy, since MXNet
    1.9.1 has its FFT on GPUs alone.
FFT of sums
    The same result, with the sum over pixels before the transform back.

First all are compared: loop with batch_dot, and both FFTs with the count sketch of what batch_dot makes, for which no
FFT is needed. A wrong result ends the run with exit code 1 and no number. Times are of one image, out of a batch.
`error` is how far inner products of two compact vectors are from those of the whole vectors: the root of the mean
square, as a part of the product of lengths. (Before square roots: sketches are of the sums.)
"""
import argparse
import os
import sys

os.environ.setdefault('OMP_NUM_THREADS', '1')   # before gluonzoo

import numpy as np
from measuring import Pace, WrongResultError, call, machine, print_table, take_turns

import gluonzoo
from gluonzoo.nn.bilinear_attention_pooling import (
    BilinearAttentionPooling,
    CompactAttentionPooling,
    sketch_groups,
    sketch_signs,
)

import mxnet as mx  # isort: skip

CASES = {'inception_v3': (768, 26), 'resnet50': (2048, 14)}   # channels, rows and columns of maps at 448 x 448
QUICK = {'quick': (32, 5)}
MAPS, LENGTH = 32, 8192
TRAINED = ('loop', 'batch_dot', 'sketch')   # NumPy has no gradients


class Loop(mx.gluon.HybridBlock):
    """Bilinear attention pooling of `maps` attention maps, one after the other."""

    def __init__(self, maps):
        super().__init__()
        self._maps = maps

    def hybrid_forward(self, F, features, attention):
        parts = [F.mean(F.broadcast_mul(features, F.slice_axis(attention, axis=1, begin=part, end=part + 1)), (2, 3))
                 for part in range(self._maps)]
        x = F.concat(*parts, dim=1)   # maps of [B, C] -> [B, M * C]
        x = F.sign(x) * F.sqrt(F.abs(x) + 1e-12)
        return F.broadcast_div(x, F.sqrt(F.sum(F.square(x), axis=1, keepdims=True) + 1e-24))


class CountSketch:
    """Of vectors of some length: each number goes to a random bucket of `buckets`, with a random sign."""

    def __init__(self, length, buckets, seed):
        rng = np.random.default_rng(seed)
        self.buckets, self.places = buckets, rng.integers(0, buckets, length)
        self.signs = rng.choice(np.array((-1, 1), 'float32'), length)

    def __call__(self, x):
        """[length, n] -> [n, buckets]"""
        sketch = np.zeros((self.buckets, x.shape[1]), 'float32')
        np.add.at(sketch, self.places, self.signs[:, None] * x)
        return np.ascontiguousarray(sketch.T)


def by_fft(features, attention, of_channels, of_maps, sums_first=False):
    """[C, h * w], [M, h * w] -> the compact vector [buckets] of the sums, without the root."""
    length = of_maps.buckets
    product = np.fft.rfft(of_maps(attention)) * np.fft.rfft(of_channels(features))   # [h * w, length / 2 + 1]
    if sums_first:
        return np.fft.irfft(product.mean(0), length)
    return np.fft.irfft(product, length).mean(0)


def sketch_of_sums(sums, of_channels, of_maps):
    """The same without FFT, of the sums [M, C]: the sketch of a product is at the sum of the places of its factors."""
    places = (of_maps.places[:, None] + of_channels.places) % of_maps.buckets
    compact = np.zeros(of_maps.buckets)
    np.add.at(compact, places, of_maps.signs[:, None] * of_channels.signs * sums)
    return compact


def demand_close(what, found, wanted, tolerance=1e-3):
    """Raises WrongResultError unless the length of the difference is a small part of what is wanted."""
    error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    if not error <= tolerance:
        raise WrongResultError(f'{what}: differs by {error:.2g} of the value, and may by {tolerance}')


def error_of_products(whole, compact):
    """How far inner products of rows of `compact` [n, d] are from those of `whole` [n, D], relative to lengths."""
    pairs = np.triu_indices(len(whole), 1)
    lengths = np.linalg.norm(whole, axis=1)
    wrong = (compact @ compact.T - whole @ whole.T) / np.outer(lengths, lengths)
    return float(np.sqrt(np.mean(wrong[pairs] ** 2)))


def measure(name, channels, side, args):
    """The rows of one case."""
    rng, length = np.random.default_rng(0), args.length
    features = np.maximum(rng.normal(size=(args.batch, channels, side, side)), 0).astype('float32')
    attention = np.maximum(rng.normal(size=(args.batch, args.maps, side, side)), 0).astype('float32')
    flat = [x.reshape(*x.shape[:2], -1) for x in (features, attention)]
    of_channels, of_maps = CountSketch(channels, length, 1), CountSketch(args.maps, length, 2)
    sums = np.einsum('bmp,bcp->bmc', flat[1], flat[0], optimize=True) / side ** 2
    own = (sums * sketch_signs(args.maps, channels)) @ sketch_groups(channels, length // args.maps)
    own = own.reshape(args.batch, -1)   # [B, M, length / M] -> [B, length]

    blocks = {'loop': Loop(args.maps), 'batch_dot': BilinearAttentionPooling(),
              'sketch': CompactAttentionPooling(channels, args.maps, length)}
    inputs = [mx.nd.array(features), mx.nd.array(attention)]
    for x in inputs:
        x.attach_grad()
    for block in blocks.values():
        block.initialize()
        block.hybridize(static_alloc=True)
    demand_close(f'{name}, loop', *(blocks[way](*inputs).asnumpy() for way in ('loop', 'batch_dot')))
    rooted = np.sign(own) * np.sqrt(abs(own))
    demand_close(f'{name}, sketch', blocks['sketch'](*inputs).asnumpy(),
                 rooted / np.linalg.norm(rooted, axis=1, keepdims=True))
    fft = np.array([sketch_of_sums(one, of_channels, of_maps) for one in sums])
    for sums_first in (False, True):
        found = by_fft(flat[0][0], flat[1][0], of_channels, of_maps, sums_first)
        demand_close(f'{name}, FFT{" of sums" * sums_first}', found, fft[0])

    def forward(block):
        block(*inputs).wait_to_read()

    def step(block):
        with mx.autograd.record():
            y = block(*inputs)
        y.backward()
        mx.nd.waitall()

    def every(sums_first):
        for one in range(args.batch):
            by_fft(flat[0][one], flat[1][one], of_channels, of_maps, sums_first)

    works = {**{(way, 'forward'): lambda block=block: forward(block) for way, block in blocks.items()},
             **{(way, 'both'): lambda block=blocks[way]: step(block) for way in TRAINED},
             ('FFT', 'forward'): lambda: every(False), ('FFT of sums', 'forward'): lambda: every(True)}
    times, _ = take_turns(works, args.pace, args.batch)
    whole = sums.reshape(args.batch, -1)
    errors = {'sketch': error_of_products(whole, own)}
    errors['FFT'] = errors['FFT of sums'] = error_of_products(whole, fft)
    return [{'case': name, 'way': way, 'length': args.maps * channels if way in ('loop', 'batch_dot') else length,
             'forward_ms': times[way, 'forward'], 'both_ms': times.get((way, 'both')), 'error': errors.get(way, 0.)}
            for way in (*TRAINED, 'FFT', 'FFT of sums')]


def run(args):
    rows = [row for name, (channels, side) in args.cases.items() for row in measure(name, channels, side, args)]
    return {'conditions': {**machine(args.pace), 'threads': gluonzoo.runtime.threads(), 'mxnet': mx.__version__,
                           'numpy': np.__version__, 'batch': args.batch, 'maps': args.maps,
                           'load_average_after': os.getloadavg()[0]}, 'rows': rows}


def print_report(report):
    def text(times):
        return '{median:.3g} ({p10:.3g}-{p90:.3g})'.format(**times) if times else ''

    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print('\nTimes of one image in ms: median (10th-90th percentile).')
    print_table(['maps of', 'way', 'length', 'forward', 'forward and backward', 'error'],
                *([row['case'], row['way'], str(row['length']), text(row['forward_ms']), text(row['both_ms']),
                   f'{row["error"]:.2g}' if row['error'] else 'exact'] for row in report['rows']))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--batch', type=int, default=4, help='(default: %(default)s)')
    parser.add_argument('--maps', type=int, default=MAPS, help='attention maps (default: %(default)s)')
    parser.add_argument('--length', type=int, help=f'of compact vectors, a multiple of the maps (default: {LENGTH})')
    parser.add_argument('--quick', action='store_true', help='small maps, few rounds: does it run?')
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    args.cases = QUICK if args.quick else CASES
    fewest = min(channels for channels, _ in args.cases.values())
    if args.batch < 2:
        parser.error(f'--batch: must be at least 2: {args.batch}')
    if args.maps < 1:
        parser.error(f'--maps: must be at least 1: {args.maps}')
    if args.length is None:
        args.length = 4 * args.maps if args.quick else LENGTH // args.maps * args.maps
    if args.length % args.maps or not args.maps <= args.length <= args.maps * fewest:
        parser.error(f'--length: must be a multiple of the {args.maps} maps, up to {args.maps * fewest}: {args.length}')
    args.pace = Pace(2, .001, 0) if args.quick else Pace(7, .5, .05)
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
