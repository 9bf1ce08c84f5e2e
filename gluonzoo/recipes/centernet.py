"""Trains CenterNet on pictures and boxes in the form of COCO, and evaluates it after each epoch.

    gluonzoo data coco
    gluonzoo train centernet --data data/coco --devices gpu            # runs/ghost_centernet
    gluonzoo train centernet --data data/coco --devices gpu --resume   # after a kill: exactly as if there was none
    gluonzoo train centernet --data data/coco --model centernet_hourglass104 --devices gpu
    gluonzoo data coco --synthetic --out data/synthetic_coco
    gluonzoo train centernet --data data/synthetic_coco --small        # minutes on two cores

The paper tests with gluonzoo evaluate --set task.flip=true, and for its best numbers with --set
task.scales=[0.6,1,1.2,1.5,1.8].

Expected: --small on the drawn pictures, 12 epochs in 23 minutes on two cores, AP 0.738, AP50 0.919 (with mxnet_adam).
COCO: not run (the paper: AP 44.9 for the 104).
"""
from . import coco_data
from .datasets import class_names_and_count
from .rounds import rounds
from .schedules import make_schedule, number_of_steps

TASK = 'keypoint_detection'
PAGE = 'notes/models/centernet.md'
DATA = ('folder with annotations/instances_train2017.json, annotations/instances_val2017.json and the pictures, as '
        'gluonzoo data coco makes it; or with files of other names, such as train.json and val.json')
MODELS = ('centernet_hourglass104', 'centernet_hourglass52', 'ghost_centernet', 'ghost_centernet_0_5',
          'ghost_centernet_1_3')

# The official code's: 480,000 updates with COCO's 118,287 pictures, at a tenth of the rate in the last 30,000.
PAPER = {
    'part': 6,   # images that a device takes at once: the losses of the tags are summed over them
    'network': {}, 'size': 511, 'test_size': None, 'canvas': 640,   # the photos of COCO fit a square of 640
    'batch_size': 48, 'epochs': 195, 'learning_rate': 2.5e-4, 'ema': None,
    'schedule': {'name': 'step', 'drops': (450 / 480,), 'warmup': 0},
    'augment': {},
}
# For drawn pictures of 200 to 320 pixels, and little time. All that is to be tuned is here.
SMALL = {
    'part': 8, 'network': {}, 'size': 256, 'test_size': 256, 'canvas': 320,
    'batch_size': 8, 'epochs': 12, 'learning_rate': 1e-3, 'ema': 0.998,
    'schedule': {'name': 'cosine', 'warmup': 100},
    'augment': {'scales': [0.8, 0.9, 1.0, 1.1, 1.2], 'colour': False},
}


def add_arguments(parser):
    parser.add_argument('--model', choices=MODELS, help='(default: ghost_centernet; with --small ghost_centernet_0_5)')
    parser.add_argument('--small', action='store_true', help='ghost_centernet_0_5 at 256 x 256, in minutes')
    coco_data.add_arguments(parser)


def check(parser, args):
    args.model = args.model or ('ghost_centernet_0_5' if args.small else 'ghost_centernet')
    if args.small and args.model != 'ghost_centernet_0_5':
        parser.error(f'--small: is ghost_centernet_0_5, not {args.model}')
    coco_data.check(parser, args)


def run_name(args):
    return args.model + '_small' * args.small


def settings(args):
    from ..registry import get_model

    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    learning_rate = recipe['learning_rate'] if args.lr is None else args.lr
    data = {split: coco_data.data_of(args, split) for split in coco_data.SPLITS}
    class_names, count = class_names_and_count(data['train'])
    classes = len(class_names)
    steps = number_of_steps(epochs, count, batch_size)
    network = {'name': args.model, 'classes': classes, **recipe['network']}
    net = get_model(**network)
    return {
        'task': {'name': TASK, 'net': network, 'class_names': class_names,
                 'size': recipe['size'], 'test_size': recipe['test_size'], 'max_size': recipe['canvas'],
                 'optimizer': {'name': 'adam', 'learning_rate': learning_rate}},
        'train_data': {**data['train'], 'transform': {'name': 'keypoint_train', 'size': recipe['size'],
                                                      'mean': list(net.mean), 'std': list(net.std),
                                                      'classes': classes, **recipe['augment']}},
        'val_data': {**data['val'], 'transform': {'name': 'photo', 'size': recipe['canvas']}},
        'engine': {'accumulate': rounds(batch_size, len(args.devices), recipe['part'])},
        'fit': {'batch_size': batch_size, 'epochs': epochs, 'ema': recipe['ema'],
                'schedule': make_schedule(steps=steps, **recipe['schedule'])},
    }


def prediction(model):
    from gluoncv.data import COCODetection

    names = list(COCODetection.CLASSES)   # in the order of the category ids, as the official code has them
    return {'name': TASK, 'net': {'name': model, 'classes': len(names)}, 'class_names': names}
