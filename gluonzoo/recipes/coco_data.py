"""Data in the form of COCO: which annotations and pictures of a folder are trained on."""

__all__ = ['add_arguments', 'check', 'data_of']

SPLITS = ('train', 'val')


def add_arguments(parser):
    for split, what in zip(SPLITS, ('train on', 'validate with')):
        parser.add_argument(f'--{split}-annotations', metavar='FILE', help=f'what to {what}, a path from --data '
                            '(default: what is found there)')
        parser.add_argument(f'--{split}-images', metavar='FOLDER', help=f'the pictures to {what}, a path from --data '
                            '(default: what has the name of the annotation file, or images)')


def check(parser, args):
    if (args.train_annotations is None) != (args.val_annotations is None):
        parser.error('--train-annotations, --val-annotations: give both')


def data_of(args, split):
    """The settings of the dataset 'train' or 'val', but for its transform."""
    from ..data.coco_files import find_annotations

    file, images = (getattr(args, f'{split}_{what}') for what in ('annotations', 'images'))
    path = find_annotations(args.data)[split] if file is None else args.data / file
    data = {'name': 'coco_detection', 'path': str(path)}
    return data if images is None else {**data, 'images': str(args.data / images)}
