"""Trains a network: by a recipe of the zoo, or by a file of your own.

    gluonzoo train dsod --data data/pikachu            # gluonzoo train dsod --help says what this recipe takes
    gluonzoo train dsod --data data/pikachu --resume   # after a kill: exactly as if there was none
    gluonzoo train my_net.py --data data/mine          # see notes/own_model.md
    gluonzoo train dsod --data data/pikachu --set task.loss=paper --set fit.epochs=3

A run is one directory: settings, checkpoints, every number, a plot, pictures of each epoch. See notes/training.md.
"""
import argparse
from pathlib import Path

from ..recipes import trainings
from ..recipes.arguments import at_least, device_names

# Settings that others follow from, so that they are set before the recipe is asked: path -> argument
_EARLY = {'fit.epochs': 'epochs', 'fit.batch_size': 'batch_size', 'engine.devices': 'devices'}
# What an argument says, where it is given; what holds where neither the argument nor the recipe says something.
_ENGINE = {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 1, 'clip_norm': None, 'amp': None}
_FIT = {'seed': 0, 'ema': None, 'workers': 2}


def add_arguments(parser):
    parser.usage = 'gluonzoo train RECIPE|FILE.py ...'
    parser.add_argument('what', metavar='RECIPE|FILE.py', help=f'{", ".join(trainings())}, or a file of your own')
    parser.add_argument('words', nargs=argparse.REMAINDER, metavar='...', help='gluonzoo train RECIPE --help')


def run(args):
    args = parse(args.what, args.words)
    run_training(make_settings(args), args.run or Path('runs', _run_name(args)), resume=args.resume,
                 checkpoint_every=args.checkpoint_every, code=args.code and args.code.path)


def recipe(what, **arguments):
    """The settings of a training, as ``gluonzoo train`` makes them.

    Parameters
    ----------
    what : str
        name of a recipe, or path of a file of your own
    **arguments
        those of the command: ``recipe('dsod', data='data/pikachu', small=True, batch_size=8)``

    Returns
    -------
    dict, for :func:`gluonzoo.run_training`

    Raises
    ------
    ValueError
        for an unknown recipe or argument, and for values that are out of range or do not go together.
    """
    words = []
    for name, value in arguments.items():
        option = f'--{name.replace("_", "-")}'
        if value is True:
            words.append(option)
        elif isinstance(value, (list, tuple)):   # said once for each, as --set and --weights are
            words += [word for each in value for word in (option, str(each))]
        elif value is not None and value is not False:
            words += [option, str(value)]
    return make_settings(parse(what, words, _RaisingParser))


class _RaisingParser(argparse.ArgumentParser):
    """A parser that raises where another ends the process."""

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
        module = recipes.load(what)
        if not hasattr(module, 'settings'):
            raise ValueError(f'recipe: {what} has no training yet; there are {", ".join(recipes.trainings())}')
        return parse_for(module, what, words, parser_class=parser_class)
    from . import user_code

    code = user_code.load(what)
    if not callable(getattr(code.module, 'settings', None)):
        raise ValueError(f'{what}: must define settings(args), which returns the settings of a training')
    return parse_for(code.module, Path(what).stem, words, code, parser_class)


def parse_for(recipe, name, words, code=None, parser_class=argparse.ArgumentParser):
    """The arguments of one recipe."""
    parser = parser_class(prog=f'gluonzoo train {code.path.name if code else name}', description=recipe.__doc__,
                          formatter_class=argparse.RawDescriptionHelpFormatter)
    _add_training_arguments(parser, getattr(recipe, 'DATA', None))
    if hasattr(recipe, 'add_arguments'):
        recipe.add_arguments(parser.add_argument_group(f'of {name}'))
    args = parser.parse_args(words)
    args.recipe, args.name, args.code = recipe, name, code
    args.devices_given, args.devices = args.devices is not None, args.devices or _ENGINE['devices']
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
    parser.add_argument('--amp', choices=('float16', 'bfloat16'), help='mixed precision')
    parser.add_argument('--seed', type=at_least(0), help='(default: 0)')
    parser.add_argument('--checkpoint-every', type=at_least(1), metavar='STEPS', help='besides after each epoch')
    parser.add_argument('--devices', type=device_names, help='cpu (default), gpu, gpu:0,gpu:1 ...')
    parser.add_argument('--workers', type=at_least(1), help='threads that load data (default: 2)')
    parser.add_argument('--kvstore', choices=('dist_sync', 'dist_sync_device'),
                        help='several machines: see python -m gluonzoo.train.launch --help')
    parser.add_argument('--weights', action='append', metavar='[NETWORK=]FILE', default=[],
                        help='start from these, as gluonzoo convert writes them; of several networks name each')
    parser.add_argument('--partial', action='store_true',
                        help='start parts anew that the weights do not have, or in another shape')
    parser.add_argument('--set', action='append', metavar='PATH=VALUE', default=[],
                        help='any setting by its path, such as task.loss=pikachu; see settings.json of a run')


def _run_name(args):
    return args.recipe.run_name(args) if hasattr(args.recipe, 'run_name') else args.name


def make_settings(args):
    """The whole settings of a training: the recipe's, what the arguments say, and what ``--set`` says."""
    from .overrides import override
    from .overrides import parse as parse_set

    late = []
    for text in args.set:
        path, value = parse_set(text)
        argument = _EARLY.get('.'.join(path))
        if argument is None:
            late.append(text)
            continue
        given = args.devices_given if argument == 'devices' else getattr(args, argument) is not None
        if given and getattr(args, argument) != value:
            raise ValueError(f'--set: {text}: --{argument.replace("_", "-")} says {getattr(args, argument)!r}')
        _check_early(text, argument, value)
        setattr(args, argument, value)
    made = args.recipe.settings(args)
    _check_recipe(args, made)
    settings = {**made, 'engine': {**_ENGINE, **made.get('engine', {}), **_given(args, _ENGINE)},
                'fit': {**_FIT, **made['fit'], **_given(args, _FIT)}}
    _name_weights(settings, args)
    settings = {'revision': _revision(), **override(settings, late)}
    if args.code:
        settings['code'] = args.code.settings
    return settings


def _check_early(text, argument, value):
    if argument == 'devices':
        if not isinstance(value, list) or not value:
            raise ValueError(f'--set: {text}: must be a list such as ["gpu(0)"]')
    elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'--set: {text}: must be a whole number, at least 1')


def _revision():
    from ..train.settings import REVISION
    return REVISION


def _given(args, defaults):
    return {name: getattr(args, name) for name in defaults if getattr(args, name) is not None}


def _check_recipe(args, made):
    """ValueError unless a recipe gives what it must, and heeds what the arguments say."""
    for part, keys in (('task', ['name']), ('train_data', ['name']), ('val_data', ['name']),
                       ('fit', ['batch_size', 'epochs', 'schedule'])):
        if not isinstance(made, dict) or not isinstance(made.get(part), dict):
            raise ValueError(f'{args.name}: settings(args) must return a dict with a dict {part!r}')
        for key in keys:
            if key not in made[part]:
                raise ValueError(f'{args.name}: settings(args) must have {part!r} with {key!r}')
    for part, known in (('', ('task', 'train_data', 'val_data', 'engine', 'fit')), ('engine', _ENGINE),
                        ('fit', ('batch_size', 'epochs', 'schedule', *_FIT))):
        there = made.get(part, {}) if part else made
        if not isinstance(there, dict):
            raise ValueError(f'{args.name}: settings(args) must return a dict with a dict {part!r}')
        for key in there:
            if key not in known:
                raise ValueError(f'{args.name}: settings(args) has an unknown {f"{part}.{key}".lstrip(".")!r}; known '
                                 f'are {", ".join(known)}')
    for name in ('epochs', 'batch_size'):
        if getattr(args, name) is not None and made['fit'][name] != getattr(args, name):
            raise ValueError(f'--{name.replace("_", "-")}: {args.name} does not heed it: settings(args) has '
                             f'{made["fit"][name]!r}')
    if args.lr is not None and args.lr not in _values(made['task'].get('optimizer', {}), 'learning_rate'):
        raise ValueError(f'--lr: {args.name} does not heed it: settings(args) has {made["task"].get("optimizer")!r}')


def _values(specification, key):
    """All values of a key in nested dicts."""
    for name, value in specification.items():
        if name == key:
            yield value
        elif isinstance(value, dict):
            yield from _values(value, key)


def _name_weights(settings, args):
    """Puts --weights into the settings of networks."""
    from ..registry import TASKS
    from . import resolve  # noqa: F401  (registers the tasks)

    cls = TASKS.target(settings['task']['name'])
    for text in args.weights:
        name, sign, file = text.partition('=')
        if not sign or name not in cls.network_names:
            name, file = None, text
        if name is None and len(cls.used) > 1:
            raise ValueError(f'--weights: must name one of {", ".join(cls.network_names)}: {cls.used[0]}={text}')
        network = settings['task'].get(name or cls.used[0])
        if not isinstance(network, dict):
            raise ValueError(f'--weights: settings(args) has no network {name or cls.used[0]!r}')
        if 'weights' in network:
            raise ValueError(f'--weights: {name or cls.used[0]} has two: {network["weights"]}, {file}')
        network['weights'] = str(Path(file).resolve())
        if args.partial:
            network['partial'] = True


def run_training(settings, directory, resume=False, checkpoint_every=None, code=None):
    """Trains what the settings describe, in a run's directory.

    Parameters
    ----------
    settings : dict
        see :mod:`gluonzoo.train.settings`; :func:`make_settings` makes some
    directory : str or Path
    resume : bool
        go on with the run that is there
    checkpoint_every : int, optional
        steps between checkpoints within an epoch
    code : str or Path, optional
        the user's own file, where the settings need one

    Returns
    -------
    dict of name -> float, the metrics of the last epoch

    Raises
    ------
    ValueError, CheckpointError, TrainingError
        before anything is written, for settings that do not go together; see :func:`gluonzoo.train.fit` for the rest.
    """
    import mxnet as mx

    from ..data import Loader
    from ..registry import DATASETS
    from ..train import EMA, Plot, Progress, Run, Samples, ScalarsCSV, TensorBoard, fit, join
    from . import resolve, user_code

    code = code and user_code.load(code)
    if 'code' in settings and not code:
        raise ValueError(f'code: must be the path of {settings["code"]["file"]}, which the settings need')
    engine_settings, how = settings['engine'], settings['fit']
    workers = join(engine_settings['kvstore'])
    ema = EMA(how['ema']) if how['ema'] else None
    dataset = DATASETS.create(**settings['train_data'])
    engine = resolve.make_engine(settings, kvstore=workers.store('task') or 'device')
    parts = engine_settings['accumulate'] * len(engine_settings['devices']) * workers.count
    if how['batch_size'] % parts:
        raise ValueError(f'--batch-size: must be a multiple of rounds x devices x machines, {parts}: '
                         f'{how["batch_size"]}')
    loader = Loader(dataset, how['batch_size'] // workers.count, shuffle=True, seed=how['seed'], workers=how['workers'],
                    part=(workers.rank, workers.count))
    validation = resolve.validation_loader(settings, how['workers'])
    task = resolve.make_task(settings)
    mx.random.seed(how['seed'])   # the initial weights
    task.start_training(engine)
    if not (resume and Run.open(directory).checkpoints()):   # a run that broke off before its first begins again
        for name in resolve.load_named_weights(task, settings):
            print(f'{name}: is started anew; the weights do not have it in this shape')
    run = Run.create(directory, settings, resume=resume, workers=workers, code=code and code.content)
    metrics = fit(task, loader, run, epochs=how['epochs'], schedule=how['schedule'], validation=validation,
                  callbacks=[Progress(), ScalarsCSV(), TensorBoard(), Plot(), Samples()], ema=ema,
                  checkpoint_every=checkpoint_every, kvstore=engine_settings['kvstore'], seed=how['seed'])
    if workers.rank == 0:
        _tell(run, metrics)
    return metrics


def _tell(run, metrics):
    said = ', '.join(f'{name} {value:.4g}' for name, value in metrics.items())
    print(f'{run.directory}: best checkpoint {run.checkpoint("best").name}; {said}')
    for name, what in (('progress.png', 'losses and metric'), ('samples', 'what was found after each epoch'),
                       ('scalars.csv', 'every number; also: tensorboard --logdir ' + str(run.directory))):
        print(f'  {run.directory / name}: {what}')
