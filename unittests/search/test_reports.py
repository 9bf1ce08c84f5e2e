"""gluonzoo/search/reports.py: the metric's values as they come."""
import os

import pytest

from gluonzoo.search.reports import Reports
from gluonzoo.train.scalars_csv import ScalarsCSV

EPOCH = '{0},loss,0.5\n{0},data_wait,0.25\n{0},acc,{1}\n{0},other,1\n'


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'scalars.csv'


def test_values_as_they_come(path):
    reports = Reports(path, 'acc')
    assert reports.read() == []
    path.write_text('step,name,value\n')
    assert reports.read() == []
    with path.open('a') as file:
        file.write(EPOCH.format(2, 0.1) + '3,loss,1\n4,data_wait,0.1\n4,ac')
    assert reports.read() == [.1]
    with path.open('a') as file:
        file.write('c,0.2')
    assert reports.read() == [.1]   # 0.2 may be the beginning of 0.25
    with path.open('a') as file:
        file.write('5\n')
    assert reports.read() == [.1, .25] == reports.read()


def test_a_loss_of_the_same_name_is_no_report(path):
    path.write_text('step,name,value\n1,loss,9\n2,loss,8\n2,data_wait,0\n2,loss,7\n3,loss,6\n4,loss,5\n4,data_wait,0\n'
                    '4,loss,4\n')
    assert Reports(path, 'loss').read() == [7, 4]


def test_a_file_that_is_replaced_is_read_from_the_beginning(path):
    reports = Reports(path, 'acc')
    path.write_text('step,name,value\n' + EPOCH.format(1, .1) + EPOCH.format(2, .2))
    assert reports.read() == [.1, .2]
    other = path.with_name('other')
    other.write_text('step,name,value\n' + EPOCH.format(1, .1) + EPOCH.format(2, .3) + EPOCH.format(3, .4))
    os.replace(other, path)
    assert reports.read() == [.1, .3, .4]
    path.write_text('step,name,value\n' + EPOCH.format(1, .5))   # the same file, cut off
    assert reports.read() == [.5]


def test_damaged_lines_and_other_things(path, tmp_path):
    path.write_bytes(b'nothing\n\xff\xfe\n1,data_wait,0\n1,acc,x\n1,acc\n"1,acc,2\n1,acc,nan\n')
    values = Reports(path, 'acc').read()
    assert len(values) == 1 and values[0] != values[0]
    assert Reports(tmp_path, 'acc').read() == []
    os.mkfifo(tmp_path / 'pipe')
    assert Reports(tmp_path / 'pipe', 'acc').read() == []


def test_a_name_with_commas_and_quotes(path):
    class Loop:
        run = type('Run', (), {'directory': path.parent})
        step = batch = 0

    writer = ScalarsCSV()
    writer.on_start(Loop)
    Loop.step = 5
    writer.on_epoch(Loop, 0, {'data_wait': .1, 'a,"b"': .75})
    assert Reports(path, 'a,"b"').read() == [.75]
