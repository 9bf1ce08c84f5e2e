"""From the arguments of a training to its whole settings: the recipe's, what the arguments say, and ``--set``."""
from pathlib import Path

from .training import KEYS

__all__ = ['DEFAULT_DEVICES', 'make_settings']

# Settings that others follow from, so that they are set before the recipe is asked: path -> argument
_EARLY = {'fit.epochs': 'epochs', 'fit.batch_size': 'batch_size', 'engine.devices': 'devices'}
# What an argument says, where it is given; what holds where neither the argument nor the recipe says something.
DEFAULT_DEVICES = ['cpu(0)']
_ENGINE = {'devices': DEFAULT_DEVICES, 'kvstore': None, 'accumulate': 1, 'clip_norm': None, 'amp': None,
           'threads': None}
_FIT = {'seed': 0, 'ema': None, 'workers': 2}


def make_settings(args, begun=None):
    """The whole settings of a training: the recipe's, what the arguments say, and what ``--set`` says.

    Parameters
    ----------
    args : argparse.Namespace
    begun : Path, optional
        the directory of a run that goes on
    """
    from ..train.settings import REVISION
    from . import input_convention
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
    _say_average(settings['fit'], args)
    _name_weights(settings, args)
    input_convention.follow(settings, input_convention.files_of(settings), begun)
    settings = {'revision': REVISION, **override(settings, late)}
    _make_paths_absolute(settings)
    if args.code:
        settings['code'] = args.code.settings
    return settings


def _check_early(text, argument, value):
    if argument == 'devices':
        if not isinstance(value, list) or not value:
            raise ValueError(f'--set: {text}: must be a list such as ["gpu(0)"]')
    elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'--set: {text}: must be a whole number, at least 1')


def _make_paths_absolute(settings):
    """So that the run finds data and weights from anywhere."""
    for part in settings['train_data'], settings['val_data']:
        for key in ('path', 'images'):
            if isinstance(part.get(key), str):
                part[key] = str(Path(part[key]).absolute())
            elif isinstance(part.get(key), list):
                part[key] = [str(Path(path).absolute()) for path in part[key]]
    for network in settings['task'].values():
        if isinstance(network, dict) and isinstance(network.get('weights'), str):
            network['weights'] = str(Path(network['weights']).resolve())


def _given(args, defaults):
    return {name: getattr(args, name) for name in defaults if getattr(args, name) is not None}


def _say_average(fit, args):
    """Puts --ema-start and --ema-interval beside the decay of the moving average."""
    more = {key: value for key in ('start', 'interval') if (value := getattr(args, f'ema_{key}')) is not None}
    if more and not fit['ema']:
        raise ValueError(f'--ema-{next(iter(more))}: there is no moving average; --ema says its decay')
    if more:
        fit['ema'] = {**(fit['ema'] if isinstance(fit['ema'], dict) else {'decay': fit['ema']}), **more}


def _check_recipe(args, made):
    """ValueError unless a recipe gives what it must, and heeds what the arguments say."""
    for part, keys in (('task', ['name']), ('train_data', ['name']), ('val_data', ['name']),
                       ('fit', ['batch_size', 'epochs', 'schedule'])):
        if not isinstance(made, dict) or not isinstance(made.get(part), dict):
            raise ValueError(f'{args.name}: settings(args) must return a dict with a dict {part!r}')
        for key in keys:
            if key not in made[part]:
                raise ValueError(f'{args.name}: settings(args) must have {part!r} with {key!r}')
    for part, known in (('', KEYS), ('engine', KEYS['engine']), ('fit', KEYS['fit'])):
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

    cls = TASKS.target(settings['task']['name'])
    for text in args.weights:
        name, sign, file = text.partition('=')
        if sign and name in cls.own_networks:
            raise ValueError(f'--weights: {text}: the task makes {name} itself; {", ".join(cls.used)} can be given')
        if not sign or name not in cls.network_names:
            name, file = None, text
        if name is None and len(cls.used) > 1:
            raise ValueError(f'--weights: must name one of {", ".join(cls.network_names)}: {cls.used[0]}={text}')
        network = settings['task'].get(name or cls.used[0])
        if not isinstance(network, dict):
            raise ValueError(f'--weights: settings(args) has no network {name or cls.used[0]!r}')
        if 'weights' in network:
            raise ValueError(f'--weights: {name or cls.used[0]} has two: {network["weights"]}, {file}')
        network['weights'] = file
        if args.partial:
            network['partial'] = True
