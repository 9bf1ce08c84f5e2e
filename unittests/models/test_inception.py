"""Inception v3's sizes."""
import pytest
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.inception import inception_v3_features
from gluonzoo.registry import get_model


def test_size():
    net = get_model('inception_v3')
    assert parameters(net) == 23_834_568 and multiply_adds(net, (1, 3, 299, 299)) == 5_713_216_096
    assert (net.classes, net.input_size) == (1000, 299)
    assert net.mean == net.std == (127.5, 127.5, 127.5)


@pytest.mark.parametrize('end, side, shape', [('mixed_6e', 299, (1, 768, 17, 17)), ('mixed_6e', 448, (1, 768, 26, 26)),
                                              ('mixed_7c', 299, (1, 2048, 8, 8)), ('mixed_7c', 448, (1, 2048, 12, 12)),
                                              ('mixed_7c', 75, (1, 2048, 1, 1))])
def test_features(end, side, shape):
    assert output_shapes(inception_v3_features(end), (1, 3, side, side)) == [shape]


def test_trunk_of_6e():
    assert parameters(inception_v3_features('mixed_6e')) == 8_965_856
