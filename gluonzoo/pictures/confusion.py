"""A picture of which classes are taken for which."""
import numpy as np
from PIL import Image, ImageDraw

from .fonts import lettering

__all__ = ['draw_confusion']

NUMBERED, NAMED = 20, 40   # at most so many classes have numbers in their cells, and names
LETTERS = 14   # pixels high
LONGEST = 24   # letters of a name
SIDE = 900   # pixels, of many classes
LISTED = 10   # of the most frequent confusions
GAP = 8
WHITE, DARK = np.array([255, 255, 255]), np.array([8, 48, 107])   # told apart by everybody


def draw_confusion(counts, class_names):
    """A matrix: rows are true classes, columns the classes that pictures are taken for.

    A cell is the darker, the greater a part of its row it is: by the root of this part, so that rare confusions can be
    seen. Up to 20 classes have their counts in the cells, up to 40 their names beside them. Below are the most frequent
    confusions.

    Parameters
    ----------
    counts : int array [classes, classes]
    class_names : list of str

    Returns
    -------
    uint8 array [H, W, 3], RGB
    """
    classes = len(counts)
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = 44 if classes <= NUMBERED else 22 if classes <= NAMED else max(1, SIDE // classes)
    shades = (WHITE + np.sqrt(parts)[..., None] * (DARK - WHITE)).round().astype('uint8')
    matrix = Image.fromarray(shades.repeat(cell, 0).repeat(cell, 1))
    if classes <= NUMBERED:
        _write_numbers(matrix, counts, parts, cell)
    names = [_text(_short(name)) for name in class_names] if classes <= NAMED else []
    lines = [_text(line) for line in _confusions(counts, class_names)]
    left = max([name.width for name in names], default=0) + 3 * GAP + LETTERS   # with the title
    top = max([name.width for name in names], default=0) + 3 * GAP + LETTERS
    side = classes * cell
    width = max(left + side + GAP, *(line.width + 2 * GAP for line in lines), 0)
    picture = Image.new('RGB', (width, top + side + 2 * GAP + len(lines) * (LETTERS + GAP)), 'white')
    picture.paste(matrix, (left, top))
    ImageDraw.Draw(picture).rectangle((left - 1, top - 1, left + side, top + side), outline='black')
    picture.paste(_text('taken for'), (left, GAP))
    picture.paste(_text('true class').rotate(90, expand=True), (GAP, top))
    for place, name in enumerate(names):
        middle = place * cell + (cell - name.height) // 2
        picture.paste(name, (left - GAP - name.width, top + middle))
        turned = name.rotate(90, expand=True)
        picture.paste(turned, (left + middle, top - GAP - turned.height))
    for number, line in enumerate(lines):
        picture.paste(line, (GAP, top + side + GAP + number * (LETTERS + GAP)))
    return np.array(picture)


def _write_numbers(matrix, counts, parts, cell):
    draw = ImageDraw.Draw(matrix)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            font, text = lettering(_counted(count), LETTERS)
            draw.text((column * cell + cell // 2, row * cell + cell // 2), text, anchor='mm', font=font,
                      fill='white' if parts[row, column] > .3 else 'black')


def _counted(count):
    """A number of at most four letters: 12, 1200, 12k."""
    return str(count) if count < 10000 else f'{count / 1000:.0f}k' if count < 999500 else f'{count / 1e6:.0f}M'


def _confusions(counts, class_names):
    """The most frequent confusions in words, those with the greater part of their class first where equal."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    totals = counts.sum(axis=1)
    found = sorted(zip(*np.nonzero(wrong)), key=lambda place: (-wrong[place], totals[place[0]], place))[:LISTED]
    return [f'{_short(class_names[true])} taken for {_short(class_names[taken])}: {wrong[true, taken]} of '
            f'{totals[true]}' for true, taken in found]


def _short(name):
    return name if len(name) <= LONGEST else name[:LONGEST - 1] + '…'


def _text(words):
    """Words as a picture, black on white, LETTERS + some pixels high."""
    font, words = lettering(' '.join(words.split()) or ' ', LETTERS)   # one line, and not empty
    left, _, right, _ = font.getbbox(words)
    picture = Image.new('RGB', (max(1, right - left), LETTERS + 4), 'white')
    ImageDraw.Draw(picture).text((-left, (LETTERS + 4) // 2), words, anchor='lm', fill='black', font=font)
    return picture
