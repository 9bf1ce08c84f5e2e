"""A generator and a discriminator that learn from each other, in turns."""
from mxnet import autograd

from ...graph.frozen import Frozen
from ..base import Task
from .objectives import OBJECTIVES

__all__ = ['AdversarialTask']


class AdversarialTask(Task):
    """What two networks that learn from each other have in common.

    In a step the discriminator has its turn first, then the generator. The updated discriminator judges the generator.
    With `critic_steps` above 1, the generator has a turn only in every so many steps: WGAN.

    With several rounds, the generator makes its images twice in a step, each time with new dropout. Otherwise the
    memory would have to hold the graphs of all rounds.

    A moving average (``fit.ema``) averages the generator alone, since evaluation and prediction use no other network.

    A subclass defines :meth:`generate`, :meth:`discriminator_losses` and :meth:`generator_losses`.

    Parameters
    ----------
    generator, discriminator : HybridBlock
    objective : {'vanilla', 'lsgan', 'wgan'}
        see :mod:`gluonzoo.tasks.adversarial.objectives`
    optimizer : dict
        of both trainers, or of each by its name, 'generator' and 'discriminator'; see
        :meth:`gluonzoo.train.engine.Engine.trainer`
    critic_steps : int, 1 or more
        turns of the discriminator for one of the generator

    Attributes
    ----------
    adversarial : function of (scores, real) -> [1]
    frozen_discriminator : function
        the discriminator without gradients of its parameters, for the generator's turn
    """

    network_names = ('generator', 'discriminator')
    used = ('generator',)
    bfloat16 = False   # MXNet's concatenation and transposition, among others

    def __init__(self, generator, discriminator, objective, optimizer, critic_steps=1):
        if objective not in OBJECTIVES:
            raise ValueError(f'objective: must be one of {", ".join(map(repr, OBJECTIVES))}: {objective!r}')
        if isinstance(critic_steps, bool) or not isinstance(critic_steps, int) or critic_steps < 1:
            raise ValueError(f'critic_steps: must be a whole number, at least 1: {critic_steps!r}')
        super().__init__(generator=generator, discriminator=discriminator)
        self.adversarial = OBJECTIVES[objective]
        self._optimizer, self._critic_steps = optimizer, critic_steps

    def make_trainers(self):
        for name, net in self.networks.items():
            self.engine.trainer(name, self.optimizer_of(self._optimizer, name), net)
        self.frozen_discriminator = Frozen(self.networks['discriminator'])

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. Returns the losses of both turns, or of one, if the generator has no turn."""
        rounds = list(self.engine.parts(batch))
        both = (step + 1) % self._critic_steps == 0
        reuse = both and len(rounds) == 1   # the graph of the made images serves the generator's turn, too
        made = []
        for parts in rounds:
            with autograd.record() if reuse else autograd.train_mode():
                made.append([self.generate(part) for part in parts])
        losses = self._turn('discriminator', rounds, made, self.discriminator_losses)
        if both:
            losses.update(self._turn('generator', rounds, made, lambda part, fake: self.generator_losses(
                part, fake if reuse else self.generate(part))))
        return losses

    def _turn(self, name, rounds, made, losses_of):
        """One trainer's step. Returns its losses, means over the parts."""
        scalars = []
        for parts, fakes in zip(rounds, made):
            with autograd.record():
                found = [losses_of(part, fake) for part, fake in zip(parts, fakes)]
            self.engine.backward(name, [each.pop('loss') for each in found])
            scalars += found
        self.engine.step(name)
        return self.engine.mean(scalars)

    # -- what a subclass defines -------------------------------------------------------------------------------------

    def generate(self, part):
        """What the generator makes for the arrays of a part: NDArray, float32."""
        raise NotImplementedError

    def discriminator_losses(self, part, fake):
        """The losses of the discriminator's turn: dict of name -> [1]. Gradients are of 'loss', which is not logged.

        Called while gradients are recorded. Detach `fake` first: its graph may still be needed.
        """
        raise NotImplementedError

    def generator_losses(self, part, fake):
        """As :meth:`discriminator_losses`, for the generator's turn; `fake` has the generator's graph."""
        raise NotImplementedError
