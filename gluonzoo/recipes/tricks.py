"""What trainings of classifiers share: the arguments of the known tricks, and what they say in settings.

Sources: "Bag of Tricks for Image Classification with Convolutional Neural Networks" (He et al., 2018,
https://arxiv.org/abs/1812.01187) for the warm-up, the cosine, no decay of biases and zero gamma; the papers of mixup,
GHM-C, SGDW and AdamW are named where these are computed.
"""
from .arguments import at_least, part_below_1
from .schedules import make_schedule

__all__ = ['NOT_DECAYED', 'add_arguments', 'check', 'network', 'learning', 'optimizer', 'schedule']

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
    """The optimizer's settings; recipe: 'learning_rate' and 'wd' of SGD, maybe 'no_decay'."""
    rate = recipe['learning_rate'] * RATES[args.optimizer] if args.lr is None else args.lr
    spared = NOT_DECAYED if args.no_bias_decay else recipe.get('no_decay')
    return {'name': args.optimizer, 'learning_rate': rate, 'wd': recipe['wd'], **OPTIMIZERS[args.optimizer],
            **({'no_decay': spared} if spared else {})}


def schedule(args, recipe, steps, epochs, kind):
    """The schedule of a training of so many updates.

    Parameters
    ----------
    recipe : dict
        'warmup' in epochs, of which a short training has at most a tenth; for 'step' also 'drops'
    kind : {'step', 'cosine'}
    """
    drops = recipe['drops'] if kind == 'step' else ()
    if args.warmup is None and args.warmup_steps is None:
        warmup = round(recipe['warmup'] * steps / epochs) if 'warmup' in recipe else None
        return make_schedule(kind, steps, drops, warmup)
    option, warmup = (('--warmup', round(args.warmup * steps / epochs)) if args.warmup_steps is None
                      else ('--warmup-steps', args.warmup_steps))
    if warmup and warmup >= steps > 0:
        raise ValueError(f'{option}: must be shorter than the training, {steps} updates in {epochs} epochs: {warmup} '
                         'updates')
    return {**make_schedule(kind, steps, drops), **({'warmup': warmup} if warmup else {})}
