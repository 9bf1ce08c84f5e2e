"""What happens to a sample between the file and the network, by name, so that a settings file can hold it.

A transform makes float32 arrays of a sample. Its attribute ``arrays`` is a tuple with the shape of each array; None
stands for rows [n, k] of any n. A transform is called with

- a sample, what the dataset's ``sample`` returns;
- a numpy.random.Generator, the only source of randomness;
- `out`, a tuple with an array to write to for each of its arrays, or None for a new array. Rows are always new.

and returns the tuple of its arrays. Several threads may call it at a time.
"""
from ...registry import TRANSFORMS

__all__ = ['make_transform']


def make_transform(spec):
    """A transform from a dict of its name and keywords.

    Parameters
    ----------
    spec : dict or transform
        such as ``{'name': 'resize', 'size': 300, 'mean': [123, 117, 104], 'std': [1, 1, 1]}``. A transform is returned
        as it is.

    Raises
    ------
    ValueError
        for an unknown name or keyword, naming the near ones, and for values out of range.
    """
    if callable(spec) and hasattr(spec, 'arrays'):
        return spec
    return TRANSFORMS.make(spec, 'transform')


from . import (  # noqa: E402, F401  (registers their transforms)
    classification,
    darknet,
    fine_grained,
    keypoints,
    pairs,
    pictures,
    ssd,
    unpaired,
)
