"""The best settings of a search as a recipe: a file of a user's own, which ``gluonzoo train`` runs."""
import argparse
import pprint
import re
import shlex
from pathlib import Path

from ..files import replacing
from ..search.space import set_words
from . import train, user_code
from .errors import printable
from .from_arguments import make_settings
from .training import KEYS

__all__ = ['load', 'settings_of', 'write_recipe']

_FILE = '''"""{title}

    gluonzoo train {file} {data}

Other arguments of a training go with it: --epochs, --devices, --run ... SETTINGS may be changed.
"""
from gluonzoo.commands.searched import load, settings_of

RECIPE = {recipe}
WORDS = {words}
SETTINGS = {settings}
{constants}
load(RECIPE)


def run_name(args):
    return {run!r}


def settings(args):
    return settings_of(RECIPE, WORDS, SETTINGS, args)
'''

# Settings that an argument may say instead.
_EARLY = {'fit.epochs': 'epochs', 'fit.batch_size': 'batch_size', 'engine.devices': 'devices'}
_RATE = re.compile(r'task\.optimizer\.(\w+\.)?learning_rate')


def load(recipe):
    """Imports a file of the user's own, which registers what it has. A name of a recipe needs no import."""
    if recipe.endswith('.py'):
        user_code.load(recipe)


def settings_of(recipe, words, settings, args):
    """The settings of a recipe with some of them replaced.

    Parameters
    ----------
    recipe : str
        a name, or the path of a file
    words : list of str
        the arguments that the recipe is asked with
    settings : dict
        path -> value, as ``--set`` says them
    args : argparse.Namespace
        of the training that is asked for. What it says goes before the words and the settings
    """
    training = train.parse(recipe, [*words, *(['--data', str(args.data)] if args.data else [])])
    said = {name for name in ('epochs', 'batch_size', 'lr') if getattr(args, name) is not None}
    said |= {'devices', 'devices_given'} if args.devices_given else set()
    for name in said:   # what recipes heed themselves
        setattr(training, name, getattr(args, name))
    training.set = [*training.set, *set_words({path: value for path, value in settings.items()
                                               if _argument(path) not in said})]
    made = make_settings(training)
    args.devices = made['engine']['devices']
    return {part: made[part] for part in KEYS}


def _argument(path):
    """The argument of a training that says what is at a path, or None."""
    return 'lr' if _RATE.fullmatch(path) else _EARLY.get(path)


def write_recipe(path, what, training, words, settings, title):
    """Writes a file whose settings are those of a recipe with some of them replaced.

    Parameters
    ----------
    path : Path
    what : str
        the recipe's name or file
    training : argparse.Namespace
        what ``gluonzoo train`` makes of its words
    words : list of str
        those words
    settings : dict
        path of a setting -> value
    title : str
        the first line of the file's docstring
    """
    others = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    others.add_argument('--data')
    data, words = others.parse_known_args(words)
    needs = getattr(training.recipe, 'DATA', None)
    text = _FILE.format(
        title=_in_docstring(title), file=_in_docstring(shlex.quote(str(path))), data=_in_docstring(
            shlex.join(['--data', data.data]) if data.data else '').rstrip(),
        recipe=repr(str(Path(what).resolve()) if training.code else what), words=pprint.pformat(words, width=100),
        settings=_lines(settings), constants=f'DATA = {needs!r}' if needs else '',
        run=f'{path.resolve().parent.name}_best')
    with replacing(path) as (partial,):
        partial.write_text('\n'.join(line.rstrip() for line in text.splitlines()) + '\n', errors='backslashreplace')


def _lines(settings):
    return '\n'.join(['{', *(f'    {path!r}: {value!r},' for path, value in settings.items()), '}'])


def _in_docstring(text):
    return printable(text).replace('\n', ' ').replace('\\', '\\\\').replace('"', '\\"')
