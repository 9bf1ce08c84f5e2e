"""The map of names, in both directions."""
import numpy as np
import pytest

from gluonzoo.convert import NAME_MAPS, NameMap, Transform

RULES = [(r'^body\.(\d)\.', r'model.\1.'), (r'^model\.0\.', 'first.'), (r'\.inside(?=\.)', '.low')]
NAMES = {'body.0.weight': 'first.weight', 'body.1.gamma': 'model.1.weight', 'body.1.beta': 'model.1.bias',
         'body.1.running_mean': 'model.1.running_mean', 'body.2.alpha': 'model.2.weight',
         'body.3.inside.inside.bias': 'model.3.low.low.bias', 'gamma': 'weight', 'other.bias': 'other.bias'}


def test_rules_follow_each_other_and_leaves_need_none():
    name_map = NameMap(RULES)
    assert {name: name_map.official(name) for name in NAMES} == NAMES


def test_inverse():
    assert NameMap(RULES).inverse(NAMES) == {official: ours for ours, official in NAMES.items()}
    assert NameMap([]).inverse([]) == {}


@pytest.mark.parametrize('names', [('body.1.weight', 'body.1.gamma'), ('body.1.bias', 'model.1.beta')])
def test_two_of_ours_with_one_official_name(names):
    with pytest.raises(ValueError, match='rules: must not give {!r} and {!r} the same name: .model.1.'.format(*names)):
        NameMap(RULES).inverse(names)


def test_counters_are_beside_running_statistics():
    assert NameMap(RULES).counters(NAMES) == ['model.1.num_batches_tracked']
    assert NameMap([]).counters(['running_mean', 'running_var']) == ['num_batches_tracked']
    assert NameMap([]).counters(['a.gamma', 'a.my_running_mean']) == []


def test_unused_names_are_whole_names():
    name_map = NameMap([], unused=[r'head\..*', 'a.b'])
    assert [name for name in ('head.weight', 'my.head.weight', 'a.b', 'a.b.c', 'num_batches_tracked',
                              'bn.num_batches_tracked', 'my_num_batches_tracked') if not name_map.uses(name)] == [
        'head.weight', 'a.b', 'num_batches_tracked', 'bn.num_batches_tracked']


def test_transforms_undo_each_other():
    array = np.arange(6).reshape(2, 3)
    name_map = NameMap([], transforms={'a': Transform(lambda x: x.T[::-1], lambda x: x[::-1].T)})
    official = name_map.to_official('a', array)
    np.testing.assert_array_equal(official, [[3, 0], [4, 1], [5, 2]])
    np.testing.assert_array_equal(name_map.to_ours('a', official), array)
    assert name_map.official_shape('a', (2, 3)) == (3, 2) and name_map.official_shape('b', (2, 3)) == (2, 3)
    assert name_map.to_ours('b', array) is name_map.to_official('b', array) is array


def test_maps_are_of_models():
    import gluonzoo.models.centernet
    import gluonzoo.models.ghostnet
    import gluonzoo.models.unet
    assert set(NAME_MAPS) <= set(gluonzoo.list_models())
