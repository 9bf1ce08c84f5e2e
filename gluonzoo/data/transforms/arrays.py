"""Where transforms write to, and pictures in -1..1 as the networks of generators have them."""
import numpy as np

__all__ = ['filled_up', 'in_unit_range']


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


def in_unit_range(image, out):
    """uint8 [H, W, C] -> out, float32 [C, H, W] in -1..1"""
    np.multiply(image.transpose(2, 0, 1), np.float32(1 / 127.5), out=out)
    out -= 1
