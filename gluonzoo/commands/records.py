"""Makes records to train a detector on out of annotated pictures of your own.

    gluonzoo records --from voc --data VOCdevkit/VOC2007 --out data/mine
    gluonzoo records --from voc --data VOCdevkit/VOC2007 VOCdevkit/VOC2012 --splits trainval test --out data/voc

The formats are those of gluonzoo.data.annotations, also as Roboflow, Ultralytics and CVAT lay them out: voc (XML
files), coco (JSON), csv (image or filename, xmin, ymin, xmax, ymax, class) and yolo (text files beside the pictures or
in labels, and classes.txt, data.yaml, or obj.names and obj.data). Folders within folders are read, and what is left out
is counted.
The output, train.rec, train.idx, val.rec, val.idx and classes.txt, appears when all is done. The splits are those of
the data: train and val (or valid), or trainval and test, or train and test. If it has none, a part chosen at random
becomes val.
"""
from pathlib import Path

from ..recipes.arguments import at_least, between, fraction

FORMATS = ('voc', 'coco', 'csv', 'yolo')
VAL_FRACTION, SEED = .1, 0


def add_arguments(parser):
    parser.add_argument('--from', dest='form', required=True, choices=FORMATS, help='the format of the data')
    parser.add_argument('--data', type=Path, nargs='+', required=True, metavar='DIR',
                        help='the folder of the data, or several that become one')
    parser.add_argument('--out', type=Path, default=Path('data/mine'), help='a new folder (default: %(default)s)')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help='the splits to train and to validate with, by the names that the data gives them, such as '
                             'trainval test; one alone is parted at random')
    parser.add_argument('--unit', choices=('pixels', 'fractions'),
                        help='what boxes of csv and coco are in: pixels, or fractions of the width and height of the '
                             'picture (default: pixels)')
    parser.add_argument('--val-fraction', type=fraction,
                        help=f'of the pictures, if the data has no splits (default: {VAL_FRACTION})')
    parser.add_argument('--seed', type=at_least(0), help=f'of that choice (default: {SEED})')
    parser.add_argument('--quality', type=between(1, 100), default=95,
                        help='of the JPEGs that are encoded here, 1 to 100 (default: %(default)s)')
    parser.add_argument('--resize-shorter', type=at_least(1), metavar='N',
                        help='scale pictures down whose shorter side has more than N pixels, to N')
    parser.add_argument('--skip-broken', action='store_true',
                        help='leave out what is broken and list it at the end, where otherwise the first is an error')


def check(parser, args):
    try:
        if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
            parser.error(f'--out: must be a new or an empty folder: {args.out}')
    except OSError as error:
        parser.error(f'--out: {args.out}: {error.strerror}')
    if args.splits and (len(args.splits) > 2 or len(set(args.splits)) < len(args.splits)):
        parser.error(f'--splits: must be one name, or two different ones: {" ".join(args.splits)}')
    if args.unit and args.form not in ('csv', 'coco'):
        parser.error(f'--unit: is for csv and coco; boxes of {args.form} are always '
                     f'{"fractions" if args.form == "yolo" else "pixels"}')


def run(args):
    from ..data.annotations import read_annotations
    from ..data.make_records import make_records, remarks, split

    annotations = read_annotations(args.form, args.data, args.skip_broken, args.splits, args.unit)
    splits = annotations.splits
    if 'all' in splits:
        splits = split(splits['all'], VAL_FRACTION if args.val_fraction is None else args.val_fraction,
                       SEED if args.seed is None else args.seed)
    elif args.val_fraction is not None or args.seed is not None:
        raise ValueError('--val-fraction and --seed: are for data without splits; '
                         f'{" ".join(map(str, args.data))} has splits of its own')
    lines = make_records(annotations, splits, args.out, args.resize_shorter, args.quality, args.skip_broken)
    print('\n'.join([*lines, *remarks(annotations)]))
    print(f'{args.out}: train.rec, val.rec and classes.txt, of {len(annotations.class_names)} classes')
