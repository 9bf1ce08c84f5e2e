"""Trains CenterNet on pictures and boxes in the form of COCO, and evaluates it after each epoch.

    python scripts/get_coco.py
    python scripts/train_centernet.py --data data/coco --devices gpu            # runs/ghost_centernet
    python scripts/train_centernet.py --data data/coco --devices gpu --resume   # after a kill: exactly as if without
    python scripts/train_centernet.py --data data/coco --model centernet_hourglass104 --devices gpu
    python scripts/get_coco.py --synthetic --out data/synthetic_coco
    python scripts/train_centernet.py --data data/synthetic_coco --small        # minutes on two cores

--data is a folder with annotations/instances_train2017.json, annotations/instances_val2017.json and the pictures, as
get_coco.py makes it. The paper tests with evaluate.py --flip, and --scales 0.6 1 1.2 1.5 1.8 for its best numbers.
"""
import argparse
from pathlib import Path

import common

import gluonzoo

# The official code's: 480,000 updates with COCO's 118,287 pictures, at a tenth of the rate in the last 30,000.
PAPER = {
    'part': 6,   # images that a device takes at once: the losses of the tags are summed over them
    'network': {}, 'size': 511, 'test_size': None, 'canvas': 640,   # the photos of COCO fit a square of 640
    'batch_size': 48, 'epochs': 195, 'learning_rate': 2.5e-4, 'ema': None,
    'schedule': ('step', (450 / 480,)), 'warmup': 0,
    'augment': {},
}
# For drawn pictures of 200 to 320 pixels, and little time. All that is to be tuned is here.
SMALL = {
    'part': 8, 'network': {}, 'size': 256, 'test_size': 256, 'canvas': 320,
    'batch_size': 8, 'epochs': 12, 'learning_rate': 1e-3, 'ema': 0.998,
    'schedule': ('cosine', ()), 'warmup': 100,
    'augment': {'scales': [0.8, 0.9, 1.0, 1.1, 1.2], 'colour': False},
}
MODELS = [name for name in gluonzoo.list_models() if 'centernet' in name]


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, help='folder with annotations and pictures')
    parser.add_argument('--model', choices=MODELS, help='(default: ghost_centernet; with --small ghost_centernet_0_5)')
    parser.add_argument('--small', action='store_true', help='ghost_centernet_0_5 at 256 x 256, in minutes')
    common.add_training_arguments(parser, 'runs/MODEL')
    parser.set_defaults(accumulate=None)   # by the recipe
    args = parser.parse_args(argv)
    args.data = args.data.resolve()   # the run shall find it from anywhere
    args.model = args.model or ('ghost_centernet_0_5' if args.small else 'ghost_centernet')
    if args.small and args.model != 'ghost_centernet_0_5':
        parser.error(f'--small: is ghost_centernet_0_5, not {args.model}')
    if args.run == Path('runs/MODEL'):
        args.run = Path('runs', args.model + '_small' * args.small)
    return args


def make_settings(args):
    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    learning_rate = recipe['learning_rate'] if args.lr is None else args.lr
    args.accumulate = args.accumulate or rounds(batch_size, len(args.devices), recipe['part'])
    args.ema = recipe['ema'] if args.ema is None else args.ema
    data = {split: {'name': 'coco_detection', 'path': str(args.data / 'annotations' / f'instances_{split}2017.json')}
            for split in ('train', 'val')}
    train_data = gluonzoo.data.CocoDetection(data['train']['path'])
    steps = epochs * (len(train_data) // batch_size)
    schedule = make_schedule(*recipe['schedule'], recipe['warmup'], steps)
    network = {'name': args.model, 'classes': len(train_data.class_names), **recipe['network']}
    net = gluonzoo.get_model(**network)
    return {
        'task': {'name': 'keypoint_detection', 'network': network, 'class_names': train_data.class_names,
                 'size': recipe['size'], 'test_size': recipe['test_size'], 'max_size': recipe['canvas'],
                 'optimizer': {'name': 'adam', 'learning_rate': learning_rate},
                 'accumulate': args.accumulate, 'clip_norm': args.clip_norm, 'amp': args.amp},
        'train_data': {**data['train'], 'transform': {'name': 'keypoint_train', 'size': recipe['size'],
                                                      'mean': list(net.mean), 'std': list(net.std),
                                                      'classes': net.classes, **recipe['augment']}},
        'val_data': {**data['val'], 'transform': {'name': 'photo', 'size': recipe['canvas']}},
        'fit': common.fit_settings(args, batch_size, epochs, schedule),
    }


def rounds(batch_size, devices, part):
    """How often devices take parts of about so many images to get through a batch."""
    images = batch_size // devices
    return next(count for count in range(max(1, images // part), 0, -1) if images % count == 0)


def make_schedule(name, drops, warmup, steps):
    """The specification of a schedule over so many updates; `drops` are parts of them."""
    warmup = min(warmup, steps // 10)
    if name == 'step':
        return {'name': name, 'milestones': sorted({max(1, round(part * steps)) for part in drops}), 'warmup': warmup}
    return {'name': name, 'steps': max(2, steps), 'warmup': warmup}


def main(argv=None):
    args = parse(argv)
    common.train(make_settings(args), args)


if __name__ == '__main__':
    common.call(main)
