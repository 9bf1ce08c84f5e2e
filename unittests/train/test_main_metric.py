"""Which of two trained networks is better: the direction of a metric."""
from types import SimpleNamespace

import pytest

from gluonzoo.train.main_metric import name_and_sign


@pytest.mark.parametrize('direction, sign', [('max', 1), ('min', -1)])
def test_name_and_sign(direction, sign):
    for pair in (('L1', direction), ['L1', direction]):
        assert name_and_sign(SimpleNamespace(main_metric=pair)) == ('L1', sign)


@pytest.mark.parametrize('main_metric', [None, 3, 'L1', ('L1',), ('L1', 'less'), ('L1', None), ('L1', ['min']),
                                         ('L1', 'min', 1)])
def test_what_is_none(main_metric):
    with pytest.raises(ValueError, match="main_metric: must be a name with 'max' or 'min': "):
        name_and_sign(SimpleNamespace(main_metric=main_metric))
