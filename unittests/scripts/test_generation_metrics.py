"""scripts/generation_metrics.py: notes/generation_metrics.md has its tables, and they show what the page says."""
import contextlib
import io
import re
from pathlib import Path

import generation_metrics
import pytest

NOTE = Path(__file__).resolve().parents[2] / 'notes' / 'generation_metrics.md'


def numbers(text):
    return [float(word) for word in re.findall(r'-?\d+\.?\d*', text)]


@pytest.fixture(scope='module')
def printed():
    """What the script prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert generation_metrics.main() == 0
    return out.getvalue().strip()


@pytest.fixture(scope='module')
def rows(printed):
    """What a row begins with -> its numbers"""
    lines = [line for line in printed.splitlines() if re.search(r'\d$', line)]
    return {line[:30].strip(): numbers(line[30:]) for line in lines if line[0].isalpha()}


def test_the_page_has_these_tables(printed):
    """The last digits may be others where a processor adds up in another order."""
    blocks = re.findall(r'^```\n(.*?)\n```$', NOTE.read_text(), re.M | re.S)
    assert 'python scripts/generation_metrics.py' in blocks
    tables = printed.split('\n\n')
    assert len(tables) == 2
    for table in tables:
        title, *lines = table.splitlines()
        there, = (block.splitlines()[1:] for block in blocks if block.startswith(title))
        names, expected = ([re.split('  +', line.strip())[0] for line in each] for each in (there, lines))
        assert names == expected
        assert numbers('\n'.join(there)) == pytest.approx(numbers('\n'.join(lines)), rel=.01, abs=.02)


def test_what_the_page_says_of_pictures(rows):
    swd = {said: row[2] for said, row in rows.items()}
    assert len(rows) == 7
    assert abs(swd['brighter by 20'] - swd['none']) < .1 * swd['none']
    for said in set(rows) - {'none', 'brighter by 20'}:
        assert swd[said] > 1.2 * swd['none'], said
    blurred, none, one = (rows[said] for said in ('blurred', 'none', 'one of them all the time'))
    assert blurred[0] > 4 * none[0] and blurred[1] < 2 * none[1]   # the details are gone, the coarse is there
    assert one[3] == 1 and max(row[3] for said, row in rows.items() if row is not one) < .25


def test_what_the_page_says_of_counts():
    found = [row[:5] for row in generation_metrics.of_counts()]
    fids = [fid for _, fid, *_ in found]
    assert fids == sorted(fids, reverse=True) and fids[0] > 10 * fids[-1]
    for count, _, _, kid, deviation in found:
        assert abs(kid) < 3 * deviation / generation_metrics.DRAWS ** .5, count
