"""Writes a network for use elsewhere: what a run has trained, or any Gluon model, as ONNX or as MXNet's own files.

    gluonzoo export --run runs/dsod_pikachu --onnx --decode --batch dynamic --out dsod.onnx
    gluonzoo export --run runs/pix2pix_facades --out pix2pix   # -symbol.json, -0000.params, -metadata.json
    gluonzoo export --model unet256 --weights unet.safetensors --onnx --out unet.onnx
    gluonzoo export --run runs/dsod_pikachu --onnx --precision int8 --calibrate photos/ --max-drop 0.01 --out dsod.onnx
    gluonzoo export --run runs/dsod_pikachu --quantize int8 --calibrate photos/ --out dsod     # MXNet's own form
    gluonzoo export --gluoncv yolo3_darknet53_voc --params kept.params --onnx --batch dynamic --out yolo3.onnx
    gluonzoo export --symbol net-symbol.json --params net-0000.params --inputs data=1,3,224,224 --onnx --out net.onnx
    gluonzoo export --pools --onnx --out pools/          # the four corner pools alone: top_pool.onnx ...

Without --decode a detector's outputs are the raw ones of the network. What one must know to use a file (classes, how
to prepare the image, what the outputs mean) is in its property 'gluonzoo', or in the -metadata.json: see
notes/export.md. Every file is compared with the network before it gets its name; --onnx needs gluonzoo[onnx].
--symbol takes what HybridBlock.export or a Module of MXNet 1.x wrote. Both files are checked, since MXNet is not safe
from damaged ones; losses at its end, such as SoftmaxOutput, become what they predict.
"""
from pathlib import Path

from ..recipes.arguments import at_least
from . import foreign, smaller
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model


def number(text):
    """A type for argparse: 'dynamic', or a whole number."""
    return text if text == 'dynamic' else at_least(1)(text)


def add_arguments(parser):
    add_run_arguments(parser, required=False)
    add_model_arguments(parser)
    foreign.add_arguments(parser)
    parser.add_argument('--pools', action='store_true', help='the four corner pools, for arrays of any size')
    parser.add_argument('--out', type=Path, required=True,
                        help='the ONNX file; or how the names of the MXNet files begin; with --pools, a folder')
    parser.add_argument('--onnx', action='store_true', help='an ONNX file')
    parser.add_argument('--opset', type=at_least(13), metavar='N',
                        help='with --onnx: 13 (default, what most runtimes take), or a newer one')
    parser.add_argument('--decode', action='store_true', help='outputs are objects')
    parser.add_argument('--batch', type=number, metavar='N|dynamic', help='images at a time (default: 1)')
    parser.add_argument('--size', type=number, nargs='+', metavar='H W|dynamic',
                        help='of the images (default: what the network was trained on)')
    smaller.add_arguments(parser)


def check(parser, args):
    if args.gluoncv or args.symbol:
        foreign.check(parser, args)
    elif args.pools:
        for name in ('run', 'model', 'weights', 'which', 'decode', 'batch', 'size', 'code', 'set', 'precision',
                     'quantize', 'params', 'inputs'):
            if getattr(args, name):
                parser.error(f'--{name}: not with --pools')
        if args.devices != parser.get_default('devices'):
            parser.error('--devices: not with --pools, which are computed on the CPU')
    else:
        check_run_or_model(parser, args)
        for name in ('params', 'inputs'):
            if getattr(args, name):
                parser.error(f'--{name}: only with --{"gluoncv or --" if name == "params" else ""}symbol')
    if not args.pools and args.onnx and args.out.suffix != '.onnx':
        parser.error(f'--out: must end with .onnx: {args.out}')
    if args.opset and not args.onnx:
        parser.error('--opset: only with --onnx')
    if args.size and args.size != ['dynamic'] and (len(args.size) != 2 or 'dynamic' in args.size):
        parser.error('--size: must be height and width, or dynamic')
    if not args.onnx and (args.batch or args.size == ['dynamic']):
        parser.error(f'--{"batch" if args.batch else "size"}: only with --onnx; MXNet takes batches and images of any '
                     'size')
    smaller.check(parser, args)


def run(args):
    if args.gluoncv:
        write(args, foreign.of_gluoncv(args))
    elif args.symbol:
        write(args, foreign.of_symbol(args))
    elif args.pools:
        export_pools(args)
    else:
        export_task(args)


def report(path, differences):
    print(f'{path}: as MXNet but for {max(differences.values()):.1g} of the greatest number ('
          + ', '.join(f'{name} {value:.1g}' for name, value in differences.items()) + ')')


def export_pools(args):
    from ..files import folder_for
    from ..ops import BottomPool, LeftPool, RightPool, TopPool

    with folder_for(args.out / 'top_pool'):
        for name, make, meaning in (('top_pool', TopPool, 'max(data[:, :, i:, j])'),
                                    ('bottom_pool', BottomPool, 'max(data[:, :, :i + 1, j])'),
                                    ('left_pool', LeftPool, 'max(data[:, :, i, j:])'),
                                    ('right_pool', RightPool, 'max(data[:, :, i, :j + 1])')):
            export_pool(args, name, make, meaning)


def export_pool(args, name, make, meaning):
    from ..export import to_onnx, to_symbol

    inputs, outputs = {'data': (1, 2, 5, 7)}, ['pooled']
    metadata = {'operator': name, 'inputs': {'data': 'float32 [N, C, H, W]'},
                'outputs': {'pooled': f'float32 [N, C, H, W]; pooled[:, :, i, j] = {meaning}'}}
    if args.onnx:
        path = args.out / f'{name}.onnx'
        report(path, to_onnx(make(), path, inputs, outputs, dynamic=['batch', 'channels', 'size'],
                             metadata=metadata, opset=args.opset or 13))
    else:
        print(*to_symbol(make(), args.out / name, inputs, outputs, metadata=metadata))


def varying(args):
    """Which axes may have any length."""
    return [name for name in ('batch', 'size') if getattr(args, name) in ('dynamic', ['dynamic'])]


def export_task(args):
    task, settings, source = open_run_or_model(args)
    dynamic = varying(args)
    what = task.exported(args.decode, 1 if 'batch' in dynamic else args.batch or 1,
                         None if 'size' in dynamic else args.size)
    metadata = {**what.metadata, 'checkpoint': Path(source).name}
    if 'size' in dynamic:
        if 'input_size' not in metadata:
            raise ValueError('--size: it takes no images')
        metadata['example_size'], metadata['input_size'] = metadata['input_size'], None
        metadata['notes'] = [*metadata['notes'], 'images may have any size that the network takes; numbers that depend '
                             'on the size, such as grids of anchors, are those of example_size']
    what = what._replace(metadata=metadata)
    small = (lambda: smaller.write(task, settings, what, dynamic, args)) if smaller.wanted(args) else None
    write(args, what._asdict(), small)


def write(args, arguments, small=None):
    """Writes a file, or MXNet's files, of what :func:`~gluonzoo.export.to_onnx` takes; or calls `small`, if given."""
    from ..export import ExportError, to_onnx, to_symbol
    from ..files import folder_for

    dynamic = varying(args)
    block, objects = arguments.pop('block'), arguments.pop('objects', False)
    with folder_for(args.out):
        try:
            if small is not None:
                small()
            elif args.onnx:
                report(args.out, to_onnx(block, args.out, **arguments, dynamic=dynamic, objects=objects,
                                         opset=args.opset or 13))
            else:
                print(*to_symbol(block, args.out, **arguments))
        except ExportError as error:
            if 'size' not in dynamic:
                raise
            raise ExportError(f'--size dynamic: {error}') from error
    for note in arguments['metadata']['notes']:
        print(f'  {note}')
