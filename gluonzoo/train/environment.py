"""environment.json: what a run is trained with. Versions of what computes, the system, the processor."""
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mxnet as mx

from .. import runtime
from ..cores import physical_cores
from ..reading import FileError, quoted, read_json
from .storage import write_file

__all__ = ['Environment', 'environment', 'read_environment']

NAME = 'environment.json'
_PACKAGES = ('gluoncv', 'numpy', 'opencv-contrib-python-headless')
_MOST = 1 << 16   # bytes of such a file


class Environment:
    """A callback that writes :func:`environment` to environment.json in the run's directory, when a training starts.

    A run that is resumed elsewhere has that of the machine which trained last.
    """

    def __init__(self):
        self._missing = f'{NAME} is not written'

    def missing(self):
        """What is not there, in words; '' if nothing is missing."""
        return self._missing

    def on_start(self, loop):
        write_file(loop.run.directory / NAME, json.dumps(environment(), indent=2).encode() + b'\n')
        self._missing = ''


def environment():
    """Dict of what -> which, both str. It names neither a host nor a user."""
    cores = physical_cores()
    return {'gluonzoo': _version('gluonzoo'), 'MXNet': mx.__version__,
            'oneDNN': 'yes' if mx.runtime.Features().is_enabled('MKLDNN') else 'no',
            **{name: _version(name) for name in _PACKAGES},
            'Python': platform.python_version(),
            'system': f'{platform.system()} {platform.release()}, {platform.machine()}',
            'processor': f'{_processor()}; {cores} core{"s" * (cores > 1)}, of which {runtime.threads()} compute',
            'GPUs': str(mx.context.num_gpus())}


def read_environment(directory):
    """What environment.json of a run's directory says, as :func:`environment`; None if the run has no such file.

    Raises FileError if the file is none of this form.
    """
    path = Path(directory) / NAME
    try:
        found = read_json(path, _MOST)
    except FileNotFoundError:
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise FileError(f'{path}: must be an object of texts: {quoted(found)}')
    return found


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:   # used from where it lies
        return 'not installed as a package'


def _processor(root='/'):
    """The name of the processor as Linux has it."""
    try:
        lines = Path(root, 'proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.machine() or 'unknown')
