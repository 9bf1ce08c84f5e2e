"""Generators and discriminators that learn from each other, in turns."""
from mxnet import autograd, nd

from ...graph.frozen import Frozen
from ...values import NUMBER, OBJECT, check, nullable, whole
from ..base import Task
from .critic_steps import CriticSteps
from .objectives import OBJECTIVES
from .penalty import GradientPenalty, check_penalty

__all__ = ['AdversarialTask']

PENALISED = 'wgan-gp'   # the objective of a critic that is bounded by the penalty of its gradient


class AdversarialTask(Task):
    """What networks that learn from each other have in common.

    In a step the discriminator has its turn, and the generator has its own: the discriminator first, and the updated
    discriminator judges the generator, or the other way round, as `turns` says. With `critic_steps` above 1, the
    generator has turns only in every so many steps. It has `generator_steps` of them then, with the same batch.

    A step is a batch that the discriminator has seen. So the number of steps of a training counts its updates, as
    MMagic's number of iterations does, and the epochs of WGAN's code. WGAN-GP's code, and the papers, count the
    generator's updates.

    If a step has several rounds and the discriminator comes first, the generator makes its images twice, each time with
    new random numbers. Otherwise the memory would have to hold the graphs of all rounds.

    A moving average (``fit.ema``) averages the generator alone, since evaluation and prediction use no other network,
    and only after a step in which the generator had a turn.

    A subclass defines :meth:`generate`, :meth:`discriminator_losses` and :meth:`generator_losses`.

    Parameters
    ----------
    **networks : HybridBlock
        one for each name in `network_names`
    objective : {'vanilla', 'lsgan', 'wgan', 'wgan-gp'}
        see :mod:`gluonzoo.tasks.adversarial.objectives`. 'wgan-gp' is 'wgan' with the penalty of the critic's gradient.
    optimizer : dict
        of both trainers, or of each by its name, 'generator' and 'discriminator'; see
        :meth:`gluonzoo.train.engine.Engine.trainer`
    critic_steps : int or dict
        turns of the discriminator for one of the generator: see :class:`CriticSteps`
    generator_steps : int, 1 or more
        turns of the generator, one after the other
    clip : float above 0, optional
        before each of the discriminator's turns, all its parameters are clipped to -clip .. clip: WGAN
    penalty : dict, optional
        of 'wgan-gp': keywords of :class:`~gluonzoo.tasks.adversarial.penalty.GradientPenalty`

    Attributes
    ----------
    turns : tuple of str
        the order of the turns in a step
    trained : dict of name -> tuple of str
        the networks of each trainer
    keeps_memory : bool
        whether each kind of pass keeps its memory for the next step, see HybridBlock.hybridize. Where there are several
        kinds, and batches are large, this takes more memory and no less time.
    passes : dict of name -> int
        the backward passes in a turn of a trainer, if there are several for a part
    same_images : bool
        whether the generator's turn is about the images that the discriminator's is about
    adversarial : function of (scores, real) -> [1]
    frozen : dict of name -> function
        the discriminators without gradients of their parameters, for the generator's turn
    penalties : dict of name -> function of (real, fake) -> [1]
        of the discriminators, with 'wgan-gp'
    """

    network_names = ('generator', 'discriminator')
    used = ('generator',)
    turns = ('discriminator', 'generator')
    trained = {'generator': ('generator',), 'discriminator': ('discriminator',)}
    same_images = True
    keeps_memory = True
    passes = {}
    bfloat16 = False   # MXNet's concatenation and transposition, among others

    def __init__(self, objective, optimizer, critic_steps=1, generator_steps=1, clip=None, penalty=None, **networks):
        if objective not in (*OBJECTIVES, PENALISED):
            raise ValueError(f'objective: must be one of {", ".join(map(repr, (*OBJECTIVES, PENALISED)))}: '
                             f'{objective!r}')
        check('generator_steps', generator_steps, whole(1, 1000))
        check('clip', clip, nullable(NUMBER))
        if clip is not None and not clip > 0:
            raise ValueError(f'clip: must be above 0, or null: {clip!r}')
        check('penalty', penalty, nullable(OBJECT))
        if penalty is not None and objective != PENALISED:
            raise ValueError(f'penalty: is of the objective {PENALISED!r} alone, not of {objective!r}')
        check_penalty(penalty or {})
        super().__init__(**networks)
        self.adversarial = OBJECTIVES['wgan' if objective == PENALISED else objective]
        self._critic, self._generator_steps = CriticSteps(critic_steps), generator_steps
        self._optimizer, self._clip = optimizer, clip
        self._penalty = (penalty or {}) if objective == PENALISED else None
        self.frozen, self.penalties = {}, {}

    def make_trainers(self):
        for name, networks in self.trained.items():
            self.engine.trainer(name, self.optimizer_of(self._optimizer, name), *(self.networks[n] for n in networks),
                                passes=self.passes.get(name, 1))
        judges = {name: self.networks[name] for name in self.trained['discriminator']}
        if not self.keeps_memory:   # the engine has hybridized them so that they do
            for net in self.networks.values():
                net.hybridize(static_alloc=False)
        self.frozen = {name: Frozen(net, self.keeps_memory) for name, net in judges.items()}
        if self._penalty is not None:
            self.penalties = {name: GradientPenalty(net, **self._penalty) for name, net in judges.items()}

    def used_updates(self, step):
        return self._critic.updates(step) * self._generator_steps

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. Returns the losses of both turns, or of one, if the generator has no turn; of
        several turns of the generator, the means."""
        rounds = list(self.engine.parts(batch))
        due = self.used_updates(step + 1) > self.used_updates(step)
        made, losses = [None] * len(rounds), {}
        for turn in self.turns:
            if turn == 'discriminator':
                # The graph of the made images serves the generator's turn, too, if that comes next.
                follows = due and self.same_images and turn == self.turns[0] and len(rounds) == 1
                losses.update(self._discriminator_turn(rounds, made, follows))
            elif due:
                found = [self._generator_turn(rounds, made) for _ in range(self._generator_steps)]
                losses.update(self.engine.mean(found))
        return losses

    def _discriminator_turn(self, rounds, made, record):
        """One step of its trainer. `made`, the images of each round, is filled, if it is not yet."""
        for i, parts in enumerate(rounds):
            if made[i] is None:
                with autograd.record() if record else autograd.train_mode():
                    made[i] = [self.generate(part) for part in parts], record
        if self._clip is not None:
            self._bound()
        found = []
        for parts, (fakes, _) in zip(rounds, made):
            with autograd.record():
                scalars = [self.discriminator_losses(part, fake) for part, fake in zip(parts, fakes)]
            found += self._backward('discriminator', scalars)
        self.engine.step('discriminator')
        return self.engine.mean(found)

    def _generator_turn(self, rounds, made):
        """One step of its trainer, with the images that are `made`, if they have a graph, or with new ones."""
        found = []
        for i, parts in enumerate(rounds):
            fakes, has_graph = made[i] or (None, False)
            with autograd.record():
                if not has_graph:
                    fakes = [self.generate_to_learn(part) for part in parts]
                scalars = [self.generator_losses(part, fake) for part, fake in zip(parts, fakes)]
            found += self._backward('generator', scalars)
            made[i] = (fakes, False) if self.same_images else None
        self.engine.step('generator')
        return self.engine.mean(found)

    def _backward(self, name, scalars):
        self.engine.backward(name, [each.pop('loss') for each in scalars])
        return scalars

    def _bound(self):
        """Clips all parameters of the discriminators, those of normalisations, too. Running statistics are none."""
        for name in self.trained['discriminator']:
            for parameter in self.networks[name].collect_params().values():
                if parameter.grad_req != 'null':
                    for weight in parameter.list_data():
                        nd.clip(weight, -self._clip, self._clip, out=weight)

    # -- what a subclass defines -------------------------------------------------------------------------------------

    def generate(self, part):
        """What the generators make for the arrays of a part: NDArray, float32, or several of them."""
        raise NotImplementedError

    def generate_to_learn(self, part):
        """As :meth:`generate`, for the generator's turn, if it needs images of its own."""
        return self.generate(part)

    def discriminator_losses(self, part, fake):
        """The losses of the discriminator's turn: dict of name -> [1]. Gradients are of 'loss', which is not logged.

        Called while gradients are recorded. Detach `fake` first: its graph may still be needed.
        """
        raise NotImplementedError

    def generator_losses(self, part, fake):
        """As :meth:`discriminator_losses`, for the generator's turn; `fake` has the generator's graph."""
        raise NotImplementedError
