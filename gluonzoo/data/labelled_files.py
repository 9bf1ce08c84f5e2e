"""What datasets share whose pictures are files of one class each."""
import os

from ..pictures.decode import ImageError, read_image
from .dataset import Dataset
from .labelled import Labelled
from .records import RecordError

__all__ = ['LabelledFiles']


class LabelledFiles(Dataset):
    """Pictures in files, each of one class. A subclass sets what is listed below.

    Its samples are :class:`Labelled`.

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str
    _files : list of str
        names of the pictures below `path`
    _labels : int array
        their classes
    """

    def __len__(self):
        return len(self._files)

    def sample(self, record):
        """The picture and the class of one record: :class:`Labelled`.

        Raises IndexError if there is no such record, and RecordError if the file cannot be read.
        """
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        try:
            return Labelled(read_image(self.path / self._files[record]), int(self._labels[record]), record)
        except (ImageError, OSError) as error:
            raise RecordError(f'record {record}: {error}') from error

    def identity(self):
        """Yields the class names, and of each file its name below the folder and its size in bytes."""
        yield '\n'.join(self.class_names).encode()
        for file in self._files:
            yield os.fsencode(file)
            try:
                yield b'%d' % os.stat(self.path / file).st_size
            except OSError:   # a link to nothing, which is skipped when it is to be read
                yield b'gone'
