"""What trainings of classifiers share: the arguments of the known tricks, and what they say in settings.

Sources: "Bag of Tricks for Image Classification with Convolutional Neural Networks" (He et al., 2018,
https://arxiv.org/abs/1812.01187) for the warm-up, the cosine, no decay of biases and zero gamma; the papers of mixup,
GHM-C, SGDW and AdamW are named where these are computed.
"""
from .arguments import at_least, part_below_1

__all__ = ['add_arguments', 'check', 'network', 'learning', 'optimizer', 'schedule']

LOSSES = ('cross_entropy', 'ghm_c', 'ghm_c_sigmoid')
# A decay of 1e-4 for each update is what SGD's 1e-4 amounts to at a rate of 0.1 and a momentum of 0.9. The rate of
# AdamW is a part of SGD's, since Adam's steps do not shrink with the gradient.
OPTIMIZERS = {'sgd': {'momentum': 0.9}, 'sgdw': {'momentum': 0.9, 'wd': 1e-4}, 'adamw': {'wd': 1e-4}}
RATES = {'sgd': 1.0, 'sgdw': 1.0, 'adamw': 0.02}
NOT_DECAYED = ['bias', 'gamma', 'beta']


def add_arguments(parser):
    parser.add_argument('--zero-gamma', action='store_true', help='each residual branch starts as zero')
    parser.add_argument('--mixup', type=at_least(0, float), default=0.0, metavar='ALPHA',
                        help='pictures are mixed in pairs, by a weight from Beta(ALPHA, ALPHA); 0: none (default)')
    parser.add_argument('--label-smoothing', type=part_below_1, metavar='PART',
                        help='part of the target that all classes share, from 0 to below 1')
    parser.add_argument('--loss', choices=LOSSES, default='cross_entropy',
                        help='ghm_c weighs a picture by how many are as easy (default: %(default)s)')
    parser.add_argument('--warmup', type=at_least(0, float), metavar='EPOCHS', help='in which the rate rises')
    parser.add_argument('--warmup-steps', type=at_least(0), metavar='STEPS', help='the same in updates')
    parser.add_argument('--no-bias-decay', action='store_true',
                        help='weight decay of weights alone, not of bias, gamma and beta')
    parser.add_argument('--optimizer', choices=OPTIMIZERS, default='sgd',
                        help='sgdw and adamw decay weights apart from the gradient (default: %(default)s)')


def check(parser, args):
    if args.warmup is not None and args.warmup_steps is not None:
        parser.error('--warmup and --warmup-steps: only one of them')
    if args.loss != 'cross_entropy' and (args.mixup or args.label_smoothing):
        parser.error(f'--loss: {args.loss} goes with neither --mixup nor --label-smoothing: it counts how far pictures '
                     'are from their one class')


def network(args):
    """What the tricks say of the network."""
    return {'zero_gamma': True} if args.zero_gamma else {}


def learning(args, recipe):
    """What the tricks say of the task, but for the optimizer."""
    smoothing = recipe.get('smoothing', 0.0) if args.label_smoothing is None else args.label_smoothing
    return {'smoothing': smoothing if args.loss == 'cross_entropy' else 0.0, 'mixup': args.mixup, 'loss': args.loss}


def optimizer(args, recipe):
    """The optimizer's settings; recipe: 'learning_rate' and 'wd' of SGD."""
    rate = recipe['learning_rate'] * RATES[args.optimizer] if args.lr is None else args.lr
    return {'name': args.optimizer, 'learning_rate': rate, 'wd': recipe['wd'], **OPTIMIZERS[args.optimizer],
            **({'no_decay': NOT_DECAYED} if args.no_bias_decay else {})}


def schedule(args, recipe, steps, epochs):
    """The schedule of a training of so many updates; recipe: 'warmup' in epochs, and 'drops' or a cosine."""
    if args.warmup_steps is not None:
        option, warmup = '--warmup-steps', args.warmup_steps
    elif args.warmup is not None:
        option, warmup = '--warmup', round(args.warmup * steps / epochs)
    else:   # of a short training a tenth
        option, warmup = None, min(round(recipe.get('warmup', 0) * steps / epochs), steps // 10)
    if option and warmup >= steps:
        raise ValueError(f'{option}: must be shorter than the training, {steps} updates in {epochs} epochs: {warmup} '
                         'updates')
    made = {'warmup': warmup} if warmup else {}
    if getattr(args, 'cosine', False) or 'drops' not in recipe:
        return {'name': 'cosine', 'steps': max(2, steps), **made}
    milestones = sorted({max(1, round(part * steps)) for part in recipe['drops']})
    return {'name': 'step', 'milestones': milestones, **made}
