"""Native corner pooling: four running maxima and the blocks around them.

:mod:`gluonzoo.ops.corner_pool` says what the pools compute, and :mod:`gluonzoo.ops.library` says who computes them.
:mod:`gluonzoo.ops.gather` takes parts of every image, with stock operators.
"""
import importlib

from . import library  # noqa: F401
from .library import RouteError, available_routes, route

_OF_CORNER_POOL = ('top_pool', 'bottom_pool', 'left_pool', 'right_pool',
                   'TopPool', 'BottomPool', 'LeftPool', 'RightPool')

__all__ = [*_OF_CORNER_POOL, 'route', 'available_routes', 'RouteError']


def __getattr__(name):
    # The blocks need MXNet when they are defined. This package must not need MXNet: MXNet's import needs library.py.
    if name in _OF_CORNER_POOL or name == 'corner_pool':
        corner_pool = importlib.import_module('.corner_pool', __name__)
        return corner_pool if name == 'corner_pool' else getattr(corner_pool, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_OF_CORNER_POOL, 'corner_pool'})
