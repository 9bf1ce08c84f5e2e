"""Reads weight files of other libraries."""
from pathlib import Path

import safetensors

from .errors import WeightsError
from .safetensors_file import read_safetensors
from .torch_file import read_torch

__all__ = ['read_weights']


def read_weights(path, key=None, ema=False):
    """The tensors in a weight file, without PyTorch.

    Parameters
    ----------
    path : str or Path
        x.safetensors; with any other name, a file of ``torch.save``, of any version of PyTorch since 0.1.10
    key, ema
        where the weights are in a checkpoint of PyTorch's; see :func:`gluonzoo.convert.torch_file.read_torch`

    Returns
    -------
    dict of name -> NumPy array; bfloat16 becomes float32

    Raises
    ------
    WeightsError
        if the file is absent, damaged, or holds anything but tensors. No code in the file is run.
    """
    if Path(path).suffix != '.safetensors':
        return read_torch(path, key, ema)
    if key is not None or ema:
        raise WeightsError(f'{path}: {"--ema" if ema else "--key"} is for checkpoints of PyTorch; a safetensors file '
                           'has tensors alone')
    try:
        return read_safetensors(path)[0]
    except WeightsError:
        raise
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f'{path}: cannot be read: {error}') from error
