"""Native corner pooling: four running maxima and the blocks around them.

See :mod:`gluonzoo.ops.corner_pool` for what they compute and :mod:`gluonzoo.ops.library` for who computes it.
Beside them, :mod:`gluonzoo.ops.gather` composes of stock operators what takes parts of every image.
"""
from . import corner_pool, library
from .corner_pool import BottomPool, LeftPool, RightPool, TopPool, bottom_pool, left_pool, right_pool, top_pool
from .library import RouteError, available_routes, route

__all__ = ['top_pool', 'bottom_pool', 'left_pool', 'right_pool',
           'TopPool', 'BottomPool', 'LeftPool', 'RightPool',
           'route', 'available_routes', 'RouteError']

library.activate(corner_pool.COMPOSITIONS)
