"""A picture with words in its corner."""
import numpy as np
from PIL import Image, ImageDraw

from .fonts import lettering

__all__ = ['draw_lines']


def draw_lines(image, lines):
    """A copy of `image` with lines of text in its top left corner, white on black. Letters grow with the image.

    uint8 [H, W, 3], list of str -> uint8 [H, W, 3]
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    size = max(10, round(min(image.shape[:2]) / 16))
    y = 0
    for line in lines:
        font, line = lettering(line, size)
        left, top, right, bottom = font.getbbox(line)
        draw.rectangle((0, y, right - left + 7, y + bottom - top + 7), fill='black')
        draw.text((4 - left, y + 4 - top), line, fill='white', font=font)
        y += bottom - top + 8
    return np.array(picture)
