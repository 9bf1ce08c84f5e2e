"""Views that attention maps choose, beside their twin in PyTorch."""
import mxnet as mx
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from torch_twins import wsdan_views as twin  # noqa: E402

from gluonzoo.tasks.fine_grained.attention_views import (  # noqa: E402
    AttentionBox,
    AttentionCrop,
    AttentionDrop,
    RefinedView,
    TrainingViews,
)
from gluonzoo.tasks.fine_grained.two_stage import TwoStage  # noqa: E402

SIZES = [(14, 14, 448, 448, 4), (7, 7, 96, 96, 50), (6, 9, 64, 128, 50), (26, 26, 112, 112, 50)]


def make(h, w, height, width, count, maps=4):
    rng = np.random.default_rng(height)
    attention = np.maximum(rng.normal(size=(count, maps, h, w)), 0) ** 3
    return rng.random((count, 3, height, width)).astype('float32'), attention.astype('float32')


def in_torch(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def in_mxnet(*arrays):
    return [mx.nd.array(array) for array in arrays]


def close(ours, others):
    # A place is rounded by some 1e-5 pixels, and neighbours differ by up to 1.
    np.testing.assert_allclose(ours.asnumpy(), others.numpy(), rtol=0, atol=6e-5)


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_box_crop_and_drop(size):
    images, attention = make(*size)
    chosen, thetas = attention[:, 0], np.random.default_rng(0).uniform(.2, .6, len(images)).astype('float32')
    ours = in_mxnet(images, chosen[:, None], thetas.reshape(-1, 1, 1, 1))
    crops, boxes = twin.attention_crops(*in_torch(images, chosen, thetas), .1)
    found = AttentionBox(.1)(ours[1], ours[2], ours[0])
    np.testing.assert_array_equal(found.asnumpy(), boxes)
    close(AttentionCrop()(ours[0], found), crops)
    drops = twin.attention_drops(*in_torch(images, chosen, thetas)).numpy()
    wrong = (AttentionDrop()(*ours).asnumpy() != drops).any(axis=1).mean()   # of the pixels, by rounding
    assert wrong < 1e-5 and (drops == 0).mean() > .005


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_the_views_of_a_step(size, monkeypatch):
    """With what the twin draws."""
    images, attention = make(*size)
    torch.manual_seed(0)
    drawn = twin.draw(torch.from_numpy(attention))
    numbers, *thetas = (mx.nd.array(part.numpy()) for part in drawn)
    by_range = dict(zip([(.4, .6), (.2, .5)], thetas))
    monkeypatch.setattr(mx.nd, 'sample_multinomial', lambda weights, shape: numbers)
    monkeypatch.setattr(mx.nd.random, 'uniform_like', lambda like, *ends: by_range[ends].reshape(like.shape))
    crops, drops = TrainingViews()(*in_mxnet(images, attention))
    wanted = twin.training_views(*in_torch(images, attention), *drawn)
    close(crops, wanted[0])
    assert (drops.asnumpy() != wanted[1].numpy()).any(axis=1).mean() < 1e-5


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_refined_view(size):
    images, attention = make(*size)
    crops, boxes = twin.refined_view(*in_torch(images, attention ** 2))
    ours = RefinedView()(*in_mxnet(images, attention ** 2))
    np.testing.assert_array_equal(ours[1].asnumpy(), boxes)
    close(ours[0], crops)


def test_two_stages():
    """Of a network that is the same function on both sides."""
    class Means(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, images):
            attention = F.Pooling(F.relu(images), pool_type='max', kernel=(4, 4), stride=(4, 4))
            logits = F.mean(images, axis=(2, 3)) * 3
            return logits, logits, attention

    def means(images):
        attention = torch.nn.functional.max_pool2d(images.relu(), 4)
        return images.mean((2, 3)) * 3, None, attention

    images, _ = make(1, 1, 64, 96, 8)
    images = images * .01
    images[:, :, 20:40, 30:60] += 1
    for ours, others in zip(TwoStage(Means(), 'guyuc')(mx.nd.array(images)),
                            twin.two_stage(means, torch.from_numpy(images))):
        np.testing.assert_allclose(ours.asnumpy(), np.array(others), rtol=1e-4, atol=1e-4)
    assert not (np.array(others) == [0, 0, 96, 64]).all(axis=1).any()   # the boxes are of a part
