"""What the recipes of networks that make pictures from noise have in common."""
from .arguments import at_least, between
from .datasets import unlabelled

__all__ = ['DATA', 'TASK', 'add_arguments', 'count_of', 'prediction', 'run_name', 'settings_of']

TASK = 'generation'
DATA = ('any folder of pictures; a tenth is to validate with, unless it has train and val: what gluonzoo data faces '
        'and folder make. Or one in the form of CIFAR-10: cifar10, digits')


def add_arguments(parser, sizes, size, critic_steps):
    """The arguments of all; `sizes` are the possible sides of pictures, `size` and `critic_steps` the usual ones."""
    parser.add_argument('--size', type=int, choices=sizes,
                        help=f'sides of the pictures in pixels (default: {size}; with --small, 32)')
    parser.add_argument('--grey', action='store_true', help='pictures of one channel')
    parser.add_argument('--flip', action='store_true',
                        help='mirror one picture in two, which official codes do not')
    parser.add_argument('--critic-steps', type=between(1, 10 ** 6), metavar='N',
                        help=f'turns of the critic for one of the generator (default: {critic_steps})')
    parser.add_argument('--generator-steps', type=between(1, 1000), default=1, metavar='N',
                        help='turns of the generator, one after the other (default: %(default)s)')
    parser.add_argument('--generator-lr', type=at_least(0, float), metavar='RATE',
                        help='learning rate of the generator, if it is not that of --lr')
    parser.add_argument('--small', action='store_true', help='narrow networks at 32 x 32, in minutes on two cores')


def count_of(args):
    """How many pictures there are to train on."""
    from ..registry import DATASETS

    return len(DATASETS.make(unlabelled(args.data, 'train'), 'train_data'))


def run_name(args):
    return f'{args.name}_{args.data.name}' + '_small' * args.small


def settings_of(args, recipe, generator, discriminator, optimizer, schedule=None, **task):
    """The settings of a training.

    Parameters
    ----------
    args : argparse.Namespace
    recipe : dict with 'batch_size', 'epochs' and 'learning_rate', and perhaps 'ema'
    generator, discriminator : dict
        of the networks; size and channels of the pictures are added
    optimizer : dict
        of both, without a learning rate
    schedule : dict, optional
    **task
        more settings of the task
    """
    channels = 1 if args.grey else 3
    rate = recipe['learning_rate'] if args.lr is None else args.lr
    optimizers = {name: {**optimizer, 'learning_rate': own} for name, own in (
        ('generator', rate if args.generator_lr is None else args.generator_lr), ('discriminator', rate))}
    size = {'size': args.size, 'channels': channels}
    return {
        'task': {'name': TASK, 'generator': {**generator, **size}, 'discriminator': {**discriminator, **size},
                 'optimizer': optimizers, 'generator_steps': args.generator_steps, **task},
        'train_data': {**unlabelled(args.data, 'train'),
                       'transform': {'name': 'picture_train', **size, 'flip': args.flip}},
        'val_data': {**unlabelled(args.data, 'val'), 'transform': {'name': 'picture_middle', **size}},
        'fit': {'batch_size': args.batch_size or recipe['batch_size'], 'epochs': args.epochs or recipe['epochs'],
                'schedule': schedule or {'name': 'constant'}, 'ema': recipe.get('ema')},
    }


def prediction(model, models):
    """The settings of a task that makes pictures with a generator of a recipe."""
    if not model.endswith('_generator'):
        raise ValueError(f'--model: {model} judges pictures, and makes none; there are '
                         + ', '.join(name for name in models if name.endswith('_generator')))
    return {'name': TASK, 'generator': {'name': model}}
