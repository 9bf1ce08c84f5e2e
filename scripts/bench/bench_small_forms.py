"""Times a trained network in float32, bfloat16 and int8: in MXNet, onnxruntime and PyTorch, beside what each costs.

    python scripts/bench/bench_small_forms.py --run runs/ghostnet --calibrate photos/ --json forms.json
    python scripts/bench/bench_small_forms.py --run runs/ghostnet --calibrate photos/ --quick    # does it run?

The time is that of one image of the size that the run exports, on one thread. The metric is the task's own, on the
run's validation data: each form computes in place of the network. PyTorch's networks are those of
scripts/bench/torch_twins/, with the run's weights; of a network without a twin, or with another way to make it, the
rows of PyTorch are left out. First every form of float32 is compared with MXNet. A wrong result ends the run with exit
code 1 and no number. Then the forms take turns. A time is the median of all calls, with its 10th and 90th percentile.

MXNet       hybridized; `for_inference`, whose layers are joined; bfloat16, as of gluonzoo predict --precision; int8, as
            of gluonzoo export --quantize
onnxruntime the files of gluonzoo export --onnx, with and without --precision int8
PyTorch     eager, and frozen by torch.jit; bfloat16 by .to(torch.bfloat16), channels last; int8 by
            torch.ao.quantization (FX graphs, x86 settings: a scale for each channel of weights), with the same pictures
"""
import argparse
import copy
import importlib
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
from measuring import Pace, WrongResultError, call, machine, print_table, take_turns

import gluonzoo  # noqa: F401
from gluonzoo.commands import resolve, smaller
from gluonzoo.export import to_onnx, to_small_onnx, to_small_symbol
from gluonzoo.export.onnx import Session
from gluonzoo.graph.bfloat16 import in_bfloat16
from gluonzoo.graph.edit import flat
from gluonzoo.graph.fuse import for_inference
from gluonzoo.tasks.stand_in import stand_in

import mxnet as mx  # isort: skip

# The twin of a network: module, name there, and its arguments from those of the network.
TWINS = {
    'cifar_resnet20': ('torch_twins.cifar_resnet', 'ResNet', lambda classes, stem_stride=1:
                       {'depth': 20, 'classes': classes, 'stem_stride': stem_stride}),
    'ghostnet_0_5': ('torch_twins.ghostnet', 'GhostNet', lambda classes: {'width': .5, 'classes': classes}),
    'yolo3_darknet53': ('torch_twins.yolo3', 'yolo3_darknet53', lambda classes, activation='leaky', **rest:
                        {'classes': classes, 'kind': activation, **rest}),
}


class Forms:
    """The forms of a run's network: name -> function of an array [B, 3, H, W] -> list of arrays."""

    def __init__(self, args, folder):
        self.task, self.settings, _ = resolve.open_run(args.run)
        self.exported = self.task.exported()
        name, = self.exported.inputs
        shape = getattr(self.exported.inputs[name], 'shape', self.exported.inputs[name])
        self.name, self.shape, self.net = name, shape, self.exported.block
        every = argparse.Namespace(calibrate=args.calibrate, onnx=True)
        self.pictures, _ = smaller.calibration(self.task, self.settings, self.exported, [], every)
        self.example = self.pictures[0][name]
        self.forms = {**self._mxnet(folder), **self._onnxruntime(folder), **self._torch()}

    def _mxnet(self, folder):
        x = mx.nd.array(self.example)

        def of(block):
            return lambda array: [y.asnumpy() for y in flat(block(mx.nd.array(array)))]

        self.net.hybridize(static_alloc=True, static_shape=True)
        parts = self.exported._asdict()
        to_small_symbol(parts['block'], folder / 'small', parts['inputs'], parts['outputs'],
                        calibration=self.pictures, judge=lambda compute: {})
        small = mx.gluon.SymbolBlock.imports(str(folder / 'small-symbol.json'), [self.name],
                                             str(folder / 'small-0000.params'))
        small.hybridize(static_alloc=True, static_shape=True)
        # Its own forward pass, also where another form stands in for it.
        def whole(x):
            return type(self.net).forward(self.net, x)

        return {'MXNet float32': of(whole), 'MXNet float32, for_inference': of(for_inference(self.net, x)),
                'MXNet bfloat16': of(in_bfloat16(self.net, x)), 'MXNet int8': of(small)}

    def _onnxruntime(self, folder):
        parts = self.exported._asdict()
        common = parts['block'], parts['inputs'], parts['outputs']
        exact, small = folder / 'exact.onnx', folder / 'small.onnx'
        to_onnx(common[0], exact, *common[1:], dynamic=['batch'])
        to_small_onnx(common[0], small, *common[1:], dynamic=['batch'], precision='int8', calibration=self.pictures,
                      judge=lambda compute: {})
        self.megabytes = {path.stem: path.stat().st_size / 1e6 for path in (exact, small)}

        def of(path):
            session = Session(path)
            return lambda array: session({self.name: array})

        return {'onnxruntime float32': of(exact), 'onnxruntime int8': of(small)}

    def _torch(self):
        """{} without PyTorch or a twin."""
        specification = dict(self.settings['task']['net'])
        known = TWINS.get(specification.pop('name'))
        try:
            import torch
        except ImportError:
            return {}
        if known is None:
            return {}
        module, make, arguments = known
        specification.setdefault('classes', len(self.settings['task']['class_names']))
        twin = getattr(importlib.import_module(module), make)(**arguments(**specification)).eval()
        own = [part for key, part in twin.state_dict().items() if not key.endswith('num_batches_tracked')]
        values = [parameter.data().asnumpy() for parameter in self.net._collect_params_with_prefix().values()]
        if [part.numel() for part in own] != [value.size for value in values]:
            raise WrongResultError("the parts of the twin are not those of the run's network, in their order")
        for part, value in zip(own, values):
            part.copy_(torch.from_numpy(value).reshape(part.shape))
        torch.set_num_threads(1)
        x = torch.from_numpy(self.example)

        def of(network, dtype=torch.float32, layout=torch.contiguous_format):
            def compute(array):
                with torch.no_grad():
                    found = network(torch.from_numpy(np.ascontiguousarray(array)).to(dtype, memory_format=layout))
                return [y.float().numpy() for y in (found if isinstance(found, (list, tuple)) else [found])]
            return compute

        with torch.no_grad():
            frozen = torch.jit.freeze(torch.jit.trace(copy.deepcopy(twin), x))
        low = copy.deepcopy(twin).to(torch.bfloat16, memory_format=torch.channels_last)
        return {'PyTorch float32': of(twin), 'PyTorch float32, jit.freeze': of(frozen),
                'PyTorch bfloat16': of(low, torch.bfloat16, torch.channels_last), 'PyTorch int8': of(self._int8(twin))}

    def _int8(self, twin):
        import warnings

        import torch
        from torch.ao.quantization import get_default_qconfig_mapping
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

        torch.backends.quantized.engine = 'x86'
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter('ignore')   # of its future
            watched = prepare_fx(copy.deepcopy(twin), get_default_qconfig_mapping('x86'),
                                 (torch.from_numpy(self.example),))
            for batch in self.pictures:
                watched(torch.from_numpy(batch[self.name]))
            low = convert_fx(watched)
            return torch.jit.freeze(torch.jit.trace(low, torch.from_numpy(self.example)))

    def check(self):
        """WrongResultError unless every form of float32 computes what MXNet does."""
        expected = self.forms['MXNet float32'](self.example)
        for name, compute in self.forms.items():
            if 'float32' in name:
                gap = max(np.abs(a - b).max() / np.abs(a).max() for a, b in zip(expected, compute(self.example)))
                if not gap < 1e-3:
                    raise WrongResultError(f'{name}: differs from MXNet by {gap:.2g} of the greatest number')

    def metric_of(self, compute):
        metric, _ = self.task.main_metric
        loader = resolve.validation_loader(self.settings)
        with stand_in(self.task, self.net, lambda x: [mx.nd.array(y) for y in compute(x.asnumpy())]):
            return self.task.evaluate(loader.epoch(0))[metric]


def run(args):
    pace = Pace(2, .05, 0) if args.quick else Pace(args.rounds, args.turn, .1)
    conditions = machine(pace)
    with tempfile.TemporaryDirectory() as folder:
        forms = Forms(args, Path(folder))
        forms.check()
        times, _ = take_turns({name: lambda compute=compute: compute(forms.example)
                               for name, compute in forms.forms.items()}, pace)
        metrics = {name: float(forms.metric_of(compute)) for name, compute in forms.forms.items()}
    task = forms.settings['task']
    return {**conditions, 'threads': int(os.environ['OMP_NUM_THREADS']), 'run': str(args.run),
            'net': task['net']['name'], 'input': list(forms.shape), 'metric': forms.task.main_metric[0],
            'onnx megabytes': forms.megabytes,
            'rows': [{'form': name, 'ms': times[name], 'metric': metrics[name]} for name in times]}


def show(report):
    print(f'{report["net"]}, {report["input"]}, {report["threads"]} thread, {report["cpu"]}')
    first = report['rows'][0]['ms']['median']
    print_table(('form', 'ms', '10 % .. 90 %', 'times as fast', report['metric']),
                *((row['form'], f'{row["ms"]["median"]:.2f}', f'{row["ms"]["p10"]:.2f} .. {row["ms"]["p90"]:.2f}',
                   f'{first / row["ms"]["median"]:.2f}', f'{row["metric"]:.4f}') for row in report['rows']))
    print(', '.join(f'{name}.onnx {size:.2f} MB' for name, size in report['onnx megabytes'].items()))


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', type=Path, required=True)
    parser.add_argument('--calibrate', type=Path, required=True, help='folder of pictures')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--turn', type=float, default=.3, help='seconds')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--json', help='write the report here')
    return call(parser.parse_args(words), run, show)


if __name__ == '__main__':
    sys.exit(main())
