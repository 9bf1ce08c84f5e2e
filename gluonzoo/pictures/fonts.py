"""Letters on pictures."""
import unicodedata
import warnings
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont  # not OpenCV: its letters are ASCII, and thin

__all__ = ['font_and_text']


def font_and_text(text, size):
    """A font for a text, its lines about `size` pixels high, and the text as that font can draw it.

    The font is DejaVu Sans, which has many alphabets, or else the first font of the system that has all letters of the
    text. Where there is none, accents are left out and other letters become their numbers, as U+732B; a RuntimeWarning
    says so.

    str, int -> (PIL.ImageFont, str)
    """
    path, drawn = _choice(text)
    return _font(path, size), drawn


@lru_cache(maxsize=4096)
def _choice(text):
    """The path of a font, and the text for it."""
    usual = _usual()
    if not _lacks(usual, text):
        return usual, text
    for path in _system_fonts():
        if not _lacks(path, text):
            return path, text
    lacks = _lacks(usual, text)
    drawn = ''.join(_other_spelling(letter) if letter in lacks else letter for letter in text)
    instead = ' '.join(map(_other_spelling, sorted(lacks)[:20]))
    warnings.warn(f'no font of this system has the letters {"".join(sorted(lacks)[:20])!r}: drawn as {instead}; '
                  'install a font that has them, such as Noto Sans CJK', RuntimeWarning, stacklevel=4)
    return usual, drawn


def _other_spelling(letter):
    usual = _usual()
    plain = ''.join(part for part in unicodedata.normalize('NFKD', letter) if not unicodedata.combining(part))
    return plain if plain and not _lacks(usual, plain) else f'U+{ord(letter):04X}'


def _lacks(path, text):
    """The letters of a text that a font does not have."""
    return set(text) - _letters(path)


@cache
def _letters(path):
    from matplotlib.ft2font import FT2Font  # here, since it takes long

    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):   # a damaged font, or of a kind that FreeType does not know
        return frozenset()


@cache
def _font(path, size):
    return ImageFont.truetype(path, size)


@cache
def _usual():
    import matplotlib  # which brings the font; here, since it takes long

    return str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf'))


@cache
def _system_fonts():
    from matplotlib.font_manager import findSystemFonts

    # The font of last resort has a box for every letter.
    return sorted(path for path in findSystemFonts() if 'LastResort' not in path)
