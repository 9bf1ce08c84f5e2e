"""Trains DSOD from scratch on pictures and boxes in .rec files, and evaluates it after each epoch.

    gluonzoo data pikachu
    gluonzoo train dsod --data data/pikachu                       # runs/dsod_pikachu
    gluonzoo train dsod --data data/pikachu --resume              # after a kill: exactly as if there was none
    gluonzoo train dsod --data data/pikachu --small               # minutes on two cores
    gluonzoo train dsod --data data/voc --model dsod300 --accumulate 16 --devices gpu

Expected: --small on the drawn Pikachu, 20 epochs in 5 minutes on two cores, VOC12 mAP 0.935. dsod300 on VOC: not run
(the paper: 77.7).
"""
from .schedules import make_schedule, number_of_steps

TASK = 'single_shot_detection'
PAGE = 'notes/models/dsod.md'
DATA = 'folder with train.rec, val.rec and classes.txt, as gluonzoo data pikachu and gluonzoo records make it'

# The official code trains for 100,000 updates of VOC 2007 and 2012, which are 773 epochs, and drops the rate four times
# on the way. Here the drops are at the same parts of whatever the training is. The scale and the shift of the heads'
# normalisation have no weight decay there, and nothing else is spared.
PAPER = {'loss': 'paper', 'batch_size': 128, 'epochs': 773, 'augment': {},
         'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 5e-4,
                       'no_decay': ['heads.*.norm.gamma', 'heads.*.norm.beta']},
         'schedule': {'name': 'step', 'drops': (0.2, 0.4, 0.6, 0.8)}}
RECIPES = {
    # DSOD-gluon-mxnet trains at a constant rate, a batch of 4, and names no number of epochs. Not run to the end here.
    'dsod_pikachu': {'loss': 'pikachu', 'batch_size': 32, 'epochs': 200, 'augment': {},
                     'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'wd': 5e-4}, 'schedule': {'name': 'constant'}},
    'dsod300': PAPER,
    'dsod300_smallest': PAPER,
}
MODELS = tuple(RECIPES)
# A narrow dsod_pikachu for small pictures and little time. Its head has no normalisation: SGD at the rate of the paper
# diverges with the paper's loss, Adam does not; and with SSD's crops it needs twice the epochs.
SMALL = {'network': {'stem_filter': 16, 'growth_rate': 16, 'input_size': 192},
         'loss': 'paper', 'batch_size': 16, 'epochs': 20, 'augment': {'expand': 1.5, 'crop': False},
         'optimizer': {'name': 'adam', 'learning_rate': 0.002}, 'schedule': {'name': 'cosine', 'warmup': 50}}


def add_arguments(parser):
    parser.add_argument('--model', choices=MODELS, default='dsod_pikachu', help='(default: %(default)s)')
    parser.add_argument('--small', action='store_true', help='a narrow dsod_pikachu at 192 x 192, in minutes')


def check(parser, args):
    if args.small and args.model != 'dsod_pikachu':
        parser.error(f'--small: is dsod_pikachu, not {args.model}')


def run_name(args):
    return args.model + '_small' * args.small


def settings(args):
    from ..data import DetectionRecords
    from ..registry import get_model

    recipe = SMALL if args.small else RECIPES[args.model]
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    train_data = DetectionRecords(str(args.data / 'train.rec'))
    steps = number_of_steps(epochs, len(train_data), batch_size)
    network = {'name': args.model, 'classes': len(train_data.class_names), **recipe.get('network', {})}
    net = get_model(**network)
    look = {'size': net.input_size, 'mean': list(net.mean), 'std': list(net.std)}
    optimizer = {**recipe['optimizer'], **({} if args.lr is None else {'learning_rate': args.lr})}
    return {
        'task': {'name': TASK, 'net': network, 'class_names': train_data.class_names,
                 'loss': recipe['loss'], 'optimizer': optimizer},
        'train_data': {'name': 'detection_records', 'path': str(args.data / 'train.rec'),
                       'transform': {'name': 'ssd_train', **look, **recipe['augment']}},
        'val_data': {'name': 'detection_records', 'path': str(args.data / 'val.rec'),
                     'transform': {'name': 'resize', **look}},
        'fit': {'batch_size': batch_size, 'epochs': epochs,
                'schedule': make_schedule(steps=steps, **recipe['schedule'])},
    }


def prediction(model):
    if model == 'dsod_pikachu':
        names = ['pikachu']
    else:   # the official weights are of VOC
        from gluoncv.data import VOCDetection
        names = list(VOCDetection.CLASSES)
    return {'name': TASK, 'net': {'name': model, 'classes': len(names)}, 'class_names': names}
