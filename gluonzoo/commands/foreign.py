"""Networks that gluonzoo does not have, for `gluonzoo export`: GluonCV's, and those in MXNet's own files."""
import argparse
from pathlib import Path


def named_shape(text):
    """A type for argparse: 'data=1,3,224,224' becomes ('data', (1, 3, 224, 224))."""
    name, sign, numbers = text.partition('=')
    try:
        shape = tuple(map(int, numbers.split(',')))
    except ValueError:
        shape = ()
    if not name or not sign or not shape or min(shape) < 1 or max(shape) > 1 << 30 or len(shape) > 8:
        raise argparse.ArgumentTypeError(f'must be NAME=N,N,... with whole numbers above 0: {text!r:.100}')
    return name, shape


def add_arguments(parser):
    parser.add_argument('--gluoncv', metavar='NAME', help="in place of a run: a network of GluonCV's model zoo")
    parser.add_argument('--symbol', type=Path, metavar='FILE',
                        help='in place of a run: NAME-symbol.json of a Gluon network or a Module')
    parser.add_argument('--params', type=Path, metavar='FILE', help='of --gluoncv or --symbol: its weights')
    parser.add_argument('--inputs', type=named_shape, nargs='+', metavar='NAME=N,N,...',
                        help='of --symbol: the shapes of its inputs, data=1,3,224,224')


def check(parser, args):
    """parser.error unless the arguments go together; a run or a model are not given then."""
    source = 'gluoncv' if args.gluoncv else 'symbol'
    for name in ('run', 'model', 'weights', 'which', 'decode', 'code', 'set', 'pools', 'precision', 'quantize',
                 'calibrate', 'max_drop', *(['inputs'] if args.gluoncv else [])):
        if getattr(args, name):
            parser.error(f'--{name.replace("_", "-")}: not with --{source}')
    if args.devices != parser.get_default('devices'):
        parser.error(f'--devices: not with --{source}, which is computed on the CPU')
    if args.gluoncv and args.symbol:
        parser.error('--gluoncv: not with --symbol')
    if args.symbol and not args.inputs:
        parser.error('--symbol: needs --inputs, the shapes of its inputs: --inputs data=1,3,224,224')
    if args.symbol and args.size not in (None, ['dynamic']):
        parser.error('--size: with --symbol it is that of --inputs, or dynamic')
    if args.symbol and args.batch not in (None, 'dynamic'):
        parser.error('--batch: with --symbol it is the first number of --inputs, or dynamic')
    if args.symbol and not args.onnx and args.symbol.resolve() == Path(f'{args.out}-symbol.json').resolve():
        parser.error(f'--out: {args.out}-symbol.json is what --symbol names; it would be replaced')
    if args.symbol and len(dict(args.inputs)) < len(args.inputs):
        parser.error('--inputs: each input can be given once')


def of_gluoncv(args):
    """What :func:`~gluonzoo.export.to_onnx` needs of a network of GluonCV's: a dict, with `notes` in the metadata."""
    from ..export.gluoncv import gluoncv_network

    found = gluoncv_network(args.gluoncv, args.params, None if args.size in (None, ['dynamic']) else args.size,
                            1 if args.batch in (None, 'dynamic') else args.batch, not args.allow_not_finite)
    arguments = found._asdict()
    return {'block': arguments.pop('net'), **arguments}


def of_symbol(args):
    """Likewise of a symbol file and a parameter file."""
    from ..export.loaded import example_inputs, load_exported, require_it_runs

    inputs = dict(args.inputs)
    require_it_runs(args.symbol, args.params, inputs)
    found = load_exported(args.symbol, args.params, inputs, finite=not args.allow_not_finite)
    notes = [f'{name}: in {args.params.name}, and not used' for name in found.unused]
    return {'block': found.block, 'inputs': example_inputs(found.symbol, inputs),
            'outputs': found.symbol.list_outputs(), 'metadata': {'symbol': args.symbol.name, 'notes': notes}}
