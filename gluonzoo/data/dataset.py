"""What datasets share: samples become arrays by a transform."""
import hashlib
from pathlib import Path

from .transforms import make_transform

__all__ = ['CARD', 'Dataset', 'counted', 'fingerprint', 'left_out', 'one_file']

CARD = 'dataset.json'   # in a folder that gluonzoo data has made, the file that says what the folder holds


def one_file(path):
    """`path` as a Path. ValueError if it is a list or the like, as only pairs of pictures have."""
    if not isinstance(path, (str, Path)):
        raise ValueError(f'path: must be one file: {path!r}')
    return Path(path)


def left_out(dataset):
    """What of a dataset has been left out up to now, for people to read: a list of lines, often empty.

    `dataset` may be any that a :class:`~gluonzoo.data.Loader` takes.
    """
    lines, path = [], getattr(dataset, 'path', 'the data')
    dropped, skipped = getattr(dataset, 'dropped', {}), getattr(dataset, 'skipped', {})
    if dropped:
        lines.append(f'{path}: objects left out: {counted(dropped)}')
    if skipped:
        lines.append(f'{path}: {len(skipped)} of {len(dataset)} records cannot be read and are left out; the first: '
                     f'{next(iter(skipped.values()))}')
    return lines


def fingerprint(dataset):
    """:meth:`Dataset.fingerprint` of a dataset; None for one of a user's own that has no such method."""
    return dataset.fingerprint() if hasattr(dataset, 'fingerprint') else None


def counted(reasons):
    """A dict of reason -> count in words: 'one reason 3, other reason 1'."""
    return ', '.join(f'{reason} {count}' for reason, count in sorted(reasons.items()) if count)


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
    dropped : dict
        reason -> how many objects are left out for it. Commands show it, see :func:`left_out`.
    """

    def __init__(self, path, transform=None):
        self.path = path
        self.transform = None if transform is None else make_transform(transform)
        self.arrays = None if transform is None else self.transform.arrays
        self.skipped, self.dropped = {}, {}

    @classmethod
    def in_folder(cls, folder, split):
        """Where a part of a dataset is in a folder that ``gluonzoo train`` takes.

        Parameters
        ----------
        folder : Path
        split : 'train' or 'val'

        Returns
        -------
        dict
            keywords of this class: the path, and what else says where the data are

        Raises
        ------
        OSError
            if it is not there.
        ValueError
            if it is not clear what is meant.
        NotImplementedError
            if this class knows of no such folders.
        """
        raise NotImplementedError

    def sample(self, record):
        """What is in a record, as it is in the file. Raises RecordError if it cannot be read."""
        raise NotImplementedError

    def fingerprint(self):
        """What tells these data from others, wherever they are: for a run that goes on with data that have moved.

        It is made of the index, the names and the annotations, without reading the pictures.

        Returns
        -------
        dict, or None if :meth:`identity` yields nothing
            'count': how many records there are; 'sha256': 64 hexadecimal digits of what :meth:`identity` yields

        Raises OSError if the files are no longer there.
        """
        digest, known = hashlib.sha256(), False
        for part in self.identity():
            known = True
            digest.update(f'{len(part)}:'.encode())   # so that 'ab', 'c' is not 'a', 'bc'
            digest.update(part)
        return {'count': len(self), 'sha256': digest.hexdigest()} if known else None

    def identity(self):
        """Yields bytes for :meth:`fingerprint`: the same for the same data elsewhere, cheap to read. Data of a subclass
        that yields none are known by their place alone.
        """
        return iter(())

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
