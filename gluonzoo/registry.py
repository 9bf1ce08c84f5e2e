"""Names for models, tasks and datasets, so that a settings file can say what to make.

A class or function registers itself under its own name. Making it by name checks the name and every argument first,
and an error names the near matches: nothing misspelt is ignored.
"""
import difflib
import importlib
import inspect

__all__ = ['Registry', 'MODELS', 'TASKS', 'DATASETS', 'TRANSFORMS', 'get_model', 'list_models']


class Registry:
    """Classes and functions of one kind, by name.

    Parameters
    ----------
    kind : str
        what is registered, for the error messages: 'model'
    home : str, optional
        the package that registers what gluonzoo itself has; imported when the registry is first used

    Examples
    --------
    >>> shapes = Registry('shape')
    >>> @shapes.register
    ... def circle(radius=1):
    ...     return f'a circle of radius {radius}'
    >>> shapes.create('circle', radius=2)
    'a circle of radius 2'
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
        """Decorates a class or function: registers it under its ``__name__`` and returns it as it is.

        Raises ValueError if the name is taken, and TypeError if `target` takes ``**kwargs``: what it accepts could not
        be checked.
        """
        self._load()   # so that a name of gluonzoo's own is taken from the start
        name = target.__name__
        if name in self._targets:
            raise ValueError(f'{self.kind} {name!r} is registered already, by {self._targets[name].__module__}')
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(target).parameters.values()):
            raise TypeError(f'{self.kind} {name!r}: name every keyword in the signature instead of **')
        self._targets[name] = target
        return target

    def create(self, name, *args, **kwargs):
        """Calls what is registered as `name` with the arguments.

        Raises ValueError for an unknown name or keyword, and when a required argument is missing or there are too many.
        """
        self._load()
        if name not in self._targets:
            raise ValueError(f'unknown {self.kind} {name!r}{_suggest(name, self._targets)}')
        target = self._targets[name]
        signature = inspect.signature(target)
        for keyword in kwargs:
            if keyword not in signature.parameters:
                raise ValueError(f'{self.kind} {name!r}: unknown argument {keyword!r}'
                                 f'{_suggest(keyword, signature.parameters)}')
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ValueError(f'{self.kind} {name!r}: {error}') from None
        return target(*args, **kwargs)

    def names(self):
        """The registered names, sorted."""
        self._load()
        return sorted(self._targets)


def _suggest(wanted, known):
    near = difflib.get_close_matches(str(wanted), known)
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
