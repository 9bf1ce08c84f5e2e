"""gluonzoo/reports/history.py: which number of a scalars.csv is which."""
import pytest

from gluonzoo.reports.history import Evaluation, read_history

ROWS = '''step,name,value
1,loss,2.5
1,lr_net,0.1
2,loss,nan
2,lr_net,0.05
2,data_wait,0.01
2,top1,0.25
2,loss,9.0
3,loss,1.5
3,lr_net,0.05
3,data_wait,0.02
3,top1,0.5
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'scalars.csv'
    path.write_text(ROWS)
    return path


def test_losses_rates_and_evaluations_are_told_apart(file):
    """A metric may have the name of a loss: what follows data_wait in the same step is of the evaluation."""
    history = read_history(file)
    assert history.losses.keys() == {'loss'} and history.rates == {'net': [(1, .1), (2, .05), (3, .05)]}
    assert [step for step, _ in history.losses['loss']] == [1, 2, 3]
    assert history.losses['loss'][0][1] == 2.5 and history.losses['loss'][2][1] == 1.5
    assert history.evaluations == [Evaluation(1, 2, {'data_wait': .01, 'top1': .25, 'loss': 9.0}),
                                   Evaluation(2, 3, {'data_wait': .02, 'top1': .5})]
    assert history.notes == [] and history.steps == 3


def test_a_damaged_file_has_its_readable_rows_and_a_note(file):
    file.write_text(ROWS.replace('2,top1,0.25', '2,to\0p1'))
    history = read_history(file)
    assert history.evaluations[0].metrics == {'data_wait': .01, 'loss': 9.0} and len(history.losses['loss']) == 3
    assert history.notes == [f'scalars.csv is damaged; its readable lines are shown: {file}: line 7: must be a step, a '
                             'name and a value']


def test_no_file(tmp_path):
    history = read_history(tmp_path / 'scalars.csv')
    assert history[:3] == ({}, {}, []) and history.steps == 0
    assert history.notes == ['scalars.csv is not there: there are no numbers']
