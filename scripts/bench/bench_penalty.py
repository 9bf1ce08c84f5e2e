"""Times a critic's step of WGAN-GP beside the same step in PyTorch, on the CPU of this machine.

    python scripts/bench/bench_penalty.py --json bench_penalty.json   # the critics of three families, some minutes
    python scripts/bench/bench_penalty.py --quick                     # narrow critics, few rounds: does it run?

A step is the forward and backward passes of real pictures, of made ones and of the penalty, and an update by Adam.
gluonzoo's penalty is exact by tangents (notes/gradient_penalty.md); the critic is hybridized. PyTorch's is by
create_graph, eager. 'without' is the same step without a penalty.

PyTorch's critic is made of gluonzoo's layers and has its weights (torch_twins/any_critic.py). First the losses and
the gradients of both are compared. A wrong one ends the run with exit code 1 and no number. Then the sides take turns
in one process.
"""
import argparse
import os
import sys

import numpy as np
from measuring import Pace, UnavailableError, WrongResultError, call, machine, print_table, ratio, take_turns

import gluonzoo
from gluonzoo.tasks.adversarial.penalty import GradientPenalty

import mxnet as mx  # isort: skip

# Model, its keywords, and the side of its pictures.
CASES = {'wgan_gp': ('wgan_gp_critic', {}, 32), 'wgan_gp, layer': ('wgan_gp_critic', {'norm': 'layer'}, 32),
         'dcgan': ('dcgan_discriminator', {'norm': 'none'}, 64), 'residual64': ('residual64_critic', {}, 64)}
QUICK = {'quick': ('wgan_gp_critic', {'width': 4, 'norm': 'group', 'size': 16}, 16)}
ADAM = {'learning_rate': 1e-4, 'beta1': 0., 'beta2': .9}
WEIGHT = 10


class GluonzooSide:

    def __init__(self, critic, pictures):
        self.critic, self.pictures = critic, [mx.nd.array(x) for x in pictures]   # real, made, alpha
        self.penalty = GradientPenalty(critic, WEIGHT)
        self.trainer = mx.gluon.Trainer(critic.collect_params(), 'adam', ADAM)

    def learn(self, penalised):
        """The loss; gradients are there then."""
        real, made, alpha = self.pictures
        with mx.autograd.record():
            loss = self.critic(made).mean() - self.critic(real).mean()
            if penalised:
                loss = loss + self.penalty(real, made, alpha)
        loss.backward()
        return loss

    def step(self, penalised):
        self.learn(penalised)
        self.trainer.step(1)
        mx.nd.waitall()

    def results(self):
        """[loss, gradients by name]"""
        return self.learn(True).asscalar(), {name: parameter.grad().asnumpy()
                                             for name, parameter in self.critic.collect_params().items()}


class TorchSide:

    def __init__(self, critic, pictures):
        import torch
        from torch_twins.any_critic import CriticInTorch
        torch.set_num_threads(gluonzoo.runtime.threads())
        self.torch, self.critic = torch, CriticInTorch(critic, torch.float32)
        self.pictures = [torch.from_numpy(x) for x in pictures]
        self.optimizer = torch.optim.Adam(list(self.critic.parameters.values()), ADAM['learning_rate'],
                                          (ADAM['beta1'], ADAM['beta2']))

    def learn(self, penalised):
        real, made, alpha = self.pictures
        self.optimizer.zero_grad()
        loss = self.critic(made).mean() - self.critic(real).mean()
        if penalised:
            between = (alpha * real + (1 - alpha) * made).requires_grad_()
            slope, = self.torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
            loss = loss + WEIGHT * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        loss.backward()
        return loss

    def step(self, penalised):
        self.learn(penalised)
        self.optimizer.step()

    def results(self):
        return self.learn(True).item(), {name: parameter.grad.numpy().copy()
                                         for name, parameter in self.critic.parameters.items()}


def demand_equal(name, ours, theirs, tolerance=1e-3):
    """Raises WrongResultError unless losses and the gradients, as one vector, are close.

    A critic with a million rectifiers has some whose inputs are as near to 0 as rounding. These decide differently in
    float32, so either side's gradients differ by some 2e-4 from those of float64.
    """
    loss, gradients = zip(ours, theirs)
    found, wanted = (np.concatenate([gradients[side][key].ravel() for key in gradients[1]]) for side in (0, 1))
    error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    if not abs(loss[0] - loss[1]) <= tolerance * max(1, abs(loss[1])):
        raise WrongResultError(f'{name}: the loss is {loss[0]:.6g}, in PyTorch {loss[1]:.6g}')
    if not error <= tolerance:
        raise WrongResultError(f'{name}: the gradients differ by {error:.2g} of their length')


def measure(name, model, keywords, side, args):
    rng = np.random.default_rng(0)
    pictures = [*rng.uniform(-1, 1, (2, args.batch, 3, side, side)).astype('float32'),
                rng.uniform(size=(args.batch, 1, 1, 1)).astype('float32')]
    mx.random.seed(0)
    critic = gluonzoo.get_model(model, **keywords)
    critic.initialize()
    critic.hybridize(static_alloc=True)
    sides = {'gluonzoo': GluonzooSide(critic, pictures), 'PyTorch': TorchSide(critic, pictures)}
    demand_equal(name, *(each.results() for each in sides.values()))
    works = {(who, penalised): lambda each=each, penalised=penalised: each.step(penalised)
             for who, each in sides.items() for penalised in (True, False)}
    times, by_round = take_turns(works, args.pace)
    return {'case': name, 'parameters': sum(int(np.prod(p.shape)) for p in critic.collect_params().values()),
            **{f'{who}_{"ms" if penalised else "without_ms"}': times[who, penalised] for who, penalised in works},
            'ratio': ratio(by_round, ('gluonzoo', True), ('PyTorch', True))}


def run(args):
    try:
        import torch
    except ImportError:
        raise UnavailableError('PyTorch is not installed') from None
    rows = [measure(name, *args.cases[name], args) for name in args.cases]
    return {'conditions': {**machine(args.pace), 'threads': gluonzoo.runtime.threads(), 'mxnet': mx.__version__,
                           'torch': torch.__version__, 'batch': args.batch, 'load_average_after': os.getloadavg()[0]},
            'rows': rows}


def print_report(report):
    def text(times, form='.4g'):
        return f'{times["median"]:{form}} ({times["p10"]:{form}}-{times["p90"]:{form}})'

    for key, value in report['conditions'].items():
        print(f'{key:22}{value}')
    print('\nTimes of a step in ms, of all pictures of the batch: median (10th-90th percentile).')
    print_table(['critic', 'parameters', 'gluonzoo', 'PyTorch', 'ratio', 'without: gluonzoo', 'PyTorch'],
                *([row['case'], f'{row["parameters"]:,}', text(row['gluonzoo_ms']), text(row['PyTorch_ms']),
                   text(row['ratio'], '.2f'), text(row['gluonzoo_without_ms']), text(row['PyTorch_without_ms'])]
                  for row in report['rows']))


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--critic', choices=CASES, action='append', help='one of them alone; may be given again')
    parser.add_argument('--batch', type=int, default=16, help='pictures (default: %(default)s)')
    parser.add_argument('--quick', action='store_true', help='a narrow critic, few rounds: does it run?')
    parser.add_argument('--json', metavar='FILE', help='write the report there too')
    args = parser.parse_args(argv)
    if args.batch < 1:
        parser.error(f'--batch: must be at least 1: {args.batch}')
    if args.quick and args.critic:
        parser.error('--critic: not with --quick')
    args.cases = QUICK if args.quick else {name: CASES[name] for name in args.critic or CASES}
    args.pace = Pace(2, .001, 0) if args.quick else Pace(5, 2, .2)
    return args


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
