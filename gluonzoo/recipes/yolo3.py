"""Trains YOLOv3 on pictures and boxes, in .rec files or in the form of COCO, and evaluates it after each epoch.

    gluonzoo train yolo3 --data data/voc --box-loss giou --devices gpu      # runs/yolo3_darknet53_giou
    gluonzoo train yolo3 --data data/voc --devices gpu --resume             # after a kill: exactly as if there was none
    gluonzoo train yolo3 --data data/voc --way gluoncv --devices gpu        # mixup, SSD's crops, plain resizing
    gluonzoo train yolo3 --data data/voc --weights darknet53.safetensors --partial --devices gpu
    gluonzoo train yolo3 --data demo/data --small                           # minutes on two cores

darknet53.safetensors is what gluonzoo convert makes of darknet53.conv.74. VOC becomes .rec files by gluonzoo records;
so do the text files of YOLO's own form.

Expected: --small on the drawn Pikachu, 20 epochs in 6 minutes on one core, VOC12 mAP 0.924, COCO's AP 0.471. VOC and
COCO: not run (the paper of GIoU, on VOC: AP 0.461 with mse, 0.477 with giou).
"""
from . import coco_data
from .datasets import class_names_and_count
from .rounds import rounds
from .schedules import make_schedule, number_of_steps

TASK = 'yolo_detection'
PAGE = 'notes/models/yolo3.md'
DATA = ('folder with train.rec, val.rec and classes.txt, as gluonzoo data pikachu and gluonzoo records make it; or '
        'with annotations/instances_train2017.json ... as gluonzoo data coco makes it')
MODELS = ('yolo3_darknet53', 'yolo3_mobilenet1_0')
BOX_LOSSES = ('mse', 'iou', 'giou', 'diou', 'ciou')

SIZES = list(range(320, 609, 32))
COMMON = {'part': 4, 'network': {}, 'size': 416, 'sizes': SIZES, 'batch_size': 64, 'augment': {},
          'optimizer': {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': 0.9, 'wd': 5e-4,
                        'no_decay': ['gamma', 'beta', 'bias']}}
WAYS = {
    # darknet's yolov3.cfg: 500,200 updates of COCO, which are 273 epochs, and a tenth of the rate after 400,000 and
    # 450,000. The largest of the sizes in the last 200.
    'darknet': {**COMMON, 'transforms': ('darknet_train', 'letterbox'), 'epochs': 273, 'largest_last': 200,
                'schedule': {'name': 'step', 'drops': (0.8, 0.9), 'warmup': 1000, 'warmup_power': 4}},
    # GluonCV's train_yolo3.py with its options --mixup and --no-wd. It has no warm-up by default: users report losses
    # of NaN without one. It starts from a backbone that was trained on ImageNet, which is not to be had; --weights FILE
    # --partial starts from weights of one's own.
    'gluoncv': {**COMMON, 'transforms': ('ssd_train', 'resize'), 'epochs': 200, 'mixup': 1.5,
                'epochs_without_mixup': 20, 'schedule': {'name': 'step', 'drops': (0.8, 0.9), 'warmup': 1000}},
}
# A narrow and shallow yolo3_darknet53 for small pictures and little time. Not by Adam: it remembers for a thousand
# updates how large the gradient of the objectness is at first.
SMALL = {'part': 16, 'network': {'width': 0.25, 'depths': [1, 1, 2, 2, 1]}, 'size': 192, 'sizes': None,
         'transforms': ('darknet_train', 'letterbox'), 'batch_size': 16, 'epochs': 20, 'augment': {},
         'optimizer': {**COMMON['optimizer'], 'learning_rate': 1e-2},
         'schedule': {'name': 'cosine', 'warmup': 30, 'warmup_power': 4}}


def add_arguments(parser):
    parser.add_argument('--model', choices=MODELS, default='yolo3_darknet53', help='(default: %(default)s)')
    parser.add_argument('--way', choices=tuple(WAYS), default='darknet',
                        help='whose numbers the training has (default: %(default)s)')
    parser.add_argument('--box-loss', choices=BOX_LOSSES, default='giou', help='(default: %(default)s)')
    parser.add_argument('--activation', choices=('leaky', 'mish'), default='leaky',
                        help='of the backbone of yolo3_darknet53 (default: %(default)s)')
    parser.add_argument('--label-smoothing', type=float, default=0.0, metavar='PART',
                        help='how far the targets of the classes are from 0 and 1 (default: %(default)s)')
    parser.add_argument('--size', type=int, metavar='S', help='pixels of the images to evaluate with '
                        f'(default: 416; with --small {SMALL["size"]}, to train, too)')
    coco_data.add_arguments(parser)
    parser.add_argument('--small', action='store_true', help='a narrow yolo3_darknet53 at 192 x 192, in minutes')


def check(parser, args):
    if args.small and args.model != 'yolo3_darknet53':
        parser.error(f'--small: is yolo3_darknet53, not {args.model}')
    if args.small and args.way != 'darknet':
        parser.error(f'--small: is trained in its own way, not in that of {args.way}')
    if args.activation != 'leaky' and args.model != 'yolo3_darknet53':
        parser.error(f'--activation: {args.model} has its own')
    if args.size is not None and (args.size < 32 or args.size % 32):
        parser.error(f'--size: must be a multiple of 32: {args.size}')
    coco_data.check(parser, args)
    if not 0 <= args.label_smoothing < 0.5:
        parser.error(f'--label-smoothing: must be from 0 to below 0.5: {args.label_smoothing}')


def run_name(args):
    mish = '_mish' * (args.activation == 'mish')
    return f'{args.model}{mish}_{args.box_loss}' + '_gluoncv' * (args.way == 'gluoncv') + '_small' * args.small


def settings(args):
    from ..registry import get_model

    recipe = SMALL if args.small else WAYS[args.way]
    batch_size, epochs = args.batch_size or recipe['batch_size'], args.epochs or recipe['epochs']
    size, sizes = args.size or recipe['size'], recipe['sizes']
    data = {split: _data(args, split) for split in coco_data.SPLITS}
    class_names, count = class_names_and_count(data['train'])
    steps_an_epoch = number_of_steps(1, count, batch_size)
    steps = epochs * steps_an_epoch
    network = {'name': args.model, 'classes': len(class_names), **recipe['network']}
    if args.model == 'yolo3_darknet53':
        network['activation'] = args.activation
    net = get_model(**network)
    look = {'mean': list(net.mean), 'std': list(net.std)}
    train, val = recipe['transforms']
    task = {'name': TASK, 'net': network, 'class_names': class_names, 'size': size,
            'letterbox': val == 'letterbox', 'box_loss': args.box_loss,
            'smoothing': args.label_smoothing, 'sizes': sizes,
            'optimizer': {**recipe['optimizer'], **({} if args.lr is None else {'learning_rate': args.lr})}}
    if 'largest_last' in recipe:
        task['largest_from'] = steps - min(recipe['largest_last'], steps // 10)
    if 'mixup' in recipe:
        task['mixup'] = recipe['mixup']
        task['mixup_until'] = max(0, epochs - recipe['epochs_without_mixup']) * steps_an_epoch
    return {
        'task': task,
        'train_data': {**data['train'], 'transform': {'name': train, 'size': max(sizes or [size]), **look,
                                                      **recipe['augment']}},
        'val_data': {**data['val'], 'transform': {'name': val, 'size': size, **look}},
        'engine': {'accumulate': rounds(batch_size, len(args.devices), recipe['part'])},
        'fit': {'batch_size': batch_size, 'epochs': epochs,
                'schedule': make_schedule(steps=steps, **recipe['schedule'])},
    }


def _data(args, split):
    """The settings of a dataset, but for its transform."""
    if any((args.data / name).exists() for name in ('train.rec', 'val.rec')) and args.train_annotations is None:
        return {'name': 'detection_records', 'path': str(args.data / f'{split}.rec')}
    try:
        return coco_data.data_of(args, split)
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(f'{error}. Of other annotations, gluonzoo records makes train.rec and val.rec') from None


def prediction(model):
    from gluoncv.data import COCODetection

    names = list(COCODetection.CLASSES)   # in the order of coco.names of darknet
    return {'name': TASK, 'net': {'name': model, 'classes': len(names)}, 'class_names': names}
