"""Trains pix2pix on pairs of pictures, and evaluates it after each epoch.

    gluonzoo data facades
    gluonzoo train pix2pix --data data/facades --direction BtoA            # runs/pix2pix_facades
    gluonzoo train pix2pix --data data/facades --direction BtoA --resume   # exactly as if there was no break
    gluonzoo data pairs --synthetic
    gluonzoo train pix2pix --data data/synthetic_pairs --small             # minutes on two cores

--direction says which picture of a pair is given, and which one is wanted: in facades, A is the photo and B the map.

Expected: --small on the drawn pairs, 30 epochs in 9 minutes on two cores, SSIM 0.850. The original datasets: not run.
"""
from .arguments import at_least
from .schedules import number_of_steps

TASK = 'pix2pix'
PAGE = 'notes/models/pix2pix.md'
DATA = ('folder with pairs in train and val, or in A/train and B/train, A/val and B/val, as gluonzoo data facades '
        'makes it')

# The official code's, for all generators: batch normalisation, dropout, 100 epochs at a constant rate, 100 down to 0.
PAPER = {'batch_size': 1, 'epochs': 200, 'network': {'norm': 'batch', 'dropout': 0.5}, 'learning_rate': 2e-4}
SIZES = {'unet256': (286, 256), 'unet128': (143, 128), 'resnet_9blocks': (286, 256), 'resnet_6blocks': (143, 128)}
# Narrow networks, small pictures that are not cropped, and a higher rate: for little time.
SMALL = {'batch_size': 4, 'epochs': 30, 'network': {'norm': 'batch', 'width': 16}, 'learning_rate': 6e-4}
DISCRIMINATORS = ('patchgan', 'pixelgan')
UNETS = ('unet256', 'unet128')
MODELS = (*UNETS, *DISCRIMINATORS)   # the other generators predict as CycleGAN's do


def add_arguments(parser):
    parser.add_argument('--direction', choices=('AtoB', 'BtoA'), default='AtoB', help='(default: %(default)s)')
    parser.add_argument('--generator', choices=SIZES, help='(default: unet256; with --small unet128)')
    parser.add_argument('--discriminator', choices=DISCRIMINATORS, default='patchgan', help='(default: %(default)s)')
    parser.add_argument('--objective', choices=('vanilla', 'lsgan', 'wgan', 'wgan-gp'), default='vanilla',
                        help='wgan-gp: the discriminator has instance normalisation (default: %(default)s)')
    parser.add_argument('--lambda-l1', type=at_least(0, float), default=100.0,
                        help='weight of the difference to the target (default: %(default)g)')
    parser.add_argument('--pool-size', type=at_least(0), default=0,
                        help='earlier outputs that the discriminator is shown again (default: %(default)s)')
    parser.add_argument('--test-mode', choices=('batch', 'running'),
                        help="batch: with dropout, and each picture's own statistics, as the official code tests "
                             '(default); running: as networks are usually tested (default with --small)')
    parser.add_argument('--small', action='store_true', help='narrow networks at 128 x 128, in minutes')


def check(parser, args):
    args.generator = args.generator or ('unet128' if args.small else 'unet256')
    if args.small and SIZES[args.generator][1] != 128:
        parser.error(f'--small: is for unet128 and resnet_6blocks, not {args.generator}')
    args.test_mode = args.test_mode or ('running' if args.small else 'batch')


def run_name(args):
    return f'pix2pix_{args.data.name}' + '_small' * args.small


def settings(args):
    from ..data import PairedImages
    from ..data.paired_images import find_pairs

    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    load_size, size = SIZES[args.generator]
    data = {split: {'name': 'paired_images', 'path': find_pairs(args.data, split), 'direction': args.direction}
            for split in ('train', 'val')}
    steps = number_of_steps(epochs, len(PairedImages(data['train']['path'])), batch_size)
    network = recipe['network']
    judge = {key: value for key, value in network.items() if key != 'dropout'}
    if args.objective == 'wgan-gp':
        judge['norm'] = 'instance'   # the penalty is of each pair by itself, which batch normalisation does not allow
    learning_rate = recipe['learning_rate'] if args.lr is None else args.lr
    return {
        'task': {'name': TASK, 'generator': {'name': args.generator, **network},
                 'discriminator': {'name': args.discriminator, **judge},
                 'image_size': size, 'objective': args.objective, 'lambda_l1': args.lambda_l1,
                 'pool_size': args.pool_size, 'test_mode': args.test_mode,
                 'optimizer': {'name': 'adam', 'learning_rate': learning_rate, 'beta1': 0.5}},
        'train_data': {**data['train'], 'transform': {'name': 'pair_train', 'crop_size': size,
                                                      'load_size': size if args.small else load_size}},
        'val_data': {**data['val'], 'transform': {'name': 'pair_resize', 'size': size}},
        'fit': {'batch_size': batch_size, 'epochs': epochs,
                'schedule': {'name': 'linear', 'begin': steps // 2, 'steps': max(1, steps)}},
    }


def prediction(model):
    if model in DISCRIMINATORS:
        raise ValueError(f'--model: {model} judges pictures, and makes none; there are {", ".join(UNETS)}')
    return {'name': TASK, 'generator': {'name': model}, 'image_size': SIZES[model][1]}
