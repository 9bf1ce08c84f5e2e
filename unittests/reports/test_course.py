"""gluonzoo/reports/course.py: which charts a training has."""
import numpy as np

from gluonzoo.reports import course
from gluonzoo.reports.charts import COLORS
from gluonzoo.reports.history import Evaluation, History
from gluonzoo.tasks.curves import Curves

NAN = float('nan')


def history(losses=(), rates=(), *metrics):
    return History(dict(losses), dict(rates), [Evaluation(i, 10 * i, one) for i, one in enumerate(metrics, 1)], [])


def test_each_loss_has_a_chart_of_its_own():
    found, left = course.losses(history({'a': [(1, 2.0), (2, 1.0)], 'b': [(1, NAN)], 'c': [(1, 1.0)]}))
    assert [one.title for one in found] == ['a', 'c'] and left == 'no finite number: b'


def test_what_is_too_much_is_said():
    found, left = course.losses(history({f'loss {i}': [(1, 1.0)] for i in range(course.MOST + 3)}))
    assert len(found) == course.MOST and left == '3 more are in scalars.csv alone'


def test_rates_share_a_chart():
    found, = course.rates(history((), {'net': [(1, .1)], 'center': [(1, .05)]}))
    assert [line.name for line in found.lines] == ['net', 'center']
    assert course.rates(history()) == []


def test_metrics_of_a_kind_share_a_chart_and_the_main_metric_is_first():
    found, left = course.metrics(history((), (), {'data_wait': 0, 'AP/cat': .1, 'AP/dog': .3, 'mAP': .2, 'R/all': 1},
                                         {'data_wait': 0, 'AP/cat': .2, 'AP/dog': .4, 'mAP': .3, 'R/all': 1}),
                                 'mAP', best=20)
    assert [one.title for one in found] == ['mAP', 'AP', 'R/all', 'data_wait'] and left == ''
    assert [line.name for line in found[1].lines] == ['AP/cat', 'AP/dog']
    assert all(one.mark is not None for one in found)


def test_the_mean_of_many_classes():
    names = [f'AP/{i}' for i in range(COLORS + 1)]
    found, _ = course.metrics(history((), (), dict(zip(names, np.linspace(0, 1, len(names)))),
                                      {names[0]: .25, names[1]: .75}, dict.fromkeys(names, NAN)), None)
    line, = found[0].lines
    assert line.name == f'mean of {len(names)}' and line.band
    assert [said for *_, said in line.dots] == [f'{line.name}: 0.5 (step 10)', f'{line.name}: 0.5 (step 20)']


def test_an_epoch_without_a_metric_is_a_gap():
    found, _ = course.metrics(history((), (), {'F1': .1}, {}, {'F1': .2}), 'F1')
    assert found[0].lines[0].path.count('M') == 2


def test_curves():
    half = np.array([[.5, 1], [1, .5]])
    found, = course.curves_of({'of it': Curves('recall', 'precision', {'cat': half, 'none': np.zeros((0, 2))})})
    assert found.title == 'of it (precision)' and [line.name for line in found.lines] == ['cat']
    assert [text for _, text in found.x_ticks][::len(found.x_ticks) - 1] == ['0', '1']
    assert course.curves_of({}) == course.curves_of({'of it': Curves('x', 'y', {})}) == []


def test_of_many_curves_the_best_and_the_worst():
    lines = {str(height): np.array([[0, height], [1, height]]) / 100 for height in range(1, 31)}
    found, = course.curves_of({'precision': Curves('recall', 'precision', lines)})
    best, worst = [str(30 - i) for i in range(COLORS // 2)], [str(COLORS // 2 - i) for i in range(COLORS // 2)]
    assert [line.name for line in found.lines] == best + worst
    assert found.title == f'precision: {COLORS // 2} of the best and of the worst of 30'


def test_a_point_that_is_no_number_takes_no_area():
    lines = {str(height): np.array([[0, height], [1, height], [NAN, NAN]]) for height in range(1, COLORS + 2)}
    found, = course.curves_of({'precision': Curves('recall', 'precision', lines)})
    assert found.lines[0].name == str(COLORS + 1) and found.lines[-1].name == '1'


def test_long_curves_keep_their_ends():
    points = np.stack([np.linspace(0, 1, 5000), np.linspace(1, 0, 5000)], axis=1)
    found, = course.curves_of({'precision': Curves('recall', 'precision', {'cat': points})})
    assert found.lines[0].path.count('L') < 500
    assert found.lines[0].path.startswith(f'M{found.left:.1f} ') and found.lines[0].path.endswith(f'{found.bottom:.1f}')
