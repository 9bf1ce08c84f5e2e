"""gluonzoo/search/results.py"""
import csv
import math

import pytest

from gluonzoo.search.results import best_epoch, counts, short_names, table, values_of, write_csv


@pytest.fixture
def study(bench):
    """A complete trial, one that is given up, one that has failed, and one under way."""
    bench.lines = 'a.rate=choice(0.00012345678, 0.5)', 'a.name=choice(sgd, adam)', 'b.name=int(1, 3) if a.name==sgd'
    study = bench.study()
    asked = [study.ask() for _ in range(4)]
    for epoch, value in enumerate([.25, .75, math.nan, .75]):
        study.report(asked[0], epoch, value)
    study.complete(asked[0], .75)
    study.report(asked[1], 0, .125)
    study.prune(asked[1])
    study.fail(asked[2], 'no memory, "alas"')
    return study


@pytest.mark.parametrize('paths, names', [
    (['fit.batch_size', 'task.optimizer.learning_rate'], ['batch_size', 'learning_rate']),
    (['task.optimizer.name', 'task.net.name', 'name'], ['optimizer.name', 'net.name', 'name']),
    (['a.b', 'c.a.b', 'x.b'], ['a.b', 'c.a.b', 'x.b']), (['a.b_c', 'a.c'], ['b_c', 'c']), (['a'], ['a'])])
def test_short_names(paths, names):
    assert short_names(paths) == names


def test_counts(study):
    assert counts(study.trials()) == '4 trial(s): 1 complete, 1 given up, 1 failed, 1 under way'
    assert counts([]) == '0 trial(s)'


@pytest.mark.parametrize('sign, epoch', [(1, 2), (-1, 1)])
def test_best_epoch(study, sign, epoch):
    assert best_epoch(study.trials()[0], sign) == epoch


def test_table(bench, study):
    head, row = table(study, bench.space, 'acc')
    assert head.split() == ['trial', 'acc', 'epoch', 'rate', 'a.name', 'b.name']
    values = values_of(bench.space, study.trials()[0])
    rate = {0.5: '0.5', 0.00012345678: '0.0001235'}[values['a.rate']]
    assert row.split() == ['0', '0.75', '2', rate, f'"{values["a.name"]}"', str(values.get('b.name', '-'))]
    for start in (head.index(name) for name in ('acc', 'epoch', 'rate', 'a.name', 'b.name')):   # columns
        assert row[start] != ' ' and row[start - 1] == ' '


def test_the_table_has_ten_rows_and_the_best_first(bench):
    study = bench.study()
    for value in range(12):
        study.complete(study.ask(), value)
    assert [line.split()[1] for line in table_of(study, bench)] == [str(value) for value in range(11, 1, -1)]


def table_of(study, bench):
    for trial in study.best():   # which need epochs
        trial.intermediate_values[0] = trial.value
    return table(study, bench.space, 'acc')[1:]


def test_write_csv(bench, study, tmp_path):
    write_csv(tmp_path / 'trials.csv', study, bench.space)
    with open(tmp_path / 'trials.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['trial'], row['state'], row['value'], row['epochs'], row['failure']) for row in rows] == [
        ('0', 'complete', '0.75', '4', ''), ('1', 'given up', '0.125', '1', ''),
        ('2', 'failed', '', '0', 'no memory, "alas"'), ('3', 'under way', '', '0', '')]
    values = [values_of(bench.space, trial) for trial in study.trials()]
    for row, there in zip(rows[:3], values):
        assert float(row['a.rate']) == there['a.rate'] and row['a.name'] == f'"{there["a.name"]}"'
        assert row['b.name'] == str(there.get('b.name', '')) and float(row['seconds']) >= 0
    assert rows[3]['a.rate'] == rows[3]['seconds'] == ''
