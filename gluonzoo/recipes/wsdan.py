"""Trains WS-DAN on pictures whose classes differ in a small part, and evaluates it after each epoch.

    gluonzoo data cub --archive CUB_200_2011.tgz                          # data/cub; also aircraft, cars, dogs
    gluonzoo train wsdan --data data/cub --backbone inception_v3 --weights start.safetensors --partial --devices gpu
    gluonzoo train wsdan --data data/cub --backbone resnet50 --devices gpu          # from scratch
    gluonzoo train wsdan --data data/aircraft --variant official --weights official.safetensors --partial --devices gpu
    gluonzoo data cub --synthetic --out data/birds                        # drawn birds, to try it
    gluonzoo train wsdan --data data/birds --small                        # minutes on two cores
    gluonzoo train wsdan --data data/birds --small --alone                # the same backbone without attention

start.safetensors is what gluonzoo convert --model wsdan_inception_v3 makes of torchvision's weights of inception_v3,
official.safetensors what it makes with --settings '{"variant": "official"}', which takes attention from them, too.
Without such weights, a few thousand photos are too few. Other pictures than these four datasets may lie in
train/CLASS/... and val/CLASS/...

The numbers are those of both codes: 160 epochs of 12 pictures of 448 x 448, rate 0.001, which every second epoch is
multiplied by 0.9. The centers' rate stays 0.05.
"""
from .arguments import between
from .datasets import class_names_and_count
from .imagenet import LEAST_SIDE
from .schedules import make_schedule, number_of_steps

TASK = 'wsdan'
PAGE = 'notes/models/wsdan.md'
DATA = ('folder with a dataset as gluonzoo data cub, aircraft, cars or dogs makes it, or with train/CLASS/*.jpg and '
        'val/CLASS/*.jpg')
BACKBONES = ('inception_v3', 'resnet50', 'resnet34', 'vgg19_bn', 'cifar_resnet20')
MODELS = tuple(f'wsdan_{backbone}' for backbone in BACKBONES)
VARIANTS = ('guyuc', 'official')

# 'sketch': numbers of a compact feature for each map.
COMMON = {'backbone': 'inception_v3', 'batch_size': 12, 'epochs': 160, 'maps': 32, 'sketch': 256,
          'optimizer': {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': 0.9, 'wd': 1e-5}}
# From scratch, and by AdamW: 100 x the feature makes the gradient of the last layer a hundred times as large as those
# of the others, and no one rate of SGD suits both. The backbone's last maps have 12 x 12 cells.
SMALL = {'backbone': 'cifar_resnet20', 'batch_size': 16, 'epochs': 10, 'maps': 8, 'sketch': 16,
         'optimizer': {'name': 'adamw', 'learning_rate': 1e-3, 'wd': 1e-4}}
# Of the ways tried (also AdamW as above, and batches of 16) the best for the backbone alone.
SMALL_ALONE = {**SMALL, 'batch_size': 32,
               'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 1e-4}}
BETA = 0.05   # the rate of the centers


def add_arguments(parser):
    parser.add_argument('--backbone', choices=BACKBONES, help=f'(default: {COMMON["backbone"]}; with --small '
                        f'{SMALL["backbone"]})')
    parser.add_argument('--variant', choices=VARIANTS, default='guyuc',
                        help='which public code to follow where they differ (default: %(default)s)')
    parser.add_argument('--maps', type=between(1, 512), metavar='M', help=f'attention maps (default: {COMMON["maps"]}; '
                        f'with --small {SMALL["maps"]})')
    parser.add_argument('--pooling', choices=('exact', 'compact'), default='exact',
                        help='compact: features are sketched, so the last layer is smaller (default: %(default)s)')
    parser.add_argument('--sketch', type=between(1, 1 << 20), metavar='L',
                        help=f'numbers of a compact feature, a multiple of M (default: {COMMON["sketch"]} M; with '
                        f'--small {SMALL["sketch"]} M)')
    parser.add_argument('--size', type=between(32, 1024), metavar='S',
                        help="pixels that the network sees (default: the network's own, 448; of cifar_resnet20 96)")
    parser.add_argument('--small', action='store_true', help='a small network and small pictures, in minutes')
    parser.add_argument('--alone', action='store_true',
                        help='the backbone as a plain classifier, to compare')


def check(parser, args):
    args.backbone = args.backbone or (SMALL if args.small else COMMON)['backbone']
    if args.variant == 'official' and args.backbone != 'inception_v3':
        parser.error(f'--variant: official is of inception_v3 alone, not of {args.backbone}')
    if args.backbone == 'inception_v3' and args.size is not None and args.size < LEAST_SIDE:
        parser.error(f'--size: must be at least {LEAST_SIDE} for inception_v3: {args.size}')
    if args.sketch is not None and args.pooling != 'compact':
        parser.error('--sketch: is of --pooling compact')
    if args.alone:
        for name, given in (('variant', args.variant != 'guyuc'), ('maps', args.maps is not None),
                            ('pooling', args.pooling != 'exact')):
            if given:
                parser.error(f'--{name}: is of attention, and --alone has none')


def run_name(args):
    if args.alone:
        return args.backbone + '_alone' + '_small' * args.small
    return (f'wsdan_{args.backbone}' + '_official' * (args.variant == 'official')
            + '_compact' * (args.pooling == 'compact') + '_small' * args.small)


def settings(args):
    from ..data.fine_grained import dataset_kind
    from ..registry import DATASETS, get_model

    recipe = (SMALL_ALONE if args.alone else SMALL) if args.small else COMMON
    kind = dataset_kind(args.data)
    train, val = (DATASETS.target(kind).in_folder(args.data, split) for split in ('train', 'val'))
    class_names, count = class_names_and_count({'name': kind, **train})
    names = {'class_names': class_names}   # so that numbers mean the same in both parts
    batch_size = args.batch_size or (min(recipe['batch_size'], count) if args.small else recipe['batch_size'])
    epochs = args.epochs or recipe['epochs']
    steps_an_epoch = number_of_steps(1, count, batch_size)
    optimizer = dict(recipe['optimizer'])
    if args.lr is not None:
        optimizer['learning_rate'] = args.lr
    schedule = (make_schedule('cosine', epochs * steps_an_epoch, warmup=100) if args.small else
                {'name': 'step', 'factor': 0.9,
                 'milestones': [epoch * steps_an_epoch for epoch in range(2, epochs, 2) if steps_an_epoch]})
    wsdan = {'name': f'wsdan_{args.backbone}', 'classes': len(class_names), 'maps': args.maps or recipe['maps'],
             'variant': args.variant, 'pooling': args.pooling}
    if args.pooling == 'compact':
        wsdan['sketch'] = recipe['sketch'] * wsdan['maps'] if args.sketch is None else args.sketch
    size = args.size or get_model(**wsdan).input_size
    alone = {'name': args.backbone, 'classes': len(class_names)}
    if args.backbone == 'cifar_resnet20':
        alone['stem_stride'] = 2   # as in wsdan_cifar_resnet20
    elif args.backbone == 'vgg19_bn':
        alone['size'] = size   # its fully connected layers take pictures of one size
    network = alone if args.alone else wsdan
    net = get_model(**network)
    look = {'size': size, 'mean': list(net.mean), 'std': list(net.std)}
    return {
        'task': {'name': 'classification', 'net': network, **names, **look, 'optimizer': optimizer} if args.alone else
                {'name': TASK, 'net': network, **names, **look,
                 'optimizer': {'net': optimizer, 'center': {'name': 'sgd', 'learning_rate': BETA, 'wd': 0.0}}},
        'train_data': {'name': kind, **train, **names, 'transform': {'name': 'fine_grained_train', **look}},
        'val_data': {'name': kind, **val, **names, 'transform': {'name': 'fine_grained_middle', **look}},
        'fit': {'batch_size': batch_size, 'epochs': epochs,
                'schedule': schedule if args.alone else {'net': schedule, 'center': {'name': 'constant'}}},
    }


def prediction(model):
    # CUB's 200; which they are, the weights do not say
    return {'name': TASK, 'net': {'name': model, 'classes': 200}, 'class_names': [f'class {n}' for n in range(200)]}
