"""gluonzoo/reports/texts.py"""
import pytest
from markupsafe import Markup

from gluonzoo.reports.texts import number, readable, shortened


@pytest.mark.parametrize('text, said', [
    ('Grüße, 猫\n<b>', 'Grüße, 猫\n<b>'), ('\0a\x1b[31m\u202eb', r'\x00a\x1b[31m\u202eb'), ('\ud800', r'\ud800'),
    (Markup('\x1b'), Markup('\x1b')), (3, 3), (None, None)])
def test_readable(text, said):
    assert readable(text) == said


def test_shortened():
    assert shortened('abc', 3) == 'abc' and shortened('abcd', 3) == 'abc … (4 letters)' and shortened([1], 9) == '[1]'


@pytest.mark.parametrize('value, said', [
    (0.123456, '0.1235'), (1e-9, '1e-09'), (12, '12'), (float('nan'), 'not a number'), (float('-inf'), '-inf')])
def test_number(value, said):
    assert number(value) == said
