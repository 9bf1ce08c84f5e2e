"""gluonzoo/pictures/fonts.py: a font that has the letters, or Latin ones in their place and a word about it."""
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from gluonzoo.pictures import fonts
from gluonzoo.pictures.drawn_boxes import draw_boxes
from gluonzoo.pictures.drawn_text import draw_lines
from gluonzoo.pictures.fonts import lettering

DEFAULT = 'DejaVuSans.ttf'


@pytest.fixture
def system(monkeypatch):
    """Sets which fonts the system has."""
    def has(*paths):
        fonts._font_with.cache_clear()
        monkeypatch.setattr(fonts, '_system_fonts', lambda: [str(path) for path in paths])

    yield has
    fonts._font_with.cache_clear()


def make_font(path, letters):
    """A font whose letters are all triangles."""
    pen = TTGlyphPen(None)
    for place in ((0, 0), (500, 900), (900, 0)):
        (pen.lineTo if pen.points else pen.moveTo)(place)
    pen.closePath()
    glyph = pen.glyph()
    names = ['.notdef', *(f'uni{ord(letter):04X}' for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:])})
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({'familyName': 'Triangles', 'styleName': 'Regular'})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


ACCENT = 'e\N{COMBINING ACUTE ACCENT}'


@pytest.mark.parametrize('text', ['cat 97%', 'Äpfel', 'кошка', 'γάτα', 'חתול', 'قط', f'caf{ACCENT}', ''])
def test_letters_of_the_usual_font(text, system):
    system()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        font, drawn = lettering(text, 20)
    assert font.path.endswith(DEFAULT) and font.size == 20
    assert drawn == text.replace(ACCENT, 'é')


def test_a_font_of_the_system_that_has_all_letters(system, tmp_path):
    (tmp_path / 'damaged.ttf').write_bytes(b'no font')
    system(tmp_path / 'damaged.ttf', tmp_path / 'absent.ttf', make_font(tmp_path / 'some.ttf', '猫'),
           make_font(tmp_path / 'all.ttf', '猫0123456789%'), make_font(tmp_path / 'more.ttf', '猫犬0123456789%'))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for text, name in (('猫', 'some.ttf'), ('猫 97%', 'all.ttf'), ('猫犬 97%', 'more.ttf'), ('cat 97%', DEFAULT)):
            font, drawn = lettering(text, 20)
            assert font.path.endswith(name) and drawn == text


@pytest.mark.parametrize('text, wanted', [
    ('猫 97%', 'U+732B 97%'), ('猫犬', 'U+732B U+72AC'), ('ネコ', 'neko'), ('ねこ a', 'neko a'),
    ('고양이 3', 'goyangi 3'), ('ｃａｔ', 'cat'), ('क्त', 'kata'), ('кот 猫', 'кот U+732B')])
def test_without_a_font_letters_are_spelled_and_it_says_so(text, wanted, system):
    system()
    with pytest.warns(RuntimeWarning, match='no font of this system has the letters .*: pictures show .*install'):
        font, drawn = lettering(text, 20)
    assert drawn == wanted and font.path.endswith(DEFAULT)
    assert fonts._has(font.path, set(drawn))   # none is drawn as a rectangle


def test_drawings_take_such_letters(system, tmp_path):
    """What is drawn of 猫 is not what is drawn of another letter that lacks."""
    system()
    image = np.full((200, 300, 3), 90, 'uint8')
    box = np.array([[50, 80, 250, 180]], 'float32'), np.array([.9]), np.array([0])
    with pytest.warns(RuntimeWarning):
        assert (draw_boxes(image, *box, ['猫']) != draw_boxes(image, *box, ['犬'])).any()
        assert (draw_lines(image, ['猫']) != draw_lines(image, ['犬'])).any()
        lines = draw_lines(image, ['猫'])
    np.testing.assert_array_equal(lines, draw_lines(image, ['U+732B']))
    system(make_font(tmp_path / 'some.ttf', '猫'))
    assert (draw_lines(image, ['猫']) != lines).any()
