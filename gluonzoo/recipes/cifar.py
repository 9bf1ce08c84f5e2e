"""Trains a residual network on the small pictures of CIFAR-10 or CIFAR-100, with or without each of the known tricks.

    gluonzoo data cifar10
    gluonzoo train cifar --data data/cifar10                      # runs/cifar_resnet32
    gluonzoo train cifar --data data/cifar10 --model resnet32d --zero-gamma --cosine --mixup 1.0 \\
        --label-smoothing 0.1 --warmup 5 --no-bias-decay
    gluonzoo data digits
    gluonzoo train cifar --data data/digits --no-flip --small     # handwritten digits, a minute or two on two cores

Without a trick the training is that of the network's authors: SGD for 164 epochs, a batch of 128, the rate divided by
ten at half and at three quarters. scripts/cifar_table.py trains every combination of the table of tricks, and says what
each gives.
"""
from . import tricks
from .schedules import number_of_steps

TASK = 'classification'
PAGE = 'notes/models/classification.md'
DATA = 'folder with CIFAR-10 or CIFAR-100 in the binary form, as gluonzoo data cifar10 and gluonzoo data digits make it'

DEPTHS = (20, 32, 44, 56, 110)
PLAIN = tuple(f'cifar_resnet{depth}' for depth in DEPTHS)
MODELS = (*PLAIN, *(f'{name}d' for name in PLAIN), 'cifar_resnet32_sk')
CIFAR10 = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')

# "Deep Residual Learning", section 4.2: 64,000 updates, which are 164 epochs of CIFAR-10; the rate is divided by ten
# after 32,000 and 48,000. The tricks' public code trains for 200 epochs with a batch of 64 or 400 with one of 128, and
# divides it after 39,000 and 59,000 of 156,000 updates.
PAPER = {'model': 'cifar_resnet32', 'batch_size': 128, 'epochs': 164, 'learning_rate': 0.1, 'wd': 1e-4,
         'drops': (1 / 2, 3 / 4)}
# As fast for each picture with a smaller batch, whose rate is smaller in proportion, and four times the updates.
SMALL = {**PAPER, 'model': 'cifar_resnet20', 'batch_size': 32, 'learning_rate': 0.025, 'epochs': 10}


def add_arguments(parser):
    parser.add_argument('--model', type=_whole_name, choices=MODELS, metavar='MODEL',
                        help=f'{", ".join(name[len("cifar_"):] for name in MODELS)} (default: resnet32; with --small '
                        'resnet20)')
    parser.add_argument('--shortcut', choices=('A', 'B'), help='of plain networks, where the shape changes: A, zeros '
                        'for the new channels (default), or B, a 1x1 convolution')
    parser.add_argument('--labels', choices=('fine', 'coarse'), help='of CIFAR-100: 100 classes (default), or 20')
    tricks.add_arguments(parser)
    parser.add_argument('--cosine', action='store_true',
                        help='the rate falls along a cosine with every update, instead of twice')
    parser.add_argument('--no-flip', action='store_true', help='do not mirror pictures: for digits and letters')
    parser.add_argument('--small', action='store_true', help='resnet20, 10 epochs with a batch of 32')


def _whole_name(name):
    return name if name.startswith('cifar_') else f'cifar_{name}'


def check(parser, args):
    args.model = args.model or (SMALL if args.small else PAPER)['model']
    if args.shortcut and args.model not in PLAIN:
        parser.error(f'--shortcut: is of plain networks, not of {args.model}')
    tricks.check(parser, args)


def run_name(args):
    return args.model + '_small' * args.small


def settings(args):
    from ..data import CIFAR
    from ..registry import get_model

    recipe = SMALL if args.small else PAPER
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    labels = {'labels': args.labels} if args.labels else {}
    train, val = ({'name': 'cifar', **CIFAR.in_folder(args.data, split), **labels} for split in ('train', 'val'))
    data = CIFAR(**{key: value for key, value in train.items() if key != 'name'})
    network = {'name': args.model, 'classes': len(data.class_names), **tricks.network(args),
               **({'shortcut': args.shortcut} if args.shortcut else {})}
    net = get_model(**network)
    look = {'mean': list(net.mean), 'std': list(net.std)}
    steps = number_of_steps(epochs, len(data), batch_size)
    return {
        'task': {'name': TASK, 'net': network, 'class_names': data.class_names, 'size': net.input_size, 'crop': 1.0,
                 **look, **tricks.learning(args, recipe), 'optimizer': tricks.optimizer(args, recipe)},
        'train_data': {**train, 'transform': {'name': 'cifar_train', 'flip': not args.no_flip, **look}},
        'val_data': {**val, 'transform': {'name': 'middle_crop', 'size': net.input_size, 'crop': 1.0, **look}},
        'fit': {'batch_size': batch_size, 'epochs': epochs, 'schedule': tricks.schedule(
                    args, recipe, steps, epochs, 'cosine' if args.cosine else 'step')},
    }


def prediction(model):
    """With the mean and std of ImageNet, the task's own: the weights that can be converted were trained so."""
    return {'name': TASK, 'net': {'name': model, 'classes': len(CIFAR10)}, 'class_names': list(CIFAR10), 'size': 32,
            'crop': 1.0}
