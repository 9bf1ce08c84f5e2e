"""Losses of Modules become what they predict."""
import mxnet as mx
import pytest
from numpy.testing import assert_allclose

from gluonzoo.graph.losses import predictions_for_losses, require_known_axis

OUTPUTS = {
    'softmax': lambda x, y: mx.sym.SoftmaxOutput(x, y),
    'softmax of channels': lambda x, y: mx.sym.SoftmaxOutput(x, y, multi_output=True),
    'softmax of channels by lower case': lambda x, y: mx.sym.SoftmaxOutput(x, y, multi_output='true'),
    'softmax of the last axis': lambda x, y: mx.sym.SoftmaxOutput(x, y, preserve_shape=True),
    'linear': lambda x, y: mx.sym.LinearRegressionOutput(x, y),
    'logistic': lambda x, y: mx.sym.LogisticRegressionOutput(x, y),
    'absolute': lambda x, y: mx.sym.MAERegressionOutput(x, y),
    'margin': lambda x, y: mx.sym.SVMOutput(x, y),
}


@pytest.mark.parametrize('kind', OUTPUTS)
def test_predictions(kind):
    shape = (2, 3, 4) if ' of ' in kind else (2, 3)
    label = {'softmax of channels': (2, 4), 'softmax of channels by lower case': (2, 4),
             'softmax of the last axis': (2, 3)}.get(kind, (2,) if kind in ('softmax', 'margin') else shape)
    x = mx.nd.random.normal(shape=shape)
    symbol = OUTPUTS[kind](mx.sym.var('x'), mx.sym.var('y'))
    wanted = symbol.bind(mx.cpu(), {'x': x, 'y': mx.nd.zeros(label)}).forward()[0]
    found = predictions_for_losses(symbol)
    assert found.list_arguments() == ['x'] and found.list_outputs() == symbol.list_outputs()
    assert_allclose(found.bind(mx.cpu(), {'x': x}).forward()[0].asnumpy(), wanted.asnumpy(), 1e-6)


def test_a_loss_that_is_made():
    symbol = mx.sym.MakeLoss(mx.sym.square(mx.sym.var('x')), grad_scale=3)
    found = predictions_for_losses(symbol)
    assert found.bind(mx.cpu(), {'x': mx.nd.array([2, 3])}).forward()[0].asnumpy().tolist() == [4, 9]


@pytest.mark.parametrize('shape, attributes, good', [
    ((2, 3), {}, True), ((2, 3, 4), {}, False), ((2, 3, 4, 5), {}, False), ((2, 3, 4), {'multi_output': True}, True),
    ((2, 3, 4), {'preserve_shape': '1'}, True)])
def test_an_axis_that_is_not_said(shape, attributes, good):
    """MXNet takes all axes but the first of (2, 3, 4), and of (2, 3, 4, 5) the last one, if it has oneDNN."""
    symbol = mx.sym.SoftmaxOutput(mx.sym.var('x'), mx.sym.var('y'), name='end', **attributes)
    found = predictions_for_losses(symbol)
    if good:
        require_known_axis(symbol, found, {'x': shape})
    else:
        with pytest.raises(ValueError, match=r"layer 'end': a SoftmaxOutput of the shape \(2, 3, 4"):
            require_known_axis(symbol, found, {'x': shape})
