"""Times training and inference beside programs that keep cores busy: gluonzoo, PyTorch and onnxruntime, on the CPU.

    python scripts/bench/busy.py                            # idle, beside one and beside two programs
    python scripts/bench/busy.py --model unet256 --what train --neighbours 1 4
    GOMP_SPINCOUNT=30000 python scripts/bench/busy.py --ways      # gluonzoo alone, with threads that wait longer
    python scripts/bench/busy.py --quick                    # few rounds, one network: does it run?

A neighbour is a program of one thread that never rests, in a session of its own, as another login's would be. The ways:

gluonzoo
    as it is when it was started on the idle machine: its threads have cores of their own, and sleep soon
gluonzoo, started beside
    as it is when it was started beside the neighbours: with as many threads as cores are left
gluonzoo, OpenMP's defaults
    threads run anywhere, and look for each other for a long time before they sleep
PyTorch; PyTorch, gluonzoo's OpenMP
    eager training, and inference by torch.jit.freeze with channels last; with OpenMP's defaults, and with threads that
    wait and stay as gluonzoo's do
onnxruntime
    inference of the exported network, by onnxruntime's own threads

Each way has a process of its own. The ways take turns, and each turn goes through all numbers of neighbours. A time is
the median of a turn's calls, and then of the turns. Networks, inputs and training are those of bench_models.py --quick.
"""
import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
from bench_models import CASES, QUICK_SIZE, make_targets
from bench_sides import GluonzooSide, Process, TorchSide
from measuring import Pace, call, machine, openmp_of_gluonzoo, print_table, timed

DEFAULTS = {'GOMP_SPINCOUNT': '300000', 'OMP_PROC_BIND': 'false'}   # libgomp's own
WHATS = ('train', 'inference')


class ExportingSide(GluonzooSide):
    """gluonzoo's side, which can write its network as an ONNX file."""

    def export(self, path):
        from gluonzoo.export.onnx import to_onnx
        to_onnx(self.networks[0], path, {'x': self.x.shape})


class OnnxSide:
    """onnxruntime's side: inference alone. The way is the path of the network's file."""

    def __init__(self, case, threads):
        self.threads = threads

    def feed(self, x, targets):
        self.x = x

    def prepare(self, way):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        self.session = onnxruntime.InferenceSession(way, options, ['CPUExecutionProvider'])

    def infer(self, way):
        self.session.run(None, {'x': self.x})


class Way(NamedTuple):
    name: str
    side: type
    environment: dict
    inference: str    # how the side infers


def ways(what, threads, onnx_file='', names=None):
    """Those that are measured; of some names, the first and those."""
    same = openmp_of_gluonzoo(threads)
    fused, frozen = 'for_inference', 'jit.freeze, channels last'
    found = [Way('gluonzoo', ExportingSide, {}, fused),
             Way('gluonzoo, started beside', ExportingSide, {}, fused),
             Way("gluonzoo, OpenMP's defaults", ExportingSide, DEFAULTS, fused),
             Way('PyTorch', TorchSide, DEFAULTS, frozen),
             Way("PyTorch, gluonzoo's OpenMP", TorchSide, same, frozen)]
    if what == 'inference':
        found.append(Way('onnxruntime', OnnxSide, {}, onnx_file))
    return [way for way in found if names is None or way is found[0] or way.name in names]


@contextlib.contextmanager
def busy(count):
    """So many programs that keep a core busy each, within the context."""
    programs = [subprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)
                for _ in range(count)]
    try:
        time.sleep(.5)   # until they run, and the system has placed them
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def median_time(work, seconds):
    """Milliseconds of one piece of work: the median of as many as begin within so many seconds, and at least one."""
    end, times = time.perf_counter() + seconds, []
    while not times or time.perf_counter() < end:
        times.append(timed(work))
    return float(np.median(times))


def measure(case, size, what, counts, threads, pace, names=None):
    """Rows of one network: the milliseconds of each way beside each number of neighbours."""
    batch = case.batches[0] if what == 'train' else 1
    x = np.random.default_rng(7).uniform(-1, 1, (batch, 3, size, size)).astype(np.float32)
    targets = None
    with contextlib.ExitStack() as stack:
        onnx_file = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), 'network.onnx')
        works = {}
        for way in ways(what, threads, onnx_file, names):
            for count in counts:
                number = max(1, threads - count) if way.name.endswith('started beside') else threads
                if (way.name, number) in works:
                    continue
                environment = {'OMP_NUM_THREADS': str(number), **way.environment}
                process = stack.enter_context(Process(way.side, case, number, environment))
                if targets is None:
                    targets = make_targets(case.job, process.call('output_shapes', x))
                process.call('feed', x, targets)
                if what == 'inference' and not os.path.exists(onnx_file):
                    process.call('export', onnx_file)
                if what == 'inference':
                    process.call('prepare', way.inference)
                arguments = [way.inference] if what == 'inference' else []
                method = 'infer' if what == 'inference' else 'train'
                works[way.name, number] = lambda call=process.call, words=(method, *arguments): call(*words)
                works[way.name, number]()   # builds graphs and touches memory
        times = {}
        for turn in range(pace.rounds):
            for way in ways(what, threads, onnx_file, names)[::1 if turn % 2 == 0 else -1]:
                for count in counts:
                    number = max(1, threads - count) if way.name.endswith('started beside') else threads
                    with busy(count):
                        median = median_time(works[way.name, number], pace.turn)
                    times.setdefault(way.name, {}).setdefault(count, []).append(median)
    return [{'model': case.name, 'what': what, 'way': name,
             'ms': {count: float(np.median(medians)) for count, medians in by_count.items()}}
            for name, by_count in times.items()]


def run(args):
    import gluonzoo

    threads = gluonzoo.runtime.threads()
    report = {'conditions': {**machine(args.pace), 'threads': threads,
                             'openmp of gluonzoo': openmp_of_gluonzoo(threads)}, 'rows': []}
    for name in args.model:
        for what in args.what:
            print(f'{name}: {what}', file=sys.stderr)
            report['rows'] += measure(CASES[name], QUICK_SIZE[name], what, args.neighbours, threads, args.pace,
                                      args.ways)
    return report


def print_report(report):
    for key, value in report['conditions'].items():
        print(f'{key:20}{value}')
    counts = list(report['rows'][0]['ms'])
    print('\nMilliseconds, and in brackets how many times those of gluonzoo on the idle machine.')
    idle = {(row['model'], row['what']): row['ms'][counts[0]] for row in reversed(report['rows'])}   # the first way's
    print_table(['model', 'what', 'way', *(f'beside {count}' if count else 'idle' for count in counts)],
                *([row['model'], row['what'], row['way'],
                   *(f'{row["ms"][count]:.4g} ({row["ms"][count] / idle[row["model"], row["what"]]:.2f})'
                     for count in counts)] for row in report['rows']))


def parse(argv):
    parser = argparse.ArgumentParser(description='Times networks beside busy programs, on the CPU.')
    parser.add_argument('--model', nargs='+', choices=sorted(CASES), default=sorted(CASES))
    parser.add_argument('--what', nargs='+', choices=WHATS, default=WHATS)
    names = [way.name for way in ways('inference', 1)]
    parser.add_argument('--ways', nargs='*', choices=names, metavar='WAY',
                        help=f'besides {names[0]} (default: all): ' + '; '.join(names[1:]))
    parser.add_argument('--neighbours', nargs='+', type=int, default=[1, 2], metavar='N', help='(default: 1 2)')
    parser.add_argument('--quick', action='store_true', help='one network, one short turn: does it run?')
    parser.add_argument('--rounds', type=int, default=3, help='how often each way takes its turn (default: 3)')
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    for name, least in (('rounds', [args.rounds]), ('neighbours', args.neighbours)):
        if min(least) < 1:
            parser.error(f'--{name}: must be at least 1: {min(least)}')
    if args.quick:
        args.model, args.neighbours, args.rounds = args.model[:1], args.neighbours[:1], 1
    args.neighbours = [0, *sorted(set(args.neighbours))]
    args.pace = Pace(args.rounds, .1 if args.quick else 2, 0)
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
