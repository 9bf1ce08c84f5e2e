"""Trains a classifier on photos: ImageNet, or your own pictures with a folder for each class.

    gluonzoo train imagenet --data imagenet --model ghostnet_1_0 --devices gpu      # runs/ghostnet_1_0
    gluonzoo train imagenet --data imagenet --model sknet50 --accumulate 8
    gluonzoo train imagenet --data mine --small                   # your own pictures, minutes on two cores
    gluonzoo train imagenet --data mine --small --model ghostnet_1_0 --weights ghostnet.safetensors --partial
    gluonzoo data pictures                                        # drawn ones, to try it: data/pictures

A folder has train/CLASS/... and val/CLASS/... with pictures of any kind and size; or train.rec, val.rec and
classes.txt, as im2rec makes them; or a dataset as gluonzoo data cub, aircraft, cars and dogs make it. The last line but
one starts from official weights (gluonzoo convert), and is what a few hundred pictures of one's own need: the last
layer alone starts anew.

None of the networks was trained on ImageNet here. GhostNet's authors have published no training. They name 400
epochs, a warm-up of 5 and a cosine in answers to questions; the other numbers are of a user's training, which reached a
top-1 of 73.4 %, where theirs has 73.98 %.
"""
from . import tricks
from .arguments import between
from .datasets import class_names_and_count
from .schedules import number_of_steps

TASK = 'classification'
PAGE = 'notes/models/classification.md'
DATA = ('folder with train/CLASS/*.jpg and val/CLASS/*.jpg, of pictures of any kind, or with train.rec, val.rec and '
        'classes.txt')

# GhostNet: 400 epochs, the warm-up and the cosine are its authors' words, the rest a user's numbers. (For the decay the
# authors advise 3e-5 or 1e-5.) SKNet: the paper's; the prototxt decays neither biases nor normalisation.
GHOSTNET = {'batch_size': 1024, 'epochs': 400, 'learning_rate': 0.4, 'wd': 4e-5, 'smoothing': 0.1, 'warmup': 5}
SKNET = {'batch_size': 256, 'epochs': 100, 'learning_rate': 0.1, 'wd': 1e-4, 'smoothing': 0.1,
         'drops': (0.3, 0.6, 0.9), 'no_decay': tricks.NOT_DECAYED}
# darknet53.cfg: 800,000 updates, of which the first 1,000 are a burn-in; there, the rate falls with the fourth power of
# what is left, here by a cosine.
DARKNET = {'batch_size': 128, 'epochs': 80, 'learning_rate': 0.1, 'wd': 5e-4, 'warmup': 0.1,
           'no_decay': tricks.NOT_DECAYED}
# github.com/pytorch/examples, imagenet/main.py. torchvision's weights of Inception v3 come from TensorFlow, though;
# the paper's training by RMSProp is not here.
RESNET = {'batch_size': 256, 'epochs': 90, 'learning_rate': 0.1, 'wd': 1e-4, 'drops': (1 / 3, 2 / 3)}
RECIPES = {'darknet53': DARKNET, 'ghostnet_0_5': GHOSTNET, 'ghostnet_1_0': GHOSTNET, 'ghostnet_1_3': GHOSTNET,
           'inception_v3': RESNET, 'resnet34': RESNET, 'resnet50': RESNET, 'sknet50': SKNET, 'sknet101': SKNET,
           'vgg19_bn': {**RESNET, 'learning_rate': 0.01}}
MODELS = tuple(RECIPES)
LEAST_SIDE = 75   # of pictures for inception_v3, which pads hardly any of its maps
# For some hundred pictures: they are seen at half the size, and less of a picture is cut away than from a million.
SMALL = {'model': 'ghostnet_0_5', 'size': 112, 'batch_size': 32, 'epochs': 30, 'learning_rate': 0.1, 'wd': 4e-5,
         'smoothing': 0.1, 'warmup': 2, 'augment': {'least_area': 0.35, 'jitter': 0.2, 'lighting': 0.0}}


def add_arguments(parser):
    parser.add_argument('--model', choices=MODELS, help='(default: ghostnet_1_0; with --small ghostnet_0_5)')
    parser.add_argument('--size', type=between(32, 1024), help="pixels that the network sees (default: the network's "
                        f'own; with --small {SMALL["size"]})')
    tricks.add_arguments(parser)
    parser.add_argument('--small', action='store_true', help='few pictures, little time')


def check(parser, args):
    args.model = args.model or (SMALL['model'] if args.small else 'ghostnet_1_0')
    if args.zero_gamma:
        parser.error(f'--zero-gamma: is of residual networks as those of gluonzoo train cifar, not of {args.model}')
    if args.model == 'inception_v3' and args.size is not None and args.size < LEAST_SIDE:
        parser.error(f'--size: must be at least {LEAST_SIDE} for inception_v3: {args.size}')
    tricks.check(parser, args)


def run_name(args):
    return args.model + '_small' * args.small


def settings(args):
    from ..data.fine_grained import dataset_kind
    from ..registry import DATASETS, get_model

    recipe = SMALL if args.small else RECIPES[args.model]
    name = 'labelled_records' if (args.data / 'train.rec').exists() else dataset_kind(args.data)
    train, val = (DATASETS.target(name).in_folder(args.data, split) for split in ('train', 'val'))
    class_names, count = class_names_and_count({'name': name, **train})
    names = {'class_names': class_names}   # so that numbers mean the same in both parts
    batch_size = args.batch_size or (min(recipe['batch_size'], count) if args.small else recipe['batch_size'])
    epochs = args.epochs or recipe['epochs']
    network = {'name': args.model, 'classes': len(class_names)}
    net = get_model(**network)
    size = args.size or recipe.get('size', net.input_size)
    if args.model == 'vgg19_bn':
        network['size'] = size   # its fully connected layers take pictures of one size
    look = {'size': size, 'mean': list(net.mean), 'std': list(net.std)}
    steps = number_of_steps(epochs, count, batch_size)
    return {
        'task': {'name': TASK, 'net': network, **names, **look, **tricks.learning(args, recipe),
                 'optimizer': tricks.optimizer(args, recipe)},
        'train_data': {'name': name, **train, **names,
                       'transform': {'name': 'imagenet_train', **look, **recipe.get('augment', {})}},
        'val_data': {'name': name, **val, **names, 'transform': {'name': 'middle_crop', **look}},
        'fit': {'batch_size': batch_size, 'epochs': epochs, 'schedule': tricks.schedule(
                    args, recipe, steps, epochs, 'step' if 'drops' in recipe else 'cosine')},
    }


def prediction(model):
    from gluoncv.data import ImageNet1kAttr

    if model == 'darknet53':   # darknet's weights count the classes in another order than GluonCV's
        names = [f'class {number}' for number in range(1000)]
    else:
        names = list(ImageNet1kAttr().classes)
    look = {}   # of the others: the task's own
    if model == 'inception_v3':
        from ..models.inception import MEAN, STD

        look = {'size': 299, 'mean': list(MEAN), 'std': list(STD)}
    return {'name': TASK, 'net': {'name': model, 'classes': len(names)}, 'class_names': names, **look}
