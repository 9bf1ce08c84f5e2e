"""Says what is in a file or a run: layers, shapes, parameters, multiply-adds, types of numbers.

    gluonzoo info runs/dsod_pikachu
    gluonzoo info net-symbol.json --inputs data=1,3,224,224
    gluonzoo info net-0000.params        # also .safetensors, .pth, .weights, .onnx
    gluonzoo info dsod.onnx --json

Parameters are all numbers that a network keeps, running statistics among them. Multiply-adds are those of convolutions
and products of matrices, for all images of the input together. Files may come from anyone: they are checked before
anything is made of them, and no code in them is run.
"""
from pathlib import Path

from .errors import printable
from .foreign import named_shape

_WIDEST = 120   # letters of a column, which the longest name would make as wide as itself for all rows


def add_arguments(parser):
    parser.add_argument('path', type=Path, metavar='FILE|RUN')
    parser.add_argument('--inputs', type=named_shape, nargs='+', metavar='NAME=N,N,...',
                        help='of a symbol file: the shapes of its inputs, data=1,3,224,224')
    parser.add_argument('--which', choices=('best', 'last'), help='checkpoint of a run (default: best)')
    parser.add_argument('--code', type=Path, metavar='FILE.py',
                        help='your own file that the run was trained with; it is executed')
    parser.add_argument('--json', action='store_true', help='as JSON')


def check(parser, args):
    symbol = args.path.suffix == '.json' and not args.path.is_dir()
    if args.inputs and not symbol:
        parser.error('--inputs: only of a symbol file, NAME-symbol.json')
    for name in ('which', 'code'):
        if getattr(args, name) and not args.path.is_dir():
            parser.error(f'--{name}: only of a run')


def run(args):
    import json

    found = of_run(args) if args.path.is_dir() else of_file(args)
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        for line in lines(found):
            print(printable(line).replace('\n', '\\n'))   # names in files may have whatever a terminal would obey


def of_file(args):
    """What is in a file: a dict that JSON can hold."""
    from ..export import contents

    if args.path.suffix == '.json':
        return contents.of_symbol(args.path, dict(args.inputs or ()))
    if args.path.suffix == '.onnx':
        return contents.of_onnx(args.path)
    return contents.of_weights(args.path)


def of_run(args):
    """What a run has trained: a dict that JSON can hold."""
    from ..export import contents
    from . import resolve

    opened = resolve.open_run(args.path, args.which or 'best', code=args.code)
    found = {'run': str(args.path), 'task': opened.settings['task']['name'], 'checkpoint': Path(opened.source).name,
             'networks': {name: contents.of_parameters(net) for name, net in opened.task.networks.items()
                          if name in opened.task.used}}
    exported = opened.task.exported()
    return {**found, **contents.of_block(exported.block, exported.inputs)}


def lines(found):
    """Lines of text for what is in a file or a run."""
    for name, value in found.items():
        if name == 'networks':
            for network, numbers in value.items():
                yield f'network {network}: {numbers["parameters"]:,} parameters, {numbers["trained"]:,} of them trained'
        elif name == 'layers':
            yield ''
            yield from table(('layer', 'operator', 'output', 'type', 'parameters', 'multiply-adds'),
                             [(layer['name'], layer['operator'], said(layer['shape']), layer['dtype'],
                               count(layer['parameters']), count(layer['multiply_adds'])) for layer in value], 2)
            yield ''
        elif name == 'arrays':
            yield ''
            yield from table(('array', 'shape', 'type', 'numbers'),
                             [(array['name'], said(array['shape']), array['dtype'], count(array['numbers']))
                              for array in value], 1)
            yield ''
        elif isinstance(value, dict):
            yield f'{words(name)}: ' + (', '.join(f'{key} {said(some)}' for key, some in value.items()) or 'none')
        elif value is not None:
            yield f'{words(name)}: {said(value)}'


def words(name):
    return {'multiply_adds': 'multiply-adds'}.get(name, name.replace('_', ' '))


def count(number):
    return f'{number:,}' if number else ''


def said(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return f'{value:,}'
    if isinstance(value, (list, tuple)):
        return (' x ' if all(isinstance(one, int) for one in value) else ', ').join(map(str, value)) or 'scalar'
    return str(value)


def table(heading, rows, numbers):
    """Lines of columns, of which the last `numbers` are flush right."""
    rows = [[cell if len(cell) <= _WIDEST else cell[:_WIDEST - 3] + '...' for cell in row] for row in [heading, *rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    left = len(heading) - numbers
    for row in rows:
        yield '  '.join(cell.ljust(width) if i < left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
