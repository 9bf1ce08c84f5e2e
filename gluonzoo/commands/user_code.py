"""A user's own code: one Python file that registers what it has, and may be a recipe."""
import hashlib
import importlib.util
import sys
import traceback
import warnings
from pathlib import Path

from ..reading import FileError, read_bytes

__all__ = ['CodeError', 'UserCode', 'load', 'load_for', 'own_traceback']


class CodeError(ValueError):
    """The user's own file cannot be used. The message has the traceback, which is of the user's own code."""


class UserCode:
    """A file that has been imported.

    Attributes
    ----------
    path : Path
    content : bytes
    module : module
    """

    def __init__(self, path, content, module):
        self.path, self.content, self.module = path, content, module

    @property
    def settings(self):
        """What settings.json says of it."""
        return {'file': self.path.name, 'sha256': hashlib.sha256(self.content).hexdigest()}


_loaded = {}   # path -> UserCode: what it registers can be registered once


def load(path):
    """Imports a file as a module of its own, once in a process. It can import other files of its folder, also later.

    Raises CodeError if the file is not there, or fails; FileNotFoundError is a CodeError, too.
    """
    path = Path(path).resolve()
    if path in _loaded:
        return _loaded[path]
    if path.suffix != '.py':
        raise CodeError(f'{path}: must be a Python file, with a name that ends with .py')
    try:
        content = read_bytes(path)
    except FileError as error:
        raise CodeError(str(error)) from error
    except OSError as error:
        raise CodeError(f'{path}: {error.strerror}') from error
    name = f'gluonzoo_code_{path.stem}'
    while name in sys.modules:   # of a file of the same name elsewhere
        name += '_'
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, path))
    sys.modules[name] = module   # where dataclasses and pickle look for it
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        exec(compile(content, str(path), 'exec'), module.__dict__)   # these bytes, whose SHA-256 is kept
    except Exception as error:
        lines = traceback.format_exception(type(error), error, error.__traceback__.tb_next)   # without this function
        del sys.modules[name]
        raise CodeError(f'{path}: cannot be imported:\n{"".join(lines).rstrip()}') from error
    _loaded[path] = UserCode(path, content, module)
    return _loaded[path]


def load_for(run, path):
    """Imports the code that a run needs, if it needs some.

    A file from a run's directory is not imported by itself: whoever opens a run shall know what is executed.

    Parameters
    ----------
    run : Run
    path : str or Path, or None

    Raises
    ------
    ValueError
        if the run needs code and there is no `path`.

    Warns (RuntimeWarning)
        if the file is not what it was when the run was begun.
    """
    needed = run.settings.get('code')
    if path is None:
        if needed:
            raise ValueError(f'{run.directory}: was made with {needed["file"]}, which is not imported by itself: '
                             f'--code {needed["file"]} (a copy is {run.directory / "code" / needed["file"]})')
        return
    code = load(path)
    if needed and code.settings['sha256'] != needed['sha256']:
        warnings.warn(f'{path}: has changed since the run was begun; a copy of then is '
                      f'{run.directory / "code" / needed["file"]}', RuntimeWarning, stacklevel=3)


def own_traceback(error):
    """The traceback of an error of the user's own code, from that code on, without its last line break; else None.

    An error is of that code if it was raised there, or by another library that was called from there. What gluonzoo
    has raised is not: the message says what is wrong.
    """
    package = Path(__file__).parents[1]
    folders = {path.parent for path in _loaded}   # also of other files beside it
    trace, own = error.__traceback__, None
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(package):
            own = None
        elif own is None and file.parent in folders:
            own = trace
        trace = trace.tb_next
    return None if own is None else ''.join(traceback.format_exception(type(error), error, own)).rstrip()
