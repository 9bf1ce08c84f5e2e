"""Where transforms write to."""
import numpy as np

__all__ = ['filled_up']


def filled_up(out, shapes):
    """`out` with a new float32 array for each None in it that has a shape.

    Parameters
    ----------
    out : tuple of float32 arrays and None
    shapes : tuple of shapes and None
        ``arrays`` of a transform; as many
    """
    return tuple(np.empty(shape, np.float32) if array is None and shape is not None else array
                 for array, shape in zip(out, shapes))
