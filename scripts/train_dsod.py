"""Trains DSOD from scratch on pictures and boxes in .rec files, and evaluates it after each epoch.

    python scripts/get_pikachu.py
    python scripts/train_dsod.py --data data/pikachu                       # runs/dsod_pikachu
    python scripts/train_dsod.py --data data/pikachu --resume              # after a kill: exactly as if there was none
    python scripts/train_dsod.py --data data/pikachu --small               # minutes on two cores, see make demo
    python scripts/train_dsod.py --data data/voc --model dsod300 --accumulate 16 --devices gpu

--data is a folder with train.rec, val.rec and classes.txt: get_pikachu.py and make_rec.py make such.
"""
import argparse
from pathlib import Path

import common

import gluonzoo

# The official code trains for 100,000 updates of VOC 2007 and 2012, which are 773 epochs, and drops the rate four times
# on the way. Here the drops are at the same parts of whatever the training is.
PAPER = {'loss': 'paper', 'batch_size': 128, 'epochs': 773, 'augment': {},
         'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 5e-4},
         'schedule': ('step', (0.2, 0.4, 0.6, 0.8))}
RECIPES = {
    'dsod300': PAPER,
    'dsod300_smallest': PAPER,
    # DSOD-gluon-mxnet trains at a constant rate, a batch of 4, and names no number of epochs. Not run to the end here.
    'dsod_pikachu': {'loss': 'pikachu', 'batch_size': 32, 'epochs': 200, 'augment': {},
                     'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'wd': 5e-4}, 'schedule': ('constant', ())},
}
# A narrow dsod_pikachu for small pictures and little time. Its head has no normalisation: SGD at the rate of the paper
# diverges with the paper's loss, Adam does not; and with SSD's crops it needs twice the epochs.
SMALL = {'network': {'stem_filter': 16, 'growth_rate': 16, 'input_size': 192},
         'loss': 'paper', 'batch_size': 16, 'epochs': 20, 'augment': {'expand': 1.5, 'crop': False},
         'optimizer': {'name': 'adam', 'learning_rate': 0.002}, 'schedule': ('cosine', ())}


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, help='folder with train.rec, val.rec and classes.txt')
    parser.add_argument('--model', choices=RECIPES, default='dsod_pikachu')
    parser.add_argument('--small', action='store_true', help='a narrow dsod_pikachu at 192 x 192, in minutes')
    common.add_training_arguments(parser, 'runs/MODEL')
    args = parser.parse_args(argv)
    if args.small and args.model != 'dsod_pikachu':
        parser.error(f'--small: is dsod_pikachu, not {args.model}')
    args.data = args.data.resolve()   # the run shall find it from anywhere
    if args.run == Path('runs/MODEL'):
        args.run = Path('runs', args.model + '_small' * args.small)
    return args


def make_settings(args):
    recipe = SMALL if args.small else RECIPES[args.model]
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    train_data = gluonzoo.data.DetectionRecords(args.data / 'train.rec')
    steps = epochs * (len(train_data) // batch_size)
    network = {'name': args.model, 'classes': len(train_data.class_names), **recipe.get('network', {})}
    net = gluonzoo.get_model(**network)
    look = {'size': net.input_size, 'mean': list(net.mean), 'std': list(net.std)}
    optimizer = {**recipe['optimizer'], **({} if args.lr is None else {'learning_rate': args.lr})}
    return {
        'task': {'name': 'single_shot_detection', 'network': network, 'class_names': train_data.class_names,
                 'loss': recipe['loss'], 'optimizer': optimizer, 'accumulate': args.accumulate,
                 'clip_norm': args.clip_norm, 'amp': args.amp},
        'train_data': {'name': 'detection_records', 'path': str(args.data / 'train.rec'),
                       'transform': {'name': 'ssd_train', **look, **recipe['augment']}},
        'val_data': {'name': 'detection_records', 'path': str(args.data / 'val.rec'),
                     'transform': {'name': 'resize', **look}},
        'fit': common.fit_settings(args, batch_size, epochs, make_schedule(*recipe['schedule'], steps)),
    }


def make_schedule(name, drops, steps):
    """The specification of a schedule over so many updates; `drops` are parts of them."""
    if name == 'step':
        return {'name': name, 'milestones': sorted({max(1, round(part * steps)) for part in drops})}
    if name == 'cosine':
        return {'name': name, 'steps': max(2, steps), 'warmup': min(50, steps // 10)}
    return {'name': name}


def main(argv=None):
    args = parse(argv)
    common.train(make_settings(args), args)


if __name__ == '__main__':
    common.call(main)
