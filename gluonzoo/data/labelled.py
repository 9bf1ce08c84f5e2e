"""A picture and the class that it shows."""
from typing import NamedTuple

import numpy as np

__all__ = ['Labelled']


class Labelled(NamedTuple):
    """One picture and its class.

    image : NumPy uint8 [H, W, 3], RGB
    label : int, a class number from 0
    record : int, the number in the dataset
    """

    image: np.ndarray
    label: int
    record: int
