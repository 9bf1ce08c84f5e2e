"""What scores are worth: by hand, and with the gradients that lead the right way."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.tasks.adversarial.objectives import OBJECTIVES


@pytest.mark.parametrize('objective, on_real, on_fake', [
    ('vanilla', np.mean(np.log1p(np.exp([-1., 2.]))), np.mean(np.log1p(np.exp([1., -2.])))),
    ('lsgan', (0 + 9) / 2, (1 + 4) / 2),
    ('wgan', .5, -.5),
])
def test_by_hand(objective, on_real, on_fake):
    """Of the scores 1 and -2."""
    measure = OBJECTIVES[objective]
    scores = mx.nd.array([1, -2]).reshape((1, 1, 1, 2))
    assert measure(scores, 1).shape == (1,)
    assert measure(scores, 1).asscalar() == pytest.approx(on_real, rel=1e-5)
    assert measure(scores, 0).asscalar() == pytest.approx(on_fake, rel=1e-5)


@pytest.mark.parametrize('objective', sorted(OBJECTIVES))
@pytest.mark.parametrize('shape', [(3,), (2, 1), (2, 1, 3, 5)])
def test_gradient(objective, shape):
    """Downwards, scores of real pictures rise and those of made ones fall: of all images and cells alike."""
    for real in (1, 0):
        scores = mx.nd.full(shape, .5)
        scores.attach_grad()
        with autograd.record():
            loss = OBJECTIVES[objective](scores, real)
        loss.backward()
        gradient = scores.grad.asnumpy()
        assert (gradient < 0).all() if real else (gradient > 0).all()
        np.testing.assert_allclose(gradient, gradient.flat[0], rtol=1e-6)


def test_scores_far_out_are_finite():
    for objective in OBJECTIVES.values():
        for real in (0, 1):
            assert np.isfinite(objective(mx.nd.array([-1e4, 1e4]), real).asscalar())
