"""Whether an array is a set of pictures that a metric can measure."""
import numpy as np

__all__ = ['check_set', 'halvings']


def check_set(name, pictures, least):
    """ValueError unless it is a uint8 array [N, H, W, 3] of at least `least` pictures.

    Parameters
    ----------
    name : str
        of the argument, for the message
    pictures : array
    least : int
    """
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8 or pictures.ndim != 4 \
            or pictures.shape[3] != 3 or not all(pictures.shape[1:]):
        raise ValueError(f'{name}: must be a uint8 array [N, H, W, 3]: '
                         f'{getattr(pictures, "dtype", type(pictures).__name__)} {getattr(pictures, "shape", "")}')
    if len(pictures) < least:
        raise ValueError(f'{name}: must be at least {least} pictures: {len(pictures)}')


def halvings(name, pictures, count):
    """ValueError unless both sides of the pictures can be halved so many times."""
    height, width = pictures.shape[1:3]
    if height % 2 ** count or width % 2 ** count:
        raise ValueError(f'{name}: both sides must be multiples of {2 ** count} pixels, to be halved {count} '
                         f'time{"s" * (count > 1)}: {height} x {width}')
