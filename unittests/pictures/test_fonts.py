"""Letters on pictures: of the usual font, of another of the system, or spelled otherwise with a word."""
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from gluonzoo.pictures import fonts
from gluonzoo.pictures.drawn_boxes import draw_boxes
from gluonzoo.pictures.drawn_text import draw_lines
from gluonzoo.pictures.fonts import font_and_text

FONTS = Path(matplotlib.get_data_path(), 'fonts/ttf')


@pytest.fixture
def system(monkeypatch):
    """The fonts of the system: a list to be filled."""
    found = []
    monkeypatch.setattr(fonts, '_system_fonts', lambda: found)
    fonts._choice.cache_clear()
    yield found
    fonts._choice.cache_clear()


@pytest.mark.parametrize('text', ['cat 90%', 'Straße', 'кошка', 'γάτα', 'café'])
def test_the_usual_font_has_many_alphabets(system, text):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        font, drawn = font_and_text(text, 20)
    assert drawn == text and font.path.endswith('DejaVuSans.ttf')


def test_another_font_of_the_system_has_the_letters(system):
    other = str(FONTS / 'STIXGeneral.ttf')
    letter = min(letter for letter in fonts._letters(other) - fonts._letters(fonts._usual()) if letter.isprintable())
    system += [str(FONTS / 'DejaVuSansMono.ttf'), other]
    font, drawn = font_and_text(f'a{letter}', 20)
    assert drawn == f'a{letter}' and font.path == other


def test_without_a_font_letters_are_numbers_and_a_warning_says_so(system, tmp_path):
    (tmp_path / 'damaged.ttf').write_bytes(b'no font')
    system.append(str(tmp_path / 'damaged.ttf'))
    with pytest.warns(RuntimeWarning, match="no font of this system has the letters '猫': drawn as U[+]732B; "):
        assert font_and_text('猫 x', 20)[1] == 'U+732B x'
    with pytest.warns(RuntimeWarning):
        assert font_and_text('ｃａｔ', 20)[1] == 'cat'   # the wide forms of the same letters


@pytest.mark.filterwarnings('ignore:no font')
def test_names_that_differ_are_drawn_differently(system):
    image = np.full((200, 300, 3), 90, 'uint8')
    found = np.array([[50, 80, 150, 180]], 'float32'), np.array([.9]), np.array([0])
    boxes = {draw_boxes(image, *found, [name]).tobytes() for name in ('猫', '犬', '鳥')}
    lines = {draw_lines(image, [name]).tobytes() for name in ('猫', '犬', '鳥')}
    assert len(boxes) == len(lines) == 3
