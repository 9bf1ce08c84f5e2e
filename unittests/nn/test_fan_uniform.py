"""The first weights of WGAN-GP's networks: their range and their variance, worked out by hand."""
import mxnet as mx
import pytest

from gluonzoo.nn.fan_uniform import FanUniform


@pytest.mark.parametrize('gain, stride, shape, variance', [
    (2, 1, (100, 300), 2 / 400),                       # Glorot's, of a dense layer
    (4, 1, (64, 32, 3, 3), 4 / (96 * 9)),              # He's, of a convolution
    (4, 2, (64, 32, 5, 5), 4 / ((64 / 4 + 32) * 25)),  # 32 channels to 64, which have a quarter of the pixels
    (4, 2, (32, 64, 5, 5), 4 / ((32 / 4 + 64) * 25)),  # the transposed: 32 channels to 64, of four times the pixels
])
def test_range_and_variance(gain, stride, shape, variance):
    parameter = mx.gluon.Parameter('weight', shape=shape, init=FanUniform(gain, stride))
    mx.random.seed(3)
    parameter.initialize(default_init=mx.init.One())
    found = parameter.data().asnumpy()
    limit = (3 * variance) ** .5
    assert .999 * limit < found.max() <= 1.0001 * limit and .999 * limit < -found.min() <= 1.0001 * limit
    assert .97 * variance < found.var() < 1.03 * variance and abs(found.mean()) < .02 * limit
