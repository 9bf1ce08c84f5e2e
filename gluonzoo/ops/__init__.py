"""Native corner pooling: four running maxima and the blocks around them.

See :mod:`gluonzoo.ops.corner_pool` for what they compute and :mod:`gluonzoo.ops.library` for who computes it.
Beside them, :mod:`gluonzoo.ops.gather` composes of stock operators what takes parts of every image.
"""
import importlib

from . import library  # noqa: F401
from .library import RouteError, available_routes, route

_OF_CORNER_POOL = ('top_pool', 'bottom_pool', 'left_pool', 'right_pool',
                   'TopPool', 'BottomPool', 'LeftPool', 'RightPool')

__all__ = [*_OF_CORNER_POOL, 'route', 'available_routes', 'RouteError']


def __getattr__(name):
    # The blocks need MXNet when they are defined. This package must not: the import of MXNet needs library.py.
    if name in _OF_CORNER_POOL or name == 'corner_pool':
        corner_pool = importlib.import_module('.corner_pool', __name__)
        return corner_pool if name == 'corner_pool' else getattr(corner_pool, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
    return sorted({*globals(), *_OF_CORNER_POOL, 'corner_pool'})
