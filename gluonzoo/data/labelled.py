"""A picture and the class that it shows."""
import warnings
from typing import NamedTuple

import numpy as np

__all__ = ['Labelled', 'named', 'require_every_class']

SHOWN = 5   # names in a message


class Labelled(NamedTuple):
    """One picture and its class.

    image : NumPy uint8 [H, W, 3], RGB
    label : int, a class number from 0
    record : int, the number in the dataset
    """

    image: np.ndarray
    label: int
    record: int


def require_every_class(path, class_names, labels, given):
    """ValueError if a class has no pictures; a RuntimeWarning where the classes are `given`, as those of a training.

    Parameters
    ----------
    path : Path
        of the dataset, for the message
    class_names : list of str
    labels : int array
        of all pictures
    given : bool
    """
    counts = np.bincount(labels, minlength=len(class_names))
    empty = [name for name, count in zip(class_names, counts) if not count]
    if empty:
        said = f'{path}: {len(empty)} of {len(counts)} classes have no pictures: {named(empty)}'
        if not given:
            raise ValueError(f'{said}; put some in, or remove the classes')
        warnings.warn(said, RuntimeWarning, stacklevel=4)


def named(names):
    """The first names of a list in words, and how many more there are."""
    return ', '.join(map(str, names[:SHOWN])) + f' and {len(names) - SHOWN} more' * (len(names) > SHOWN)
