"""What datasets share: samples become arrays by a transform."""
from pathlib import Path

from .transforms import make_transform

__all__ = ['Dataset', 'one_file']


def one_file(path):
    """`path` as a Path. ValueError if it is a list or the like, as only pairs of pictures have."""
    if not isinstance(path, (str, Path)):
        raise ValueError(f'path: must be one file: {path!r}')
    return Path(path)


class Dataset:
    """A dataset of samples. Any number of threads may read from it.

    A subclass defines ``__len__`` and :meth:`sample`.

    Parameters
    ----------
    path
        where it is, for messages
    transform : dict or transform, optional
        see :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path
    transform
        or None
    arrays : tuple or None
        the shape of each array that :meth:`item` returns, or None for rows, as the transform has them. Without a
        transform it is None.
    skipped : dict
        record -> why it could not be read, filled by the :class:`~gluonzoo.data.Loader`
    """

    def __init__(self, path, transform=None):
        self.path = path
        self.transform = None if transform is None else make_transform(transform)
        self.arrays = None if transform is None else self.transform.arrays
        self.skipped = {}

    def sample(self, record):
        """What is in a record, as it is in the file. Raises RecordError if it cannot be read."""
        raise NotImplementedError

    def item(self, record, rng, out=None):
        """The arrays of one record after the transform.

        Parameters
        ----------
        record : int
        rng : numpy.random.Generator
            the only source of randomness
        out : tuple, optional
            float32 arrays to write to, and None for a new array; by default all arrays are new

        Returns
        -------
        tuple of NumPy float32 arrays, those that the transform tells

        Raises
        ------
        ValueError
            if there is no transform.

        Raises as :meth:`sample` does, too.
        """
        if self.transform is None:
            raise ValueError(f'{self.path}: this dataset was made without a transform, and gives samples only')
        return self.transform(self.sample(record), rng, (None,) * len(self.arrays) if out is None else out)
