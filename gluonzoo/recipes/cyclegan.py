"""Trains CycleGAN on pictures of two domains without pairs, and evaluates it after each epoch.

    gluonzoo data unpaired horse2zebra
    gluonzoo train cyclegan --data data/horse2zebra            # runs/cyclegan_horse2zebra
    gluonzoo train cyclegan --data data/horse2zebra --resume   # exactly as if there was no break
    gluonzoo data unpaired --synthetic
    gluonzoo train cyclegan --data data/synthetic_unpaired --small     # minutes on two cores

A and B are the two domains. A training learns both directions; gluonzoo predict and gluonzoo export take the one from
A to B, and with --set task.direction=BtoA the other one.

Expected: --small on the drawn seasons, 5 epochs in 4 minutes of one processor, SWD 68.3, where pictures left as they
are have 182.8. The original datasets: not run.
"""
from .arguments import at_least
from .schedules import linear_by_epochs

TASK = 'cyclegan'
PAGE = 'notes/models/cyclegan.md'
DATA = ('folder with the pictures of both domains in trainA, trainB, testA and testB, as gluonzoo data unpaired makes '
        'it; also A/train, B/train, A/val, B/val')

# The official code's: 100 epochs at a constant rate, 100 down to nearly 0.
PAPER = {'batch_size': 1, 'epochs': 200, 'width': 64, 'learning_rate': 2e-4, 'pool_size': 50}
SIZES = {'resnet_9blocks': (286, 256), 'resnet_6blocks': (143, 128)}   # of pictures: resized to, cut out of that
# Narrow networks and small pictures that are not cropped: for little time. In more epochs, houses become trees.
SMALL = {'batch_size': 2, 'epochs': 5, 'width': 16, 'learning_rate': 4e-4, 'pool_size': 50, 'size': 64}
LEAST = 24   # pixels a side, of which a discriminator makes a score
MODELS = tuple(SIZES)


def add_arguments(parser):
    parser.add_argument('--generator', choices=SIZES, help='(default: resnet_9blocks; with --small resnet_6blocks)')
    parser.add_argument('--size', type=at_least(LEAST), help='sides of the pictures that are cut out, in pixels '
                        '(default: 256; of resnet_6blocks 128; with --small 64)')
    parser.add_argument('--objective', choices=('lsgan', 'vanilla'), default='lsgan',
                        help='(default: %(default)s)')
    parser.add_argument('--lambda-a', type=at_least(0, float), default=10.0, help='weight of the difference of a '
                        'picture of A to what comes back from B (default: %(default)g)')
    parser.add_argument('--lambda-b', type=at_least(0, float), default=10.0,
                        help='likewise, of B (default: %(default)g)')
    parser.add_argument('--lambda-identity', type=at_least(0, float), default=0.5, help='weight of the change of a '
                        'picture that is of the wanted domain, as a part of the others (default: %(default)g)')
    parser.add_argument('--pool-size', type=at_least(0), help='earlier outputs that each discriminator is shown again '
                        '(default: 50)')
    parser.add_argument('--small', action='store_true', help='narrow networks at 64 x 64, in minutes')


def check(parser, args):
    args.generator = args.generator or ('resnet_6blocks' if args.small else 'resnet_9blocks')


def run_name(args):
    return f'cyclegan_{args.data.name}' + '_small' * args.small


def settings(args):
    from .datasets import unpaired_and_count

    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    data, count = unpaired_and_count(args.data)
    load_size, size = SIZES[args.generator]
    if args.small or args.size:
        # The official code's 286 : 256; small pictures have little room for it.
        load_size, size = (recipe['size'],) * 2 if not args.size else (round(args.size * 286 / 256), args.size)
    norm = {'width': recipe['width'], 'norm': 'instance'}
    generator, discriminator = {'name': args.generator, **norm}, {'name': 'patchgan', 'in_channels': 3, **norm}
    return {
        'task': {'name': TASK, 'generator_ab': generator, 'generator_ba': dict(generator),
                 'discriminator_a': discriminator, 'discriminator_b': dict(discriminator), 'image_size': size,
                 'objective': args.objective, 'lambda_a': args.lambda_a, 'lambda_b': args.lambda_b,
                 'lambda_identity': args.lambda_identity,
                 'pool_size': recipe['pool_size'] if args.pool_size is None else args.pool_size,
                 'optimizer': {'name': 'adam', 'beta1': 0.5,
                               'learning_rate': recipe['learning_rate'] if args.lr is None else args.lr}},
        'train_data': {**data['train'], 'transform': {'name': 'unpaired_train', 'load_size': load_size,
                                                      'crop_size': size}},
        'val_data': {**data['val'], 'serial': True, 'transform': {'name': 'unpaired_test', 'size': size}},
        'fit': {'batch_size': batch_size, 'epochs': epochs,
                'schedule': linear_by_epochs(epochs, max(1, count // batch_size))},
    }


def prediction(model):
    return {'name': TASK, 'generator_ab': {'name': model}, 'image_size': SIZES[model][1]}
