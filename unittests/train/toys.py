"""Small tasks and data, with everything in them that a checkpoint could miss. Imported by the tests beside it."""
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from gluonzoo.data import Loader

SGD = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 1e-3}
ADAM = {'name': 'adam', 'learning_rate': 0.01}


class Squares:
    """The record i is a noisy 6x6 picture of class i % 2. Record `poisoned`, if any, is NaN."""

    arrays = (1, 6, 6), (1,)

    def __init__(self, count=24, poisoned=None):
        self.count, self.poisoned, self.skipped = count, poisoned, {}

    def __len__(self):
        return self.count

    def item(self, i, rng, out):
        x, y = out
        x[:] = np.nan if i == self.poisoned else rng.normal(i % 2, 1, x.shape)
        y[:] = i % 2
        return out


def loader(count=24, batch_size=4, poisoned=None, **keywords):
    keywords = {'shuffle': True, 'seed': 3, 'workers': 1, **keywords}
    return Loader(Squares(count, poisoned), batch_size, **keywords)


def trainer(net, optimizer, kvstore):
    keywords = dict(optimizer)
    # In its first step a Trainer gives all that it has the values of rank 0: not meant for running statistics.
    parameters = [parameter for parameter in net.collect_params().values() if parameter.grad_req != 'null']
    return gluon.Trainer(parameters, keywords.pop('name'), keywords, kvstore=kvstore, update_on_kvstore=False)


class Classify:
    """One network: convolution, batch normalisation, dropout.

    Shapes are found by the first batch, if `deferred`. (They should not be on several machines, since each would then
    begin with weights of its own.)
    """
    main_metric = 'accuracy', 'max'
    used = ('net',)

    def __init__(self, optimizer=SGD, ctx=None, kvstore='device', workers=1, dropout=0.5, batch_norm=True, seed=0,
                 deferred=True):
        self.ctx = ctx or [mx.cpu()]
        self.workers = workers
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Conv2D(4, 3, use_bias=not batch_norm))
        if batch_norm:
            net.add(gluon.nn.BatchNorm())
        net.add(gluon.nn.Activation('softrelu'), gluon.nn.Dropout(dropout), gluon.nn.Dense(2))
        mx.random.seed(seed)
        np.random.seed(seed)   # what initializers take
        net.initialize(mx.init.Xavier(), ctx=self.ctx)
        if not deferred:
            net(mx.nd.zeros((1, 1, 6, 6), self.ctx[0]))
        net.hybridize()
        self.networks = {'net': net}
        self.trainers = {'net': trainer(net, optimizer, kvstore)}
        self.loss = gluon.loss.SoftmaxCELoss()

    @staticmethod
    def used_updates(step):
        return step

    def train_step(self, batch, step):
        parts = list(zip(*(gluon.utils.split_and_load(array, self.ctx) for array in batch.arrays)))
        with autograd.record():
            losses = [self.loss(self.networks['net'](x), y).mean() for x, y in parts]
        autograd.backward(losses)
        self.trainers['net'].step(len(parts) * self.workers)
        return {'loss': mx.nd.add_n(*(loss.as_in_context(self.ctx[0]) for loss in losses)) / len(losses)}

    def evaluate(self, batches):
        right = [(self.networks['net'](x.as_in_context(self.ctx[0])).argmax(1) == y.as_in_context(self.ctx[0])[:, 0])
                 .mean().asscalar() for x, y in (batch.arrays for batch in batches)]
        return {'accuracy': float(np.mean(right))}

    def evaluation_pictures(self):
        return {}

    def picture(self, batch):
        x = batch.arrays[0].asnumpy()[0, 0].clip(0, 1)
        return np.repeat((x * 255).astype('uint8')[:, :, None], 3, 2)

    def state(self):
        return {}

    def load_state(self, state):
        if state:
            raise ValueError('has no state')


class Forge:
    """Two networks with a trainer each, and a pool of old fakes: what a GAN is to the loop."""
    main_metric = 'likeness', 'max'
    used = ('generator',)

    def __init__(self, kvstores=('device', 'device'), workers=1, deferred=True):
        self.workers = workers
        generator, discriminator = gluon.nn.HybridSequential(), gluon.nn.HybridSequential()
        generator.add(gluon.nn.Dense(8), gluon.nn.BatchNorm(), gluon.nn.Dropout(0.3), gluon.nn.Dense(36))
        discriminator.add(gluon.nn.Dense(8), gluon.nn.LeakyReLU(0.2), gluon.nn.Dense(1))
        mx.random.seed(1)
        np.random.seed(1)
        for net in (generator, discriminator):
            net.initialize(mx.init.Xavier())
            if not deferred:
                net(mx.nd.zeros((1, 5 if net is generator else 36)))
            net.hybridize()
        self.networks = {'generator': generator, 'discriminator': discriminator}
        self.trainers = {'generator': trainer(generator, ADAM, kvstores[0]),
                         'discriminator': trainer(discriminator, {**ADAM, 'learning_rate': 0.02}, kvstores[1])}
        self.pool = np.zeros((4, 36), 'float32')
        self.loss = gluon.loss.SigmoidBCELoss()

    @staticmethod
    def used_updates(step):
        return step

    def train_step(self, batch, step):
        real = batch.arrays[0].reshape((0, -1))   # [B, 1, 6, 6] -> [B, 36]
        generator, discriminator = self.networks['generator'], self.networks['discriminator']
        ones, zeros = mx.nd.ones((len(real), 1)), mx.nd.zeros((len(real), 1))
        with autograd.record():
            fake = generator(mx.nd.random.normal(shape=(len(real), 5)))
            seen = mx.nd.concat(fake.detach(), mx.nd.array(self.pool), dim=0)
            loss_d = (self.loss(discriminator(real), ones).mean()
                      + self.loss(discriminator(seen), mx.nd.zeros((len(seen), 1))).mean())
        loss_d.backward()
        self.trainers['discriminator'].step(self.workers)
        with autograd.record():
            loss_g = self.loss(discriminator(fake), ones).mean() + 0 * zeros.mean()
            loss_g.backward()
        self.trainers['generator'].step(self.workers)
        self.pool[np.random.randint(len(self.pool))] = fake[0].asnumpy()
        return {'loss_g': loss_g, 'loss_d': loss_d}

    def evaluate(self, batches):
        for _ in batches:
            pass
        noise = mx.nd.random.normal(shape=(8, 5))
        return {'likeness': float(self.networks['discriminator'](self.networks['generator'](noise)).mean().asscalar())}

    def state(self):
        return {'pool': self.pool}

    def load_state(self, state):
        if set(state) != {'pool'} or state['pool'].shape != self.pool.shape:
            raise ValueError(f'pool of shape {self.pool.shape} expected: {sorted(state)}')
        self.pool = state['pool'].copy()
