"""Reads weight files of other libraries."""
from pathlib import Path

import safetensors
import safetensors.numpy

from .errors import WeightsError
from .torch_file import read_torch

__all__ = ['read_weights']


def read_weights(path):
    """The tensors in a weight file, without PyTorch.

    Parameters
    ----------
    path : str or Path
        x.safetensors; with any other name, a file of ``torch.save(net.state_dict(), path)`` of PyTorch 1.6 or later

    Returns
    -------
    dict of name -> NumPy array

    Raises
    ------
    WeightsError
        if the file is absent, damaged, or holds anything but tensors. No code in the file is run.
    """
    if Path(path).suffix != '.safetensors':
        return read_torch(path)
    try:
        return safetensors.numpy.load_file(path)
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f'{path}: cannot be read: {error}') from error
