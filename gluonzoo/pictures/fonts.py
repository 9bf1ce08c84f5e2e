"""Letters on pictures, of whatever alphabet."""
import re
import unicodedata
import warnings
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont  # not OpenCV: its letters are ASCII, and thin

__all__ = ['lettering']

_VIRAMA = 9   # a combining class of Unicode
_STYLES = re.compile('bold|italic|oblique|light|thin|black|mono|condensed', re.IGNORECASE)


def lettering(text, size):
    """The font for a text, and the text as it is to be drawn.

    The font is matplotlib's, which has Latin, Greek, Cyrillic and some other letters. If it lacks some, the font is the
    first one of the system that has all letters of the text. If there is none, the letters that matplotlib's lacks are
    spelled in Latin ones by their names in Unicode, or as U+ and their number, and a RuntimeWarning says so.

    Parameters
    ----------
    text : str
        one line
    size : int
        about how many pixels high the line is

    Returns
    -------
    (PIL.ImageFont, str)
    """
    text = unicodedata.normalize('NFC', text)   # fonts have letters with their accents rather than both alone
    letters = frozenset(letter for letter in text if unicodedata.category(letter)[0] not in 'CZ')   # what is seen
    path = _font_with(letters)
    if path is None:
        path = _default_font()
        text = _spelled(text, {letter for letter in letters if not _has(path, {letter})})
    return _font(path, size), text


@lru_cache(maxsize=64)
def _font(path, size):
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=4096)
def _font_with(letters):
    """The file of the first font with all these letters, or None."""
    if _has(_default_font(), letters):
        return _default_font()
    return next((path for path in _system_fonts() if _has(path, letters) and _can_be_drawn(path)), None)


@cache
def _default_font():
    import matplotlib  # here, since it takes long

    return str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf'))


@cache
def _system_fonts():
    """The files of the system's fonts, those of the usual style first."""
    from matplotlib.font_manager import findSystemFonts

    fonts = [path for path in findSystemFonts() if 'LastResort' not in path]   # which has a box for every letter
    return sorted(fonts, key=lambda path: (bool(_STYLES.search(path)), path))


def _has(path, letters):
    return bool(np.isin([ord(letter) for letter in letters], _codes(path)).all())


@cache
def _codes(path):
    """The numbers of the letters that a font has, an array; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return np.array(list(FT2Font(path).get_charmap()), np.uint32)
    except (OSError, RuntimeError, ValueError):
        return np.empty(0, np.uint32)


def _can_be_drawn(path):
    """False for fonts of coloured pictures, which have one size only."""
    try:
        ImageFont.truetype(path, 20)
    except OSError:
        return False
    return True


def _spelled(text, lacking):
    """The text, with these letters of it spelled in Latin ones."""
    spelling = {letter: _latin(letter) for letter in sorted(lacking)}
    warnings.warn(f'no font of this system has the letters {"".join(spelling)}: pictures show them as '
                  f'{" ".join(spelling.values())}; install a font that has them', RuntimeWarning, stacklevel=4)
    spelled = ''.join(spelling.get(letter, letter) for letter in text)
    return re.sub('(U[+][0-9A-F]+)(?=U[+])', r'\1 ', spelled)


def _latin(letter):
    if unicodedata.combining(letter) == _VIRAMA:   # which silences a vowel
        return ''
    plain = unicodedata.normalize('NFKD', letter)
    if plain.isascii():   # letters of full width, for example
        return plain
    found = re.fullmatch(r'.* (?:LETTER|SYLLABLE|SIGN) (?:.* )?([A-Z]+)', unicodedata.name(letter, ''))
    return found[1].lower() if found else f'U+{ord(letter):04X}'
