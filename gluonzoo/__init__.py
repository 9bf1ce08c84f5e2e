"""A zoo of vision models for Apache MXNet Gluon, with native operators.

Import it before MXNet: :func:`gluonzoo.runtime.prepare` makes MXNet importable on today's NumPy and gives it the
physical cores. In a process of MXNet's parameter server (``DMLC_ROLE`` is ``server`` or ``scheduler``) this import
serves until the job is over and then ends the process.
"""
from . import runtime

__version__ = '0.1.0'

runtime.prepare()

try:
    import mxnet  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != 'mxnet':
        raise
    raise ImportError("gluonzoo needs MXNet, and leaves the choice of one to you: pip install 'gluonzoo[cpu]' (or "
                      'cu112, cu117 for a GPU), or build one with the operators in it: bash build.sh') from error

runtime.leave_cores_to_engine()

from . import data, models, ops, tasks  # noqa: E402, F401  each registers what it has
from .registry import get_model, list_models  # noqa: E402, F401
