"""WS-DAN's loss beside its twin in PyTorch: the loss, both gradients, and steps of both trainers."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluonzoo.data import Batch
from gluonzoo.losses.center import CenterLoss
from gluonzoo.train.engine import Engine

torch = pytest.importorskip('torch')

from torch_twins.wsdan_loss import WSDANLoss  # noqa: E402

CLASSES, LENGTH, INPUTS, BATCH = 5, 12, 7, 8
OPTIMIZER = {'learning_rate': .01, 'momentum': .9, 'wd': 1e-3}


class Net(gluon.HybridBlock):
    """A feature of length 1 and logits of 100 times the feature, without bias, as WS-DAN's network has them."""

    def __init__(self):
        super().__init__()
        self.body = gluon.nn.Dense(LENGTH, in_units=INPUTS)
        self.fc = gluon.nn.Dense(CLASSES, in_units=LENGTH, use_bias=False)

    def hybrid_forward(self, F, x):
        feature = F.L2Normalization(self.body(x))
        return self.fc(100 * feature), feature


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(INPUTS, LENGTH)
        self.fc = torch.nn.Linear(LENGTH, CLASSES, bias=False)

    def forward(self, x):
        feature = torch.nn.functional.normalize(self.body(x))
        return self.fc(100 * feature), feature


def batch_of(seed):
    """Three views [B, INPUTS] and labels, of which some classes have several and the last none."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, BATCH, INPUTS)).astype('float32'), rng.integers(0, CLASSES - 1, BATCH)


class Ours:
    """The network, the centers and their trainers."""

    def __init__(self, weights, **options):
        self.engine, self.net, self.center = Engine(**options), Net(), CenterLoss(CLASSES, LENGTH)
        self.engine.place(self.net, (1, INPUTS))
        self.engine.place(self.center, (1, LENGTH), (1,))
        for name, parameter in self.net._collect_params_with_prefix().items():
            parameter.set_data(mx.nd.array(weights[name]))
        self.engine.trainer('net', {'name': 'sgd', **OPTIMIZER}, self.net)
        self.engine.trainer('center', {'name': 'sgd', 'learning_rate': .05}, self.center, reduction='sum')
        self._cross_entropy = gluon.loss.SoftmaxCELoss()

    def step(self, views, labels):
        batch = Batch((*map(mx.nd.array, views), mx.nd.array(labels)), None)
        return self.engine.minimize(('net', 'center'), batch, self._losses)['loss'].asscalar()

    def _losses(self, raw, crop, drop, labels):
        logits, feature = self.net(raw)
        entropies = [self._cross_entropy(x, labels).mean() for x in (logits, self.net(crop)[0], self.net(drop)[0])]
        return {'loss': sum(entropies) / 3 + self.center(feature, labels)}

    def weights(self, ctx, of='data'):
        return {name: getattr(parameter, of)(ctx).asnumpy()
                for net in (self.net, self.center) for name, parameter in net._collect_params_with_prefix().items()}


class Twin:
    def __init__(self):
        torch.manual_seed(0)
        self.net, self.loss = TorchNet().double(), WSDANLoss(CLASSES, LENGTH).double()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=OPTIMIZER['learning_rate'],
                                         momentum=OPTIMIZER['momentum'], weight_decay=OPTIMIZER['wd'])

    def step(self, views, labels):
        raw, crop, drop = (torch.tensor(view, dtype=torch.float64) for view in views)
        logits, feature = self.net(raw)
        self.optimizer.zero_grad()
        loss = self.loss(logits, self.net(crop)[0], self.net(drop)[0], feature, torch.tensor(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def weights(self):
        return {**{name: parameter.detach().numpy().copy() for name, parameter in self.net.named_parameters()},
                'centers': self.loss.center.centers.numpy().copy()}

    def gradients(self):
        return {name: parameter.grad.numpy().copy() for name, parameter in self.net.named_parameters()}


@pytest.mark.parametrize('accumulate, ctx', [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_steps(accumulate, ctx):
    """Five, of which each has other pictures; on two devices and in rounds, too."""
    ctx = [mx.cpu(number) for number in range(ctx)]
    twin = Twin()
    ours = Ours(twin.weights(), accumulate=accumulate, ctx=ctx)
    for seed in range(5):
        expected, found = (one.step(*batch_of(seed)) for one in (twin, ours))
        assert found == pytest.approx(expected, rel=1e-5)
    expected = twin.weights()
    for device in ctx:
        found = ours.weights(device)
        assert found.keys() == expected.keys() and found['centers'].any()
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_gradients_of_the_first_step():
    """Of the network: by three cross entropies and the center loss. Of the centers: minus the move, by beta."""
    twin = Twin()
    ours, before = Ours(twin.weights()), twin.weights()['centers']
    for one in (twin, ours):
        one.step(*batch_of(0))
    found, expected = ours.weights(mx.cpu(), of='grad'), twin.gradients()
    for name in expected:
        assert abs(expected[name]).max() > .01
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(-.05 * found['centers'], twin.weights()['centers'] - before, atol=1e-6)


def test_the_center_loss_is_felt():
    """The comparison above would be worth little if the cross entropies alone gave the same weights."""
    twin, without = Twin(), Twin()
    without.loss.center.forward = lambda feature, labels: 0
    for one in (twin, without):
        for seed in range(5):
            one.step(*batch_of(seed))
    assert abs(twin.weights()['body.weight'] - without.weights()['body.weight']).max() > 1e-3
