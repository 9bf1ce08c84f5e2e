"""Trains DCGAN on a folder of pictures: a generator that makes such pictures from noise.

    gluonzoo data faces --synthetic
    gluonzoo train dcgan --data data/faces --small               # minutes on two cores
    gluonzoo train dcgan --data my_photos --size 64              # any folder of pictures
    gluonzoo train dcgan --data data/digits --grey --variant mmagic --lr 1e-4 --generator-lr 4e-4   # MMagic's MNIST
    gluonzoo sample --run runs/dcgan_faces_small --out made.png

The networks are those of the paper, as WGAN's authors have them, or MMagic's (--variant mmagic), which has two slips.

Expected: see notes/models/gan.md. LSUN, CelebA and MNIST: not run.
"""
from . import noise_to_pictures
from .noise_to_pictures import DATA, TASK, run_name  # noqa: F401

PAGE = 'notes/models/gan.md'
MODELS = ('dcgan_generator', 'dcgan_discriminator')
SIZES = (32, 64, 128)

# Adam of the paper, and its batch. The epochs are those of the official Torch code.
PAPER = {'size': 64, 'batch_size': 128, 'epochs': 25, 'learning_rate': 2e-4, 'network': {}}
SMALL = {'size': 32, 'batch_size': 32, 'epochs': 30, 'learning_rate': 4e-4, 'network': {'width': 32}}


def add_arguments(parser):
    parser.add_argument('--variant', choices=('paper', 'mmagic'), default='paper', help='(default: %(default)s)')
    parser.add_argument('--noise', choices=('normal', 'uniform'), default='normal',
                        help='N(0, 1), as in the codes, or -1..1, as in the paper (default: %(default)s)')
    noise_to_pictures.add_arguments(parser, SIZES, PAPER['size'], 1)


def check(parser, args):
    args.size = args.size or (SMALL if args.small else PAPER)['size']


def settings(args):
    recipe = SMALL if args.small else PAPER
    network = {'variant': args.variant, **recipe['network']}
    return noise_to_pictures.settings_of(
        args, recipe, {'name': 'dcgan_generator', **network}, {'name': 'dcgan_discriminator', **network},
        {'name': 'adam', 'beta1': .5}, noise=args.noise, critic_steps=args.critic_steps or 1)


def prediction(model):
    return noise_to_pictures.prediction(model, MODELS)
