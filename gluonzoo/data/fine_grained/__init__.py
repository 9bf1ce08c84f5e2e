"""Fine-grained datasets: birds, aircraft, cars and dogs, in the form in which their authors give them."""
from pathlib import Path

from .aircraft import Aircraft
from .cars import Cars
from .cub import CUB
from .dogs import Dogs

__all__ = ['CUB', 'Aircraft', 'Cars', 'Dogs', 'dataset_kind']

KINDS = {'cub': CUB, 'aircraft': Aircraft, 'cars': Cars, 'dogs': Dogs}


def dataset_kind(path):
    """The name of the dataset that reads a folder, by the lists that are in it.

    Parameters
    ----------
    path : str or Path
        a folder

    Returns
    -------
    str
        'cub', 'aircraft', 'cars', 'dogs', or 'labelled_pictures' if it has none of their lists
    """
    return next((name for name, kind in KINDS.items() if kind.find(Path(path)) is not None), 'labelled_pictures')
