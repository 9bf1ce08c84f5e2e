"""The exponential moving average of weights. Where a run has one, the averaged weights are evaluated and used."""
from contextlib import contextmanager

import mxnet as mx

from ..values import check, whole
from .parameters import named_parameters, single_value

__all__ = ['EMA']


class EMA:
    """Keeps ``shadow = d * shadow + (1 - d) * weight`` of every parameter of the given networks, in float32.

    Running statistics of batch normalisation are averaged in the same way, so that they suit the averaged weights. The
    shadows begin as copies of the weights after the first update. With several devices, the shadows are on the first.

    Parameters
    ----------
    decay : float
        d, from 0 to 1 (exclusive): the average is over about ``1 / (1 - decay)`` steps
    warmup : bool
        whether d is at most ``(1 + step) / (10 + step)``, so that the first weights are soon forgotten
    start : int, 0 or more
        the first update that is averaged; before, the shadows are copies of the weights
    interval : int, 1 or more
        only every so many updates are averaged

    Raises ValueError for values that are not as said.
    """

    def __init__(self, decay, warmup=True, start=0, interval=1):
        if not 0 <= decay < 1:
            raise ValueError(f'decay: must be from 0 to 1 (exclusive): {decay}')
        check('start', start, whole(0))
        check('interval', interval, whole(1))
        self.decay = decay
        self.warmup = warmup
        self.start, self.interval = start, interval
        self.shadows = {}   # network -> parameter -> NDArray

    def decay_at(self, step):
        """The d of the update number `step`, which counts from 1."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay

    def update(self, networks, step):
        """Averages in the weights of `networks` after the update number `step`. Does not wait for the device."""
        copies = not self.shadows or step < self.start
        if not copies and step % self.interval:
            return
        weights = [single_value(parameter).astype('float32', copy=False)
                   for net in networks.values() for parameter in named_parameters(net).values()]
        if copies:
            values = iter(weights)
            self.shadows = {name: {key: next(values).copy() for key in named_parameters(net)}
                            for name, net in networks.items()}
            return
        shadows = [shadow for of_net in self.shadows.values() for shadow in of_net.values()]
        rest = 1 - self.decay_at(step)
        for shadow, weight in zip(shadows, weights):
            # (1 - rest) * shadow + rest * weight in one pass: gradient descent, with weight decay 1, along -weight.
            mx.nd.sgd_update(shadow, weight, lr=rest, wd=1.0, rescale_grad=-1.0, out=shadow)

    def follow(self, task, networks, step):
        """Averages in the weights of a task's `networks` after its step number `step`, if that has changed them.

        Before the first update, the average is the weights, so that a checkpoint has something to store.
        """
        before, updates = task.used_updates(step - 1), task.used_updates(step)
        if updates > before == 0:
            self.shadows = {}   # of weights that have learned nothing
        if updates > before or not self.shadows:
            self.update(networks, updates)

    def statistics(self, networks):
        """The shadows of running statistics: list of NDArray."""
        return [self.shadows[name][key] for name, net in networks.items() if name in self.shadows
                for key, parameter in named_parameters(net).items() if not parameter._differentiable]

    @contextmanager
    def applied(self, networks):
        """Within this context the networks have the averaged weights; afterwards their own weights, bit for bit.

        Before the first update there is no average, and the networks keep their own weights.
        """
        own = []
        try:
            for name, of_net in self.shadows.items():
                parameters = named_parameters(networks[name])
                for key, shadow in of_net.items():
                    own.append((parameters[key], [data.copy() for data in parameters[key].list_data()]))
                    parameters[key].set_data(shadow.astype(parameters[key].dtype, copy=False))
            yield
        finally:
            for parameter, copies in own:
                for data, copy in zip(parameter.list_data(), copies):
                    data[:] = copy
