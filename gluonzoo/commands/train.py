"""Trains a network: by a recipe of the zoo, or by a file of your own.

    gluonzoo train dsod --data data/pikachu            # gluonzoo train dsod --help says what this recipe takes
    gluonzoo train dsod --data data/pikachu --resume   # after a kill: exactly as if there was none
    gluonzoo train my_net.py --data data/mine          # see notes/own_model.md
    gluonzoo train dsod --data data/pikachu --set task.loss=paper --set fit.epochs=3

A run is one directory: settings, checkpoints, every number, a plot, pictures of each epoch. See notes/training.md.
"""
import argparse
from pathlib import Path

from ..recipes import NAMES
from ..recipes.arguments import at_least, device_names
from .from_arguments import DEFAULT_DEVICES, make_settings
from .threads import add_threads_argument, use_as_said, use_of_run
from .training import run_training


def add_arguments(parser):
    parser.usage = 'gluonzoo train RECIPE|FILE.py ...'
    parser.add_argument('what', metavar='RECIPE|FILE.py', help=f'{", ".join(NAMES)}, or a file of your own')
    parser.add_argument('words', nargs=argparse.REMAINDER, metavar='...', help='gluonzoo train RECIPE --help')


def run(args):
    use_as_said(args.words, Path('runs', Path(args.what).stem) if args.what.endswith('.py') else None)
    args = parse(args.what, args.words)
    directory = _run_directory(args)
    if args.resume:
        use_of_run(directory)
    run_training(make_settings(args, begun=directory if args.resume else None), directory, resume=args.resume,
                 checkpoint_every=args.checkpoint_every, code=args.code and args.code.path,
                 finite=not args.allow_not_finite)


_NO_SETTINGS = {'run', 'resume', 'checkpoint_every', 'allow_not_finite'}   # arguments that say where and how, not what


def recipe(what, **arguments):
    """The settings of a training, as ``gluonzoo train`` makes them.

    Parameters
    ----------
    what : str
        name of a recipe, or path of a file of your own
    **arguments
        those of the command that are settings: ``recipe('dsod', data='data/pikachu', small=True, batch_size=8)``

    Returns
    -------
    dict, for :func:`gluonzoo.run_training`

    Raises
    ------
    ValueError
        for an unknown recipe or argument, and for values that are out of range or do not go together.
    """
    words = []
    for name in sorted(_NO_SETTINGS & set(arguments)):
        raise ValueError(f'{name}: is no setting, but an argument of gluonzoo.run_training')
    for name, value in arguments.items():
        option = f'--{name.replace("_", "-")}'
        if value is True:
            words.append(option)
        elif isinstance(value, (list, tuple)):   # said once for each, as --set and --weights are
            words += [word for each in value for word in (option, str(each))]
        elif value is not None and value is not False:
            words += [option, str(value)]
    use_as_said(words)
    return make_settings(parse(what, words, _RaisingParser))


class _RaisingParser(argparse.ArgumentParser):
    """A parser that raises where another ends the process."""

    def __init__(self, **keywords):
        super().__init__(add_help=False, **keywords)

    def error(self, message):
        raise ValueError(message)


def parse(what, words, parser_class=argparse.ArgumentParser):
    """The arguments of a training, and in them the recipe's module or the user's code.

    Parameters
    ----------
    what : str
        name of a recipe, or path of a file
    words : list of str

    Raises ValueError for an unknown recipe, and CodeError for a file that cannot be used.
    """
    from .. import recipes

    if not what.endswith('.py'):
        return parse_for(recipes.load(what), what, words, parser_class=parser_class)
    from . import user_code

    code = user_code.load(what)
    if not callable(getattr(code.module, 'settings', None)):
        raise ValueError(f'{what}: must define settings(args), which returns the settings of a training')
    return parse_for(code.module, Path(what).stem, words, code, parser_class)


def parse_for(recipe, name, words, code=None, parser_class=argparse.ArgumentParser):
    """The arguments of one recipe."""
    parser = parser_class(prog=f'gluonzoo train {code.path.name if code else name}', description=recipe.__doc__,
                          formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    _add_training_arguments(parser, getattr(recipe, 'DATA', None))
    if hasattr(recipe, 'add_arguments'):
        recipe.add_arguments(parser.add_argument_group(f'of {name}'))
    args = parser.parse_args(words)
    args.recipe, args.name, args.code = recipe, name, code
    args.devices_given, args.devices = args.devices is not None, args.devices or DEFAULT_DEVICES
    args.data = args.data and args.data.resolve()   # the run shall find it from anywhere
    if args.partial and not args.weights:
        parser.error('--partial: only with --weights')
    if hasattr(recipe, 'check'):
        recipe.check(parser, args)
    return args


def _add_training_arguments(parser, data):
    """The arguments that every training has."""
    parser.add_argument('--data', type=Path, required=data is not None, help=data or 'what is trained on')
    parser.add_argument('--run', type=Path, help='the directory of the run (default: runs/NAME, by recipe and model)')
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint, with the same arguments')
    parser.add_argument('--epochs', type=at_least(1), help='in all (default: the recipe)')
    parser.add_argument('--batch-size', type=at_least(1), help='of an update (default: the recipe)')
    parser.add_argument('--accumulate', type=at_least(1), help='rounds in which the devices work through a batch, when '
                        'it does not fit at once (default: the recipe)')
    parser.add_argument('--lr', type=at_least(0, float), help='learning rate (default: the recipe)')
    parser.add_argument('--clip-norm', type=at_least(0, float), help='the most that the gradient may be')
    parser.add_argument('--ema', type=at_least(0, float), metavar='DECAY', help='average the weights, as with 0.999')
    parser.add_argument('--ema-start', type=at_least(0), metavar='UPDATES',
                        help='with --ema: average from this update on; the average is the weights before (default: 0)')
    parser.add_argument('--ema-interval', type=at_least(1), metavar='UPDATES',
                        help='with --ema: average every so many updates (default: 1)')
    parser.add_argument('--amp', choices=('float16', 'bfloat16'), help='mixed precision')
    parser.add_argument('--seed', type=at_least(0), help='(default: 0)')
    parser.add_argument('--checkpoint-every', type=at_least(1), metavar='STEPS', help='besides after each epoch')
    parser.add_argument('--devices', type=device_names, help='cpu (default), gpu, gpu:0,gpu:1 ...')
    parser.add_argument('--workers', type=at_least(1), help='threads that load data (default: 2)')
    add_threads_argument(parser)
    parser.add_argument('--kvstore', choices=('dist_sync', 'dist_sync_device'),
                        help='several machines: see python -m gluonzoo.train.launch --help')
    parser.add_argument('--weights', action='append', metavar='[NETWORK=]FILE', default=[],
                        help='start from these, as gluonzoo convert writes them; of several networks name each')
    parser.add_argument('--partial', action='store_true',
                        help='start parts anew that the weights do not have, or in another shape')
    parser.add_argument('--allow-not-finite', action='store_true',
                        help='start from weights, or resume with states of optimizers, that are infinite or NaN')
    parser.add_argument('--set', action='append', metavar='PATH=VALUE', default=[],
                        help='any setting by its path, such as task.loss=pikachu; see settings.json of a run')


def _run_directory(args):
    name = args.recipe.run_name(args) if hasattr(args.recipe, 'run_name') else args.name
    return args.run or Path('runs', name)
