"""Trains pix2pix on pairs of pictures, and evaluates it after each epoch.

    python scripts/get_pairs.py facades
    python scripts/train_pix2pix.py --data data/facades --direction BtoA        # runs/pix2pix_facades
    python scripts/train_pix2pix.py --data data/facades --direction BtoA --resume   # exactly as if there was no break
    python scripts/get_pairs.py --synthetic
    python scripts/train_pix2pix.py --data data/synthetic_pairs --small         # minutes on two cores

--data is a folder with pairs in train and val, or in A/train and B/train, A/val and B/val: get_pairs.py makes such.
--direction says which one is given, and which one is wanted: in facades, A is the photo and B the map.
"""
import argparse
from pathlib import Path

import common

from gluonzoo.data.paired_images import PairedImages, find_pairs

# The official code's, for all generators: batch normalisation, dropout, 100 epochs at a constant rate, 100 down to 0.
PAPER = {'batch_size': 1, 'epochs': 200, 'network': {'norm': 'batch', 'dropout': 0.5}, 'learning_rate': 2e-4}
SIZES = {'unet256': (286, 256), 'unet128': (143, 128), 'resnet_9blocks': (286, 256), 'resnet_6blocks': (143, 128)}
# Narrow networks, small pictures that are not cropped, and a higher rate: for little time.
SMALL = {'batch_size': 4, 'epochs': 30, 'network': {'norm': 'batch', 'width': 16}, 'learning_rate': 6e-4}


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, help='folder with pairs to train and val')
    parser.add_argument('--direction', choices=('AtoB', 'BtoA'), default='AtoB', help='(default: %(default)s)')
    parser.add_argument('--generator', choices=SIZES, help='(default: unet256; with --small unet128)')
    parser.add_argument('--discriminator', choices=('patchgan', 'pixelgan'), default='patchgan',
                        help='(default: %(default)s)')
    parser.add_argument('--objective', choices=('vanilla', 'lsgan', 'wgan'), default='vanilla',
                        help='(default: %(default)s)')
    parser.add_argument('--lambda-l1', type=common.at_least(0, float), default=100.0,
                        help='weight of the difference to the target (default: %(default)g)')
    parser.add_argument('--pool-size', type=common.at_least(0), default=0,
                        help='earlier outputs that the discriminator is shown again (default: %(default)s)')
    parser.add_argument('--test-mode', choices=('batch', 'running'),
                        help="batch: with dropout, and each picture's own statistics, as the official code tests "
                             '(default); running: as networks are usually tested (default with --small)')
    parser.add_argument('--small', action='store_true', help='narrow networks at 128 x 128, in minutes')
    common.add_training_arguments(parser, 'runs/pix2pix_DATA')
    args = parser.parse_args(argv)
    args.generator = args.generator or ('unet128' if args.small else 'unet256')
    if args.small and SIZES[args.generator][1] != 128:
        parser.error(f'--small: is for unet128 and resnet_6blocks, not {args.generator}')
    args.data = args.data.resolve()   # the run shall find it from anywhere
    args.test_mode = args.test_mode or ('running' if args.small else 'batch')
    if args.run == Path('runs/pix2pix_DATA'):
        args.run = Path('runs', f'pix2pix_{args.data.name}' + '_small' * args.small)
    return args


def make_settings(args):
    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    load_size, size = SIZES[args.generator]
    data = {split: {'name': 'paired_images', 'path': find_pairs(args.data, split), 'direction': args.direction}
            for split in ('train', 'val')}
    steps = epochs * (len(PairedImages(data['train']['path'])) // batch_size)
    network = recipe['network']
    learning_rate = recipe['learning_rate'] if args.lr is None else args.lr
    return {
        'task': {'name': 'image_translation', 'generator': {'name': args.generator, **network},
                 'discriminator': {'name': args.discriminator,
                                   **{key: value for key, value in network.items() if key != 'dropout'}},
                 'image_size': size, 'objective': args.objective, 'lambda_l1': args.lambda_l1,
                 'pool_size': args.pool_size, 'test_mode': args.test_mode,
                 'optimizer': {'name': 'adam', 'learning_rate': learning_rate, 'beta1': 0.5},
                 'accumulate': args.accumulate, 'clip_norm': args.clip_norm, 'amp': args.amp},
        'train_data': {**data['train'], 'transform': {'name': 'pair_train', 'crop_size': size,
                                                      'load_size': size if args.small else load_size}},
        'val_data': {**data['val'], 'transform': {'name': 'pair_resize', 'size': size}},
        'fit': common.fit_settings(args, batch_size, epochs,
                                   {'name': 'linear', 'begin': steps // 2, 'steps': max(1, steps)}),
    }


def main(argv=None):
    args = parse(argv)
    common.train(make_settings(args), args)


if __name__ == '__main__':
    common.call(main)
