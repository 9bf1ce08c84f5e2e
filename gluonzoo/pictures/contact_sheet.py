"""Many pictures as one."""
import numpy as np

__all__ = ['contact_sheet']


def contact_sheet(images, columns=4, gap=4):
    """Images of one size side by side, row by row. List of uint8 [H, W, 3] -> uint8 [rows H + ..., columns W + ..., 3]

    Rows and columns are `gap` grey pixels apart. The rest of the last row is grey too.
    """
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        raise ValueError(f'images must be one or more, of one size: {sorted(shapes)}')
    height, width, _ = shapes.pop()
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 48, 'uint8')
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        sheet[y:y + height, x:x + width] = image
    return sheet
