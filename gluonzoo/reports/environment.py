"""What a page is made with: versions, processor, devices. A run does not keep what it has been trained with."""
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import runtime
from ..cores import physical_cores

__all__ = ['environment']

_PACKAGES = ('gluoncv', 'numpy', 'opencv-contrib-python-headless')


def environment():
    """List of (what, which): versions of what computes, the processor and the GPUs. Names of hosts and users are none.
    """
    import mxnet as mx

    cores, gpus = physical_cores(), mx.context.num_gpus()
    return [('gluonzoo', _version('gluonzoo')), ('MXNet', mx.__version__),
            ('oneDNN', 'yes' if mx.runtime.Features().is_enabled('MKLDNN') else 'no'),
            *((name, _version(name)) for name in _PACKAGES),
            ('Python', platform.python_version()),
            ('system', f'{platform.system()} {platform.release()}, {platform.machine()}'),
            ('processor', f'{_processor()}; {cores} core{"s" * (cores > 1)}, of which {runtime.threads()} compute'),
            ('GPUs', str(gpus))]


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
