"""Pictures with words about them, side by side."""
import numpy as np

from .contact_sheet import contact_sheet
from .drawn_text import draw_lines
from .resize import resize

__all__ = ['labelled_sheet']


def labelled_sheet(images, words, tile=192, columns=6):
    """Pictures of any sizes as tiles of one size, each with its lines of words in the corner.

    A picture is made as large as the tile allows, whatever its size, and keeps its aspect ratio; the rest of the tile
    is grey. Without a picture, the sheet is one grey tile.

    Parameters
    ----------
    images : sequence of uint8 arrays [H, W, 3]
    words : sequence of lists of str
    tile : int
        pixels
    columns : int

    Returns
    -------
    uint8 array [H, W, 3]
    """
    tiles = [draw_lines(_fitted(image, tile), lines) for image, lines in zip(images, words)]
    return contact_sheet(tiles or [_grey(tile)], columns)


def _fitted(image, tile):
    height, width = image.shape[:2]
    scale = tile / max(height, width)
    height, width = (min(tile, max(1, round(scale * side))) for side in (height, width))
    fitted, top, left = _grey(tile), (tile - height) // 2, (tile - width) // 2
    fitted[top:top + height, left:left + width] = resize(image, width, height)
    return fitted


def _grey(tile):
    return np.full((tile, tile, 3), 48, 'uint8')
