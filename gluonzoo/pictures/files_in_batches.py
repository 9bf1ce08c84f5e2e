"""Picture files, a few at a time, by how much memory they will take."""
from ..reading import FileError, open_ordinary
from .decode import MAX_BYTES, ImageError, image_size

__all__ = ['BATCH_PIXELS', 'files_in_batches', 'size_of_file']

BATCH_PIXELS = 1 << 26   # 200 MB decoded

_HEAD = 1 << 16   # bytes in which the header of most files is


def size_of_file(path):
    """(width, height) of a file's picture as a viewer shows it, from its header; None without a readable header.

    Raises FileError if it is no ordinary file, and OSError if it cannot be read.
    """
    with open_ordinary(path) as file:
        head = file.read(_HEAD)
        try:
            return image_size(head)
        except ImageError:
            try:
                return image_size(head + file.read(MAX_BYTES))
            except ImageError:
                return None


def files_in_batches(files, batch_size):
    """Yields lists of files that can be in memory together: `batch_size`, or fewer if their pictures are large.

    Parameters
    ----------
    files : sequence of tuples
        a path, and whatever belongs to it; all of them are yielded, also if they cannot be read
    batch_size : int

    Yields
    ------
    list of these tuples, whose pictures have at most ``BATCH_PIXELS`` pixels together, or a single one
    """
    batch, pixels = [], 0
    for file in files:
        try:
            width, height = size_of_file(file[0]) or (0, 0)   # whoever reads it will say why it cannot be read
        except (FileError, OSError):
            width = height = 0
        if batch and (len(batch) == batch_size or pixels + width * height > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append(file)
        pixels += width * height
    if batch:
        yield batch
