"""Trains WGAN-GP on a folder of pictures: a generator, and a critic with the exact penalty of its gradient.

    gluonzoo data faces --synthetic
    gluonzoo train wgan_gp --data data/faces --small                             # minutes on two cores
    gluonzoo train wgan_gp --data my_photos --network residual --size 64         # the paper's largest
    gluonzoo train wgan_gp --data my_photos --network mmagic --critic-norm group --size 128
    gluonzoo sample --run runs/wgan_gp_faces_small --out made.png

Networks: convolutional (of the official CIFAR code, width 64), residual (at 32 pixels that of the official CIFAR code,
without classes; at 64 its 'Good' pair), mmagic (64 or 128). The penalty is 10 times the squared distance of the
gradient's length to 1, a sample; --one-sided leaves out lengths below 1. See notes/gradient_penalty.md.

Expected: see notes/models/gan.md. CIFAR-10, LSUN and CelebA: not run.
"""
from . import noise_to_pictures
from .arguments import at_least
from .noise_to_pictures import DATA, TASK, run_name  # noqa: F401

PAGE = 'notes/models/gan.md'
NETWORKS = {'convolutional': 'wgan_gp', 'residual': 'residual', 'mmagic': 'mmagic_wgan_gp'}
SIZES = {'convolutional': (32, 64, 128), 'residual': (32, 64), 'mmagic': (64, 128)}
MODELS = tuple(f'{name}_{what}' for name in ('wgan_gp', 'residual32', 'residual64', 'mmagic_wgan_gp')
               for what in ('generator', 'critic'))

STEPS = 1_000_000   # of the critic: 200,000 of the generator
PAPER = {'batch_size': 64, 'learning_rate': 1e-4, 'beta1': .5, 'network': {}, 'critic_steps': 5}
# The residual ones have no momentum. At 32 pixels, the rate is 2e-4 at first and falls to 0 in half as many steps, and
# the generator learns from twice as many pictures.
RESIDUAL = {**PAPER, 'beta1': 0.}
RESIDUAL_32 = {**RESIDUAL, 'learning_rate': 2e-4}
# Small batches, few turns of the critic and a high rate: more updates of the generator in little time. The average of
# its weights is without the grain that such a rate leaves.
SMALL = {'batch_size': 32, 'epochs': 30, 'learning_rate': 1e-3, 'beta1': .5, 'network': {'width': 32},
         'critic_steps': 3, 'ema': .99}


def add_arguments(parser):
    parser.add_argument('--network', choices=NETWORKS, default='convolutional', help='(default: %(default)s)')
    parser.add_argument('--critic-norm', choices=('none', 'layer', 'group'),
                        help='normalisation in the critic (default: none; of mmagic, group); the residual ones have '
                             'their own')
    parser.add_argument('--penalty', type=at_least(0, float), default=10., metavar='WEIGHT',
                        help='(default: %(default)g)')
    parser.add_argument('--one-sided', action='store_true', help='penalise gradients longer than 1 alone')
    noise_to_pictures.add_arguments(parser, (32, 64, 128), '32; of mmagic, 128', '5; with --small, 3')


def check(parser, args):
    sizes = SIZES[args.network]
    args.size = args.size or (128 if args.network == 'mmagic' else 32)
    if args.size not in sizes:
        parser.error(f'--size: with --network {args.network}: {", ".join(map(str, sizes))}')
    if args.small and (args.network, args.size) != ('convolutional', 32):
        parser.error('--small: is --network convolutional at --size 32')
    if args.critic_norm and args.network == 'residual':
        parser.error('--critic-norm: not with --network residual')


def settings(args):
    from .schedules import number_of_steps

    recipe = _recipe(args)
    batch_size = args.batch_size or recipe['batch_size']
    residual32 = (args.network, args.size) == ('residual', 32)
    total = STEPS // 2 if residual32 else STEPS
    a_round = number_of_steps(1, noise_to_pictures.count_of(args), batch_size)
    recipe = {'epochs': -(-total // max(1, a_round)), **recipe}
    schedule = {'name': 'linear', 'steps': max(1, a_round * (args.epochs or recipe['epochs']))} if residual32 else None
    name = NETWORKS[args.network] + str(args.size) * (args.network == 'residual')
    norm = args.critic_norm or ('group' if args.network == 'mmagic' else 'none')
    critic = {'name': f'{name}_critic', **recipe['network'], **({} if args.network == 'residual' else {'norm': norm})}
    return noise_to_pictures.settings_of(
        args, recipe, {'name': f'{name}_generator', **recipe['network']}, critic,
        {'name': 'adam', 'beta1': recipe['beta1'], 'beta2': .9}, schedule, objective='wgan-gp',
        penalty={'weight': args.penalty, 'sided': 'one' if args.one_sided else 'two'},
        critic_steps=args.critic_steps or recipe['critic_steps'], generator_images=2 if residual32 else 1)


def _recipe(args):
    if args.small:
        return SMALL
    if args.network == 'residual':
        return RESIDUAL_32 if args.size == 32 else RESIDUAL
    return PAPER


def prediction(model):
    return noise_to_pictures.prediction(model, MODELS)
