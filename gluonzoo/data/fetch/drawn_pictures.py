"""Drawn pictures as files."""
from tqdm import tqdm

from ...pictures.png import write_png

__all__ = ['write_drawn']


def write_drawn(folder, parts, unit, draw):
    """Writes drawn pictures as ``NAME/00000.png`` and so on, with a progress bar for each part. Returns the folder.

    Parameters
    ----------
    folder : Path
    parts : iterable of (name, first, count)
        a folder's name, and which pictures it has: those from the number `first` on
    unit : str
        what the progress bars count: 'faces'
    draw : function of (name, number) -> uint8 array [H, W, 3]
    """
    for name, first, count in parts:
        for index in tqdm(range(count), name, unit=f' {unit}'):
            write_png(folder / name / f'{index:05}.png', draw(name, first + index))
    return folder
