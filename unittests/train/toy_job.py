"""A script as the tests start it in a process of its own: python toy_job.py DIRECTORY [--resume] ..."""
import argparse
import itertools
import os
import signal

import numpy as np

from gluonzoo import train  # before mxnet

import mxnet as mx  # isort: skip
import toys  # isort: skip

TASKS = {
    'classify': lambda stores, **keywords: toys.Classify(kvstore=stores[0], **keywords),
    'plain': lambda stores, **keywords: toys.Classify(kvstore=stores[0], dropout=0, batch_norm=False, **keywords),
    'forge': toys.Forge,
}


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument('directory')
    parser.add_argument('--task', choices=TASKS, default='classify')
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--epochs', type=int, default=3)
    parser.add_argument('--count', type=int, default=24)
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--every', type=int)
    parser.add_argument('--kvstore')
    parser.add_argument('--poisoned', type=int)
    parser.add_argument('--no-ema', action='store_true')
    parser.add_argument('--dump', help='directory for the weights that each worker ends with')
    parser.add_argument('--fail', nargs=3, metavar=('HOW', 'RANK', 'STEP'), help='exit, raise or nan')
    parser.add_argument('--stop', type=int, help='step at which the worker of rank 0 gets SIGINT')
    args = parser.parse_args(arguments)
    workers = train.join(args.kvstore)
    settings = {'task': {'name': args.task}, 'fit': {'epochs': args.epochs}}
    run = train.Run.create(args.directory, settings, resume=args.resume, workers=workers)
    stores = [workers.store(name) for name in ('generator', 'discriminator')]
    task = TASKS[args.task](stores, workers=workers.count, deferred=workers.count == 1)
    data = toys.loader(args.count, args.batch_size // workers.count, args.poisoned, part=(workers.rank, workers.count))
    if args.fail and int(args.fail[1]) == workers.rank:
        fail(task, args.fail[0], int(args.fail[2]))
    train.fit(task, data, run, epochs=args.epochs, validation=toys.loader(8, shuffle=False), kvstore=args.kvstore,
              schedule={'name': 'cosine', 'steps': args.epochs * len(data), 'warmup': 3},
              callbacks=[train.Progress(), train.ScalarsCSV(), Stop(args.stop)],
              ema=None if args.no_ema else train.EMA(0.9), checkpoint_every=args.every, seed=5)
    if args.dump:
        np.savez(f'{args.dump}/{workers.rank}.npz', **{f'{name}.{key}': parameter.data().asnumpy() for name, net in
                 task.networks.items() for key, parameter in net._collect_params_with_prefix().items()})
    mx.nd.waitall()


class Stop:
    def __init__(self, step):
        self.step = step

    def on_step(self, loop, step, scalars):
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


def fail(task, how, step):
    """Makes the task do something bad in its step number `step`."""
    steps, train_step = itertools.count(1), task.train_step

    def failing(batch, number):
        losses = train_step(batch, number)
        if next(steps) == step:
            print(f'{how} at step {step}', flush=True)
            if how == 'exit':
                os._exit(3)
            if how == 'raise':
                raise RuntimeError('as it was told to')
            losses = {name: loss * np.nan for name, loss in losses.items()}
        return losses
    task.train_step = failing


if __name__ == '__main__':
    main()
