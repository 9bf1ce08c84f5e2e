"""A step of CycleGAN in PyTorch, as the official code makes one (github.com/junyanz/pytorch-CycleGAN-and-pix2pix).

Networks are called by what they do: `ab` makes pictures of B from those of A, and `judge_b` tells made ones of B from
real ones. The official code calls these two G_A and D_A.
"""
import itertools

import numpy as np
import torch
from torch.nn.functional import l1_loss, mse_loss

__all__ = ['Pool', 'Step', 'decay']


def decay(epoch, constant=100, falling=100):
    """The factor of the learning rate in an epoch, counted from 1."""
    return 1 - max(0, epoch - constant) / (falling + 1)


class Pool:
    """Earlier pictures: one in two queries is answered with one of them, once there are `size`."""

    def __init__(self, size):
        self.size, self.pictures = size, []

    def query(self, batch):
        answers = []
        for picture in batch.detach():
            answer = picture
            if len(self.pictures) < self.size:
                self.pictures.append(picture.clone())
            elif self.size and np.random.random() >= .5:
                place = np.random.randint(self.size)
                answer, self.pictures[place] = self.pictures[place], picture.clone()
            answers.append(answer)
        return torch.stack(answers)


class Step:
    """Updates both generators together, then both discriminators together.

    Parameters
    ----------
    ab, ba, judge_a, judge_b : nn.Module
    optimizer : function of a list of parameters
        default: Adam as the official code has it
    pool_size : int
    cycle_a, cycle_b, identity : float
        weights; that of the identity loss is a part of those of the cycles
    """

    def __init__(self, ab, ba, judge_a, judge_b, optimizer=None, pool_size=50, cycle_a=10., cycle_b=10., identity=.5):
        self.ab, self.ba, self.judge_a, self.judge_b = ab, ba, judge_a, judge_b
        make = optimizer or (lambda parameters: torch.optim.Adam(parameters, 2e-4, (.5, .999)))
        self.makers, self.judges = (make([*itertools.chain(*(net.parameters() for net in pair))])
                                    for pair in ((ab, ba), (judge_a, judge_b)))
        self.pool_a, self.pool_b = Pool(pool_size), Pool(pool_size)
        self.weights = cycle_a, cycle_b, identity

    def __call__(self, a, b):
        """The losses of a step: dict of name -> tensor."""
        cycle_a, cycle_b, identity = self.weights
        made_b = self.ab(a)
        back_a = self.ba(made_b)
        made_a = self.ba(b)
        back_b = self.ab(made_a)

        self._judges_learn(False)
        losses = {}
        if identity:
            losses['identity_B'] = l1_loss(self.ab(b), b) * cycle_b * identity
            losses['identity_A'] = l1_loss(self.ba(a), a) * cycle_a * identity
        losses['G_B'], losses['G_A'] = self._score(self.judge_b, made_b, 1), self._score(self.judge_a, made_a, 1)
        losses['cycle_A'], losses['cycle_B'] = l1_loss(back_a, a) * cycle_a, l1_loss(back_b, b) * cycle_b
        self.makers.zero_grad()
        sum(losses.values()).backward()
        self.makers.step()

        self._judges_learn(True)
        self.judges.zero_grad()
        for name, judge, real, made, pool in (('D_B', self.judge_b, b, made_b, self.pool_b),
                                              ('D_A', self.judge_a, a, made_a, self.pool_a)):
            made = pool.query(made)
            losses[name] = (self._score(judge, real, 1) + self._score(judge, made, 0)) * .5
            losses[name].backward()
        self.judges.step()
        return losses

    def _judges_learn(self, whether):
        for net in (self.judge_a, self.judge_b):
            net.requires_grad_(whether)

    @staticmethod
    def _score(judge, pictures, wanted):
        scores = judge(pictures)
        return mse_loss(scores, torch.full_like(scores, wanted))
