"""Who computes the corner pools: the route, chosen once, when MXNet is imported.

built-in
    The running MXNet was built with the operators (``build.sh``).
library
    ``libcorner_pool.so``, compiled when gluonzoo was installed, is loaded into the stock MXNet wheel.
composition
    Stock MXNet operators (:mod:`gluonzoo.ops.composition`). Always there; slow.

The first available route is taken. The environment variable ``GLUONZOO_OPS`` names another one.

This module does not import MXNet, only its functions do. The import of MXNet ends with a call of :func:`activate`, so
this module must be complete before.
"""
import ctypes
import os
from pathlib import Path

from .. import runtime

__all__ = ['route', 'available_routes', 'RouteError', 'activate']

OPERATORS = ('top_pool', 'bottom_pool', 'left_pool', 'right_pool')
ROUTES = ('built-in', 'library', 'composition')

_LIBRARY = Path(__file__).with_name('libcorner_pool.so')
_BUILD_REPORT = Path(__file__).with_name('library_build.txt')
_LIBRARY_MXNET = '1.9.1'   # the release whose headers the library is compiled with

# A function that src/library/complete.cc calls. Only the C++ ABI of the stock wheel gives the function this name.
_WHEEL_SYMBOL = '_ZN4nnvm2Op10GetAttrMapERKSs'

_active = None


class RouteError(RuntimeError):
    """``GLUONZOO_OPS`` asks for a route that does not exist or is not available here."""


def route():
    """The active route. It is chosen when MXNet is imported; this function imports MXNet if nothing has.

    Returns
    -------
    str : ``'built-in'``, ``'library'`` or ``'composition'``
    """
    runtime.import_mxnet()
    return _active


def available_routes():
    """The routes that can be active on this machine, in order of preference.

    Returns
    -------
    list of str; ``'composition'`` is always in it
    """
    runtime.import_mxnet()
    return [name for name in ROUTES if _why_unavailable(name) is None]


def _is_built_in():
    import mxnet as mx
    from mxnet.base import _LIB, OpHandle, c_str

    # MXNet generates the function of a built-in operator when it is imported; the other routes publish theirs later.
    if _active is None and not hasattr(mx.nd.contrib, 'top_pool'):
        return False
    handle = OpHandle()
    return _active != 'library' and not _LIB.NNGetOpHandle(c_str('_contrib_top_pool'), ctypes.byref(handle))


def _why_unavailable(name):
    """None when route `name` can be taken, else a sentence: why not, and how to get it."""
    import mxnet as mx

    if name == 'built-in':
        if not _is_built_in():
            return 'this MXNet was built without the operators; `bash build.sh` builds one with them'
    elif name == 'library':
        if _is_built_in():
            return 'this MXNet has the operators built in, and cannot load them a second time'
        if not _LIBRARY.exists():
            reason = _BUILD_REPORT.read_text().strip() if _BUILD_REPORT.exists() else 'it was not compiled'
            return (f'{_LIBRARY.name} is missing ({reason}); install gluonzoo again where a C++ compiler is found: '
                    '`pip install --force-reinstall --no-deps <the source directory of gluonzoo>`')
        if mx.__version__ != _LIBRARY_MXNET:
            return f'the library needs MXNet {_LIBRARY_MXNET}; this is {mx.__version__}'
        if not hasattr(mx.base._LIB, _WHEEL_SYMBOL):
            return 'this MXNet is not the stock wheel: it was compiled with another C++ ABI'
    return None


def _choose():
    forced = os.environ.get('GLUONZOO_OPS')
    if not forced:
        return available_routes()[0]
    if forced not in ROUTES:
        raise RouteError(f'GLUONZOO_OPS: {forced!r} is not a route; known: {", ".join(ROUTES)}')
    reason = _why_unavailable(forced)
    if reason:
        raise RouteError(f'GLUONZOO_OPS: route {forced!r} is not available: {reason}')
    return forced


def _load_library():
    import mxnet as mx
    from mxnet.base import _LIB, OpHandle, c_str, check_call

    check_call(_LIB.MXLoadLib(c_str(str(_LIBRARY)), ctypes.c_uint(0)))   # what mx.library.load calls
    # lib_api cannot express all that an operator must say (see src/library/complete.cc), so the library adds the rest
    # itself, before Python's functions are generated from it.
    error = ctypes.c_char_p()
    if ctypes.CDLL(str(_LIBRARY)).gluonzoo_complete_operators(ctypes.byref(error)):
        raise RuntimeError(f'{_LIBRARY}: {error.value.decode()}')
    for name in OPERATORS:
        handle, full_name = OpHandle(), '_contrib_' + name
        check_call(_LIB.NNGetOpHandle(c_str(full_name), ctypes.byref(handle)))
        _publish(name, mx.ndarray.register._make_ndarray_function(handle, full_name, name),
                 mx.symbol.register._make_symbol_function(handle, full_name, name))


def _publish(name, on_ndarray, on_symbol):
    import mxnet as mx

    for module, function in ((mx.nd.contrib, on_ndarray), (mx.sym.contrib, on_symbol)):
        function.__module__ = module.__name__
        setattr(module, name, function)


def activate():
    """Chooses the route and makes ``mx.nd.contrib.top_pool`` and the others provide it, once MXNet is there.

    Raises
    ------
    RouteError
        if ``GLUONZOO_OPS`` names a route that is unknown or not available; the message says how to get it.
    """
    global _active
    if _active is not None:   # MXNet is executed again, as by importlib.reload
        return
    chosen = _choose()
    if chosen == 'library':
        _load_library()
    elif chosen == 'composition':
        from .composition import COMPOSITIONS

        for name, functions in COMPOSITIONS.items():
            _publish(name, *functions)
    _active = chosen
