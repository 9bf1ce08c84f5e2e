"""What the parsers of several commands have in common."""
import argparse
import inspect
from pathlib import Path

from ..recipes.arguments import device_names
from .threads import add_threads_argument

__all__ = ['add_command', 'add_model_arguments', 'add_run_arguments', 'add_use_arguments', 'check_run_or_model',
           'open_run_or_model']


def add_command(commands, name, doc):
    """Adds a command to those of a parser. The first line of `doc` is its help in their list, all of it its own help.

    Parameters
    ----------
    commands : what ``parser.add_subparsers()`` returns
    name, doc : str

    Returns
    -------
    argparse.ArgumentParser
    """
    doc = inspect.cleandoc(doc)
    return commands.add_parser(name, help=doc.partition('\n')[0], description=doc,
                               formatter_class=argparse.RawDescriptionHelpFormatter)


def add_run_arguments(parser, required=True):
    """Which run, and what :func:`add_use_arguments` adds."""
    parser.add_argument('--run', type=Path, required=required, help='the directory of the run')
    add_use_arguments(parser)


def add_use_arguments(parser):
    """Which checkpoint of a run, and where and how it computes."""
    parser.add_argument('--which', choices=('best', 'last'), help='checkpoint (default: best)')
    parser.add_argument('--code', type=Path, metavar='FILE.py',
                        help='your own file that the run was trained with; it is executed')
    parser.add_argument('--devices', type=device_names, default=['cpu(0)'], help='cpu (default), gpu, gpu:0,gpu:1 ...')
    add_threads_argument(parser)
    parser.add_argument('--allow-not-finite', action='store_true', help='take weights that are infinite or NaN')
    parser.add_argument('--set', action='append', metavar='PATH=VALUE', default=[],
                        help="in place of a setting of the run's, such as task.flip=true")


def add_model_arguments(parser):
    """In place of a run: a model and its weights."""
    parser.add_argument('--model', help='without a run: one of gluonzoo models; with --weights')
    parser.add_argument('--weights', type=Path, metavar='FILE',
                        help='of the model: what gluonzoo convert writes, or the file of a network in a checkpoint')


def check_run_or_model(parser, args):
    """parser.error unless the arguments say either a run or a model with weights."""
    if (args.run is None) == (args.model is None):
        parser.error('--run or --model is needed, and not both')
    if (args.model is None) != (args.weights is None):
        parser.error('--model and --weights go together')
    for name in ('which', 'code'):
        if args.model is not None and getattr(args, name):
            parser.error(f'--{name}: is of a run, not of --model')


def open_run_or_model(args):
    """What the arguments of both name: :class:`gluonzoo.commands.resolve.Opened`."""
    from . import resolve

    ctx = resolve.contexts(args.devices)
    if args.model is not None:
        return resolve.open_model(args.model, args.weights, ctx, args.set, finite=not args.allow_not_finite)
    return resolve.open_run(args.run, args.which or 'best', ctx, args.set, args.code, not args.allow_not_finite)
