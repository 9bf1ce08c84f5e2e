"""Names for models, tasks and datasets, so that a settings file can say what to make.

A class or function registers itself, under its own name or under a given one. When it is made by its name, the name and
every argument are checked first. Nothing misspelt is ignored: an error names the near matches.
"""
import difflib
import functools
import importlib
import inspect

from . import values
from .reading import QUOTED, quoted

__all__ = ['Registry', 'MODELS', 'TASKS', 'DATASETS', 'TRANSFORMS', 'get_model', 'list_models']


class Registry:
    """Classes and functions of one kind, by name.

    Parameters
    ----------
    kind : str
        what is registered, for the error messages: 'model'
    home : str, optional
        the package with gluonzoo's own entries; imported when the registry is first used

    Examples
    --------
    >>> shapes = Registry('shape')
    >>> @shapes.register
    ... def circle(radius=1):
    ...     return f'a circle of radius {radius}'
    >>> shapes.create('circle', radius=2)
    'a circle of radius 2'
    >>> @shapes.register('square')
    ... class Square:
    ...     def __init__(self, side):
    ...         self.side = side
    >>> shapes.create('square', side=3).side
    3
    """

    def __init__(self, kind, home=None):
        self.kind = kind
        self._home = home
        self._targets = {}

    def _load(self):
        # Not when this module is imported: the homes need MXNet, which takes more than a second.
        if self._home is not None:
            importlib.import_module(self._home)

    def register(self, target):
        """Decorates a class or function: registers it and returns it as it is.

        Parameters
        ----------
        target : class, function or str
            ``@registry.register`` takes its ``__name__``; ``@registry.register('name')`` gives it another.

        Raises
        ------
        ValueError
            if the name is taken.
        TypeError
            if the class or function takes ``**kwargs``: its keywords could not be checked.
        """
        if isinstance(target, str):
            return functools.partial(self._add, target)
        return self._add(target.__name__, target)

    def _add(self, name, target):
        self._load()   # so that a name of gluonzoo's own is taken from the start
        if name in self._targets:
            raise ValueError(f'{self.kind} {name!r} is registered already, by {self._targets[name].__module__}')
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(target).parameters.values()):
            raise TypeError(f'{self.kind} {name!r}: name every keyword in the signature instead of **')
        self._targets[name] = target
        return target

    def signature(self, name):
        """The ``inspect.Signature`` of the class or function that is registered as `name`.

        Raises ValueError for an unknown name, naming the near ones.
        """
        return inspect.signature(self.target(name))

    def create(self, /, name, *args, **kwargs):
        """Calls the class or function that is registered as `name` with the arguments.

        Raises ValueError for an unknown name or keyword, when a required argument is missing or there are too many, and
        for a value that is not what the signature says: by a rule of :mod:`gluonzoo.values` as the annotation, or by
        the type of the default. (Of a user's own, a whole number as the default may also mean fractions.)
        """
        target, signature = self.target(name), self.signature(name)
        for keyword in kwargs:
            if keyword not in signature.parameters:
                raise ValueError(f'{self.kind} {name!r}: unknown argument {quoted(keyword)}'
                                 f'{_suggest(keyword, signature.parameters)}')
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ValueError(f'{self.kind} {name!r}: {error}') from None
        for keyword, value in kwargs.items():
            rule = self.rule(name, keyword)
            if rule is not None:
                values.check(f'{self.kind} {name!r}: {keyword}', value, rule)
        return target(*args, **kwargs)

    def make(self, specification, where):
        """What a dict with a 'name' and keywords describes, as settings have it.

        Parameters
        ----------
        specification : dict
        where : str
            in settings, for messages: 'val_data'

        Raises ValueError as :meth:`create`, and for what is no such dict.
        """
        keywords = self.keywords(specification, where)
        return self.create(keywords.pop('name'), **keywords)

    def keywords(self, specification, where):
        """A copy of a dict, which must have a 'name' that is a text. ValueError for others, which names `where`."""
        if not isinstance(specification, dict) or not isinstance(specification.get('name'), str):
            raise ValueError(f"{where}: must be a dict with a 'name', one of {', '.join(self.names())}: "
                             f'{quoted(specification)}')
        return dict(specification)

    def rule(self, name, keyword):
        """The rule for a keyword of what is registered as `name`, or None."""
        return values.rule_of(self.signature(name).parameters[keyword],
                              counts=self.target(name).__module__.startswith('gluonzoo.'))

    def target(self, name):
        """The class or function that is registered as `name`. ValueError for an unknown name, naming the near ones."""
        self._load()
        if not isinstance(name, str) or name not in self._targets:
            raise ValueError(f'unknown {self.kind} {quoted(name)}{_suggest(name, self._targets)}')
        return self._targets[name]

    def names(self):
        """The registered names, sorted."""
        self._load()
        return sorted(self._targets)


def _suggest(wanted, known):
    near = difflib.get_close_matches(str(wanted)[:QUOTED], known)
    return f'; did you mean {" or ".join(near)}?' if near else f'; known: {", ".join(sorted(known)) or "none"}'


MODELS = Registry('model', 'gluonzoo.models')
TASKS = Registry('task', 'gluonzoo.tasks')
DATASETS = Registry('dataset', 'gluonzoo.data')
TRANSFORMS = Registry('transform', 'gluonzoo.data.transforms')


def get_model(name, **kwargs):
    """The network `name`, not yet initialized.

    Parameters
    ----------
    name : str
        one of :func:`list_models`
    **kwargs
        what the model's constructor takes

    Raises
    ------
    ValueError
        for a name or keyword that does not exist, naming the near ones.

    Examples
    --------
    >>> net = gluonzoo.get_model('dsod300', classes=20)
    >>> net.initialize()
    """
    return MODELS.create(name, **kwargs)


def list_models():
    """The names that :func:`get_model` knows, sorted."""
    return MODELS.names()
