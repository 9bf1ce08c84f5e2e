"""gluonzoo/train/shown_metrics.py"""
import math

from gluonzoo.train.shown_metrics import in_a_line, table

FEW = {'data_wait': .01, 'AP/cat': .25, 'AP/dog': .5, 'mAP': .375}


def test_the_main_metric_comes_first():
    assert in_a_line(FEW, 'mAP') == 'mAP 0.375, data_wait 0.01, AP/cat 0.25, AP/dog 0.5'
    assert table(FEW, 'mAP') == ['  mAP                  0.3750', '  data_wait            0.0100',
                                 '  AP/cat               0.2500', '  AP/dog               0.5000']


def test_a_thousand_classes():
    many = {**{f'AP/class {number}': number / 1000 for number in range(1000)}, 'AP/nowhere': math.nan, 'mAP': .5}
    assert in_a_line(many, 'mAP') == 'mAP 0.5, AP/ of 1001 0 to 0.999'
    lines = table(many, 'mAP')
    assert len(lines) == 1002 and lines[1] == '  AP/class 0           0.0000'
    assert in_a_line({f'AP/{name}': math.nan for name in 'abcdef'}, 'mAP') == 'AP/ of 6 nan to nan'


def test_long_names_stay_in_their_column():
    lines = table({'AP/a very long name of a class': 1, 'mAP': .5}, 'mAP')
    assert [line.rindex(' ') for line in lines] == [32, 32] and lines[0].startswith('  mAP ')
    assert table({}, 'mAP') == [] and in_a_line({}, 'mAP') == ''
