"""Trains WGAN on a folder of pictures: a generator, and a critic whose parameters are clipped.

    gluonzoo data faces --synthetic
    gluonzoo train wgan --data data/faces --small                    # minutes on two cores
    gluonzoo train wgan --data my_photos --size 64
    gluonzoo train wgan --data my_photos --generator mlp             # without convolutions; also --critic mlp
    gluonzoo train wgan --data my_photos --norm none                 # a generator without batch normalisation
    gluonzoo sample --run runs/wgan_faces_small --out made.png

Before each of the critic's steps, all its parameters are clipped to -0.01 .. 0.01. The critic has 5 steps for one of
the generator, and 100 for each of the generator's first 25 updates and for every 500th one.

Expected: see notes/models/gan.md. LSUN: not run.
"""
from . import noise_to_pictures
from .arguments import at_least
from .noise_to_pictures import DATA, TASK, run_name  # noqa: F401

PAGE = 'notes/models/gan.md'
MODELS = ('mlp_generator', 'mlp_critic')   # besides those of DCGAN
SIZES = (32, 64, 128)
KINDS = {'dcgan': ('dcgan_generator', 'dcgan_discriminator'), 'mlp': MODELS}

# The official code's.
PAPER = {'size': 64, 'batch_size': 64, 'epochs': 25, 'learning_rate': 5e-5, 'width': {'dcgan': 64, 'mlp': 512},
         'critic_steps': {'usual': 5, 'more': 100, 'first': 25, 'every': 500}}
SMALL = {'size': 32, 'batch_size': 64, 'epochs': 60, 'learning_rate': 2e-4, 'width': {'dcgan': 32, 'mlp': 256},
         'critic_steps': {'usual': 5, 'more': 20, 'first': 25, 'every': 500}}
# PyTorch's RMSprop adds 1e-8 to the root. MXNet adds its epsilon under the root, and its default of 1e-8 would be as
# large there as the squares of a clipped critic's gradients.
RMSPROP = {'name': 'rmsprop', 'gamma1': .99, 'epsilon': 1e-16}


def add_arguments(parser):
    parser.add_argument('--generator', choices=KINDS, default='dcgan', help='(default: %(default)s)')
    parser.add_argument('--critic', choices=KINDS, default='dcgan', help='(default: %(default)s)')
    parser.add_argument('--norm', choices=('batch', 'none'), default='batch',
                        help='normalisation in the generator of DCGAN (default: %(default)s)')
    parser.add_argument('--critic-norm', choices=('batch', 'none'), default='batch',
                        help='normalisation in the critic of DCGAN (default: %(default)s)')
    parser.add_argument('--extra-layers', type=at_least(0), default=0, metavar='N',
                        help='convolutions of 3x3 more in the networks of DCGAN (default: %(default)s)')
    parser.add_argument('--clip', type=at_least(1e-6, float), default=.01,
                        help='the most that a parameter of the critic may be (default: %(default)g)')
    noise_to_pictures.add_arguments(parser, SIZES, PAPER['size'], '5, and 100 at times; with --small 20 at times')


def check(parser, args):
    args.size = args.size or (SMALL if args.small else PAPER)['size']
    for name, kind in (('norm', 'generator'), ('critic_norm', 'critic')):
        if getattr(args, name) != 'batch' and getattr(args, kind) == 'mlp':
            parser.error(f'--{name.replace("_", "-")}: only with --{kind} dcgan')
    if args.extra_layers and 'mlp' == args.generator == args.critic:
        parser.error('--extra-layers: only with --generator dcgan or --critic dcgan')


def settings(args):
    recipe = SMALL if args.small else PAPER
    networks = []
    for place, (kind, norm) in enumerate(((args.generator, args.norm), (args.critic, args.critic_norm))):
        own = {'norm': norm, 'extra_layers': args.extra_layers} if kind == 'dcgan' else {}
        networks.append({'name': KINDS[kind][place], 'width': recipe['width'][kind], **own})
    steps = recipe['critic_steps'] if args.critic_steps is None else args.critic_steps
    return noise_to_pictures.settings_of(args, recipe, *networks, RMSPROP, objective='wgan', clip=args.clip,
                                         critic_steps=steps)


def prediction(model):
    return noise_to_pictures.prediction(model, MODELS)
