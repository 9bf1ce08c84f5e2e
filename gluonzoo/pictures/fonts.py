"""Letters on pictures."""
from pathlib import Path

from PIL import ImageFont  # not OpenCV: its letters are ASCII, and thin

__all__ = ['font_of_size']


def font_of_size(size):
    """A font of many alphabets, its lines about `size` pixels high: PIL.ImageFont."""
    import matplotlib  # which brings the font; here, since it takes long

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')), size)
