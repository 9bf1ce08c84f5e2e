"""Times networks beside the same networks in PyTorch, on the CPU of this machine.

    python scripts/bench/bench_models.py --json bench_models.json     # all there is; some minutes
    python scripts/bench/bench_models.py --model dsod300 --what train # or inference, memory, pools
    python scripts/bench/bench_models.py --model cifar_resnet32 --what train --compile   # beside torch.compile, too
    python scripts/bench/bench_models.py --model yolo3_darknet53 --what inference --onnx # beside onnxruntime, too
    python scripts/bench/bench_models.py --quick                      # small input, few rounds: does it run?

The PyTorch networks are in scripts/bench/torch_twins/, and both sides in scripts/bench/bench_sides.py. Each side has a
process of its own, with memory of its own. While a side has its turn, the side has all cores.

train
    One step, started and waited for: forward, losses (for CenterNet given gradients in their place, see
    bench_sides.py), backward, update. gluonzoo: hybridized with static_alloc. PyTorch: eager, and with --compile the
    network by torch.compile, whose own time for that is not counted. (It needs a C++ compiler, and minutes.)
inference
    One image. gluonzoo: hybridized, and the copy that gluonzoo.graph.fuse.for_inference makes. PyTorch: eager, channels
    last, torch.jit.freeze, and both. Ratios are to the fastest of these four. With --onnx also onnxruntime, which runs
    the file that gluonzoo exports of the network; its ratio has a row of its own.
memory
    The peak of resident memory in some training steps of a fresh process, without the memory that the imports took.
pools
    The corner pools' part of the time of a training step's operators, by MXNet's profiler. Only gluonzoo's side has it.

First PyTorch's network gets gluonzoo's weights, and outputs, losses and gradients are compared. A wrong result ends the
run with exit code 1 and no number. Then the sides take turns (A B B A ...). A time is the median of all calls. A ratio
is the median of the ratios within one round. Each has its 10th and 90th percentile.

Both sides have the same number of OpenMP threads, which stay on cores and wait for each other in the same way: that of
gluonzoo (see gluonzoo.runtime). Each side has the malloc that its users have. gluonzoo's keeps freed memory
(``GLUONZOO_KEEP_MEMORY=0`` prevents that), PyTorch's is the system's. With ``--keep-memory`` PyTorch's keeps freed
memory too.
"""
import argparse
import contextlib
import functools
import importlib.util
import os
import sys
import tempfile
from typing import NamedTuple

import numpy as np
from bench_sides import GLUONZOO_WAYS, ONNX_WAYS, TORCH_WAYS, GluonzooSide, OnnxSide, Process, TorchSide
from measuring import Pace, WrongResultError, call, machine, openmp_of_gluonzoo, print_table, ratio, take_turns

WHATS = ('train', 'inference', 'memory', 'pools')
# As glibc reads it when a process starts: what gluonzoo.runtime tells malloc.
KEPT_MEMORY = {'MALLOC_TRIM_THRESHOLD_': str(2 ** 31 - 1), 'MALLOC_TOP_PAD_': str(2 ** 26), 'MALLOC_MMAP_MAX_': '0',
               'MALLOC_ARENA_MAX': '1'}
ONE_BY_ONE = {'MXNET_EXEC_BULK_EXEC_TRAIN': '0'}   # or the profiler sees a step as one operator
POOLS = ('top_pool', 'bottom_pool', 'left_pool', 'right_pool')


class Case(NamedTuple):
    """How a network is made, fed and trained."""
    name: str
    arguments: dict
    twin: tuple            # module, function or class there, its arguments
    size: int              # of the input
    batches: tuple         # sizes of those that it is trained with
    job: str               # see bench_sides.py
    pools: bool = False    # whether the network has corner pools
    noise: int = 0         # how many numbers of noise an input has; 0: it is a picture


CASES = {case.name: case for case in (
    Case('dsod300', {'classes': 20}, ('torch_twins.dsod', 'dsod300', {'classes': 20}), 300, (4,), 'detection'),
    Case('ghost_centernet', {'classes': 80},
         ('torch_twins.centernet', 'GhostCenterNet', {'width': 1, 'classes': 80, 'channels': 64}), 511, (1, 4), 'heads',
         pools=True),
    Case('cifar_resnet32', {}, ('torch_twins.cifar_resnet', 'ResNet', {'depth': 32}), 32, (128,), 'classification'),
    Case('sknet50', {}, ('torch_twins.sknet', 'SKNet', {}), 224, (8,), 'classification'),
    Case('ghostnet_1_0', {'dropout': 0}, ('torch_twins.ghostnet', 'GhostNet', {}), 224, (8,), 'classification'),
    Case('yolo3_darknet53', {}, ('torch_twins.yolo3', 'yolo3_darknet53', {}), 416, (4,), 'heads'),
    Case('wsdan_resnet50', {}, ('torch_twins.wsdan', 'WSDAN', {'backbone': 'resnet50'}), 448, (4,), 'views'),
    Case('resnet_9blocks', {}, ('torch_twins.pix2pix', 'ResNetGenerator', {'blocks': 9}), 256, (1,), 'cyclegan'),
    Case('unet256', {'dropout': 0}, ('torch_twins.pix2pix', 'UNet', {'levels': 8, 'dropout': 0}), 256, (1, 4), 'gan'),
    Case('dcgan_generator', {}, ('torch_twins.dcgan', 'WGANGenerator', {}), 64, (128,), 'noise', noise=100),
)}
QUICK_SIZE = {'dsod300': 129, 'ghost_centernet': 127, 'cifar_resnet32': 32, 'sknet50': 64, 'ghostnet_1_0': 64,
              'yolo3_darknet53': 64, 'wsdan_resnet50': 128, 'resnet_9blocks': 64,
              'unet256': 256, 'dcgan_generator': 64}   # these two have no smaller input


# -- what is measured ------------------------------------------------------------------------------------------------

def make_targets(job, shapes):
    """What a network of this job shall return, given the shapes of its outputs."""
    rng = np.random.default_rng(8)
    if job == 'detection':   # an object at every hundredth anchor or so, and offsets everywhere
        (batch, anchors, columns), offsets = shapes
        labels = np.where(rng.random((batch, anchors)) < .01, rng.integers(1, columns, (batch, anchors)), 0)
        return [labels.astype(np.float32), rng.standard_normal(offsets).astype(np.float32)]
    if job == 'classification':
        (batch, classes), = shapes
        return [rng.integers(0, classes, batch).astype(np.float32)]
    if job == 'views':
        (batch, classes), feature, _ = shapes
        return [rng.integers(0, classes, batch).astype(np.float32),
                (rng.standard_normal(feature) / feature[1] ** .5).astype(np.float32)]
    return [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]


def feed(case, processes, batch, size):
    """Gives every side the same input and targets."""
    shape = (case.noise,) if case.noise else (3, size, size)
    x = np.random.default_rng(7).uniform(-1, 1, (batch, *shape)).astype(np.float32)
    targets = make_targets(case.job, processes[0].call('output_shapes', x))
    for process in processes:
        process.call('feed', x, targets)
    return x, targets


def demand_close(what, got, wanted, tolerance):
    """Raises WrongResultError unless the length of the difference is at most `tolerance` of what is wanted."""
    error = np.linalg.norm(got - wanted) / np.linalg.norm(wanted)
    if not error <= tolerance:
        raise WrongResultError(f'{what}: differs by {error:.2g} of the value, and may by {tolerance}')


def check_outputs(case, ways):
    """`ways`: way -> process. All compute what the first does."""
    first, *others = ways
    wanted = ways[first].call('outputs', first)
    for way in others:
        for number, (y, want) in enumerate(zip(ways[way].call('outputs', way), wanted)):
            demand_close(f'{case.name}, {way}, output {number}', y, want, 1e-4)


def check_step(case, ours, theirs):
    """Does one step on both sides, from the weights of ours."""
    theirs.call('set_weights', ours.call('weights'))
    demand_close(f'{case.name}, loss', *(np.array(process.call('train')) for process in (theirs, ours)), 1e-4)
    gradients = [process.call('gradients') for process in (theirs, ours)]
    largest = max(np.linalg.norm(gradient) for gradient in gradients[1])
    for number, (got, wanted) in enumerate(zip(*gradients)):
        # Rounding moves values across ReLUs, so gradients are less alike than outputs; and where the true gradient is
        # 0, as before a normalisation, rounding is all there is.
        if np.linalg.norm(wanted) > 1e-4 * largest:
            demand_close(f'{case.name}, gradient of part {number}', got.ravel(), wanted.ravel(), .3)


def bench_train(case, size, pace, processes, compiled=False):
    rows = []
    for batch in case.batches:
        with contextlib.ExitStack() as stack:
            ours, eager = (processes(side, stack) for side in (GluonzooSide, TorchSide))
            ways = {'eager': eager}
            if compiled:
                ways['torch.compile'] = processes(TorchSide, stack)
                ways['torch.compile'].call('compile')
            feed(case, (ours, *ways.values()), batch, size)
            for theirs in ways.values():
                check_step(case, ours, theirs)
            times, by_round = take_turns({way: functools.partial(process.call, 'train')
                                          for way, process in {'gluonzoo': ours, **ways}.items()},
                                         pace._replace(turn=8 * pace.turn))   # several steps, the first not counted
        rows += [{'what': 'train', 'batch': batch, 'way': 'hybridized', 'ms': times['gluonzoo'], 'torch_way': way,
                  'torch_ms': {way: times[way]}, 'faster': ratio(by_round, way, 'gluonzoo')} for way in ways]
    return rows


def bench_inference(case, size, pace, processes, onnx=False):
    with contextlib.ExitStack() as stack:
        ours, theirs = (processes(side, stack) for side in (GluonzooSide, TorchSide))
        x, _ = feed(case, (ours, theirs), 1, size)
        theirs.call('set_weights', ours.call('weights'))
        ways = {**dict.fromkeys(GLUONZOO_WAYS, ours), **dict.fromkeys(TORCH_WAYS, theirs)}
        if onnx:
            path = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), 'network.onnx')
            ours.call('export_onnx', path)
            ways.update(dict.fromkeys(ONNX_WAYS, processes(OnnxSide, stack)))
            ways[ONNX_WAYS[0]].call('feed', x, path)
        for way, process in ways.items():
            process.call('prepare', way)
        check_outputs(case, ways)
        times, by_round = take_turns({way: functools.partial(process.call, 'infer', way)
                                      for way, process in ways.items()}, pace)
    compared = {min(TORCH_WAYS, key=lambda way: times[way]['median']): TORCH_WAYS}
    if onnx:
        compared[ONNX_WAYS[0]] = ONNX_WAYS
    return [{'what': 'inference', 'batch': 1, 'way': way, 'ms': times[way], 'torch_way': other,
             'torch_ms': {other: times[other] for other in others}, 'faster': ratio(by_round, other, way)}
            for other, others in compared.items() for way in GLUONZOO_WAYS]


def bench_memory(case, size, pace, processes):
    rows = []
    for batch in case.batches:
        with contextlib.ExitStack() as stack:
            x, targets = feed(case, [processes(GluonzooSide, stack)], batch, size)
        used = []
        for side in (GluonzooSide, TorchSide):
            with contextlib.ExitStack() as stack:
                used.append(processes(side, stack).call('peak_memory', x, targets))
        rows.append({'what': 'memory', 'batch': batch, 'bytes': used[0], 'torch_bytes': used[1],
                     'times_torch': used[0] / used[1]})
    return rows


def bench_pools(case, size, pace, processes):
    if not case.pools:
        return []
    rows = []
    for batch in case.batches:
        with contextlib.ExitStack() as stack:
            ours = processes(GluonzooSide, stack, ONE_BY_ONE)
            feed(case, [ours], batch, size)
            part, names = ours.call('share_of_operators', POOLS, pace.rounds)
        if not names:
            raise WrongResultError(f'{case.name}: no pool ran')
        rows.append({'what': 'pools', 'batch': batch, 'part': part, 'operators': names})
    return rows


BENCHES = {'train': bench_train, 'inference': bench_inference, 'memory': bench_memory, 'pools': bench_pools}


# -- the run ---------------------------------------------------------------------------------------------------------

def print_report(report):
    def text(value):
        return f'{value["median"]:.4g} ({value["p10"]:.4g}-{value["p90"]:.4g})'

    for key, value in report['conditions'].items():
        print(f'{key:20}{value}')
    print('\nTimes in ms, memory in MiB: median (10th-90th percentile).')
    rows = {what: [row for row in report['rows'] if row['what'] == what] for what in WHATS}
    timed = rows['train'] + rows['inference']
    if timed:
        print_table(['model', 'what', 'batch', 'gluonzoo', 'ms', 'PyTorch', 'ms', 'times faster'],
                    *([row['model'], row['what'], str(row['batch']), row['way'], text(row['ms']), way, text(ms),
                       text(row['faster']) if way == row['torch_way'] else '']
                      for row in timed for way, ms in row['torch_ms'].items()))
    if rows['memory']:
        print_table(['model', 'what', 'batch', 'gluonzoo', 'PyTorch', 'times PyTorch'],
                    *([row['model'], row['what'], str(row['batch']), f'{row["bytes"] / 2 ** 20:.0f}',
                       f'{row["torch_bytes"] / 2 ** 20:.0f}', f'{row["times_torch"]:.3g}'] for row in rows['memory']))
    if rows['pools']:
        print_table(['model', 'what', 'batch', 'part of the step'],
                    *([row['model'], row['what'], str(row['batch']), f'{row["part"]:.2%}'] for row in rows['pools']))


def run(args):
    import gluonzoo

    threads = gluonzoo.runtime.threads()
    openmp = openmp_of_gluonzoo(threads)
    report = {'conditions': {**machine(args.pace), 'threads': threads, 'openmp': openmp}, 'rows': []}
    for name in args.model:
        case = CASES[name]._replace(size=QUICK_SIZE[name]) if args.quick else CASES[name]
        for what in args.what:
            print(f'{name}: {what}', file=sys.stderr)

            def processes(side, stack, environment=None, case=case):
                if side is TorchSide:
                    environment = {**openmp, **(KEPT_MEMORY if args.keep_memory else {})}
                process = stack.enter_context(Process(side, case, threads, environment or {}))
                report['conditions'].update(process.call('conditions'))
                return process

            options = {}
            if args.compile and what == 'train':
                options['compiled'] = True
            if args.onnx and what == 'inference':
                options['onnx'] = True
            rows = BENCHES[what](case, case.size, args.pace, processes, **options)
            report['rows'] += [{'model': name, **row} for row in rows]
    report['conditions']['load_average_after'] = os.getloadavg()[0]
    return report


def parse(argv):
    parser = argparse.ArgumentParser(description='Times networks beside the same networks in PyTorch, on the CPU.')
    parser.add_argument('--model', nargs='+', choices=sorted(CASES), default=sorted(CASES))
    parser.add_argument('--what', nargs='+', choices=WHATS, default=WHATS)
    parser.add_argument('--quick', action='store_true', help='small input, few rounds: does it run?')
    parser.add_argument('--rounds', type=int, help='how often each side takes its turn')
    parser.add_argument('--compile', action='store_true', help='train: time torch.compile too')
    parser.add_argument('--onnx', action='store_true', help='inference: time onnxruntime too')
    parser.add_argument('--keep-memory', action='store_true', help="PyTorch's malloc keeps what is freed too")
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    if args.rounds is not None and args.rounds < 1:
        parser.error(f'--rounds: must be at least 1: {args.rounds}')
    if args.onnx and not all(map(importlib.util.find_spec, ('onnx', 'onnxruntime'))):
        parser.error("--onnx: needs the packages onnx and onnxruntime: pip install 'gluonzoo[onnx]'")
    pace = Pace(2, .001, 0) if args.quick else Pace(7, .5, .05)
    args.pace = pace._replace(rounds=args.rounds or pace.rounds)
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
