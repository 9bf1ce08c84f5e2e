"""A zoo of vision models for Apache MXNet Gluon, with native operators.

Import it before MXNet: :func:`gluonzoo.runtime.prepare` makes MXNet importable on today's NumPy and gives it the
physical cores, and when MXNet is imported, the operators are in ``mx.nd.contrib`` and ``mx.sym.contrib``.

This import is quick. MXNet, and each room of the package (``gluonzoo.data``, ``gluonzoo.models`` ...), is imported when
it is first needed. In a process of MXNet's parameter server (``DMLC_ROLE`` is ``server`` or ``scheduler``), however,
this import serves until the job is over and then ends the process.
"""
import importlib
import os
import sys

from . import ops, parameter_server, runtime
from .registry import get_model, list_models  # noqa: F401

__version__ = '0.1.0'


# What a script needs most, without knowing its room.
_FROM_ROOMS = {'open_model': 'commands.resolve', 'open_run': 'commands.resolve', 'read_image': 'pictures.decode',
               'recipe': 'commands.train', 'run_training': 'commands.training', 'write_jpeg': 'pictures.jpeg'}


def _rooms():
    import pkgutil

    return [module.name for module in pkgutil.iter_modules(__path__)]


def __getattr__(name):
    if name in _FROM_ROOMS:
        return getattr(importlib.import_module(f'{__name__}.{_FROM_ROOMS[name]}'), name)
    if name in _rooms():
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_FROM_ROOMS, *_rooms()})


def _heed_ctrl_c():
    """As a program, `gluonzoo` or `python -m gluonzoo...`, it imports for seconds. Ctrl-C is no error then."""
    def say_interrupted(kind, error, traceback):
        if issubclass(kind, KeyboardInterrupt):
            print('gluonzoo: interrupted', file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, traceback)

    if os.path.basename((sys.argv or [''])[0]) in ('-m', 'gluonzoo') and sys.excepthook is sys.__excepthook__:
        sys.excepthook = say_interrupted


_heed_ctrl_c()
parameter_server.replace_server()
runtime.prepare(ops.library.activate)
if os.environ.get('DMLC_ROLE') in ('server', 'scheduler'):
    runtime.import_mxnet()   # and serve
