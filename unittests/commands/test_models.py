"""gluonzoo models: the table, which is that of the README."""
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from run_checks import check_error_is_one_line

import gluonzoo
from gluonzoo.commands.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def table():
    """Columns, and name -> row: dict of column -> text."""
    out = StringIO()
    with redirect_stdout(out):
        assert main(['models']) == 0
    columns, *rows = (re.split(r'  +', line) for line in out.getvalue().splitlines())
    return columns, {row[0]: dict(zip(columns, row)) for row in rows}


def test_every_model_has_a_row(table):
    columns, rows = table
    assert columns == ['name', 'parameters', 'task', 'recipe', 'official weights', 'page']
    assert list(rows) == gluonzoo.list_models() and all(row.keys() == set(columns) for row in rows.values())


@pytest.mark.parametrize('name, row', [
    ('dsod_pikachu', ['6,389,104', 'single_shot_detection', 'dsod', '-', 'notes/models/dsod.md']),
    ('ghost_centernet_0_5', ['843,980', 'keypoint_detection', 'centernet', '-', 'notes/models/centernet.md']),
    ('ghostnet_1_0', ['5,182,508', 'classification', 'imagenet', 'yes', 'notes/models/classification.md']),
    ('cifar_resnet32_sk', ['175,706', 'classification', 'cifar', '-', 'notes/models/classification.md']),
    ('patchgan', ['2,768,705', 'pix2pix', 'pix2pix', 'yes', 'notes/models/pix2pix.md'])])
def test_rows(table, name, row):
    assert list(table[1][name].values()) == [name, *row]


def test_pages_are_there(table):
    pages = {row['page'] for row in table[1].values()} - {'-'}
    assert len(pages) > 2 and all((ROOT / page).exists() for page in pages)


def test_the_readme_says_the_same_numbers(table):
    """Each in a row of its table that names the model, or the end of its name."""
    rows = [line for line in (ROOT / 'README.md').read_text().splitlines() if line.startswith('|')]
    for name, row in table[1].items():
        lines = [line for line in rows if row['parameters'] in line]
        assert any(word in line for line in lines for word in (name, name.partition('_')[0])), name


def test_some_of_them(capsys):
    assert main(['models', '--like', 'dsod']) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ['dsod300', 'dsod300_smallest', 'dsod_pikachu']


def test_none_of_them(capsys):
    check_error_is_one_line(['models', '--like', 'alex'], "gluonzoo models: --like: no model has 'alex' in its name; "
                            'there are centernet_hourglass104, ', capsys)
