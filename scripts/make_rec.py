"""Makes records to train on out of annotated pictures of your own.

    python scripts/make_rec.py --from voc --data VOCdevkit/VOC2007 --out data/mine

The formats are those of gluonzoo.data.annotations: voc (a folder of XML files), coco (JSON), csv (image, xmin, ymin,
xmax, ymax, class) and yolo (text files beside the pictures, and classes.txt). The output, train.rec,
train.idx, val.rec, val.idx and classes.txt, appears when all is done. The splits are those of the data; if it has none,
a part chosen at random becomes val.
"""
import argparse
import io
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from gluonzoo.data.annotations import FORMATS, AnnotationError, read_annotations
from gluonzoo.data.records import write_records
from gluonzoo.pictures.decode import ImageError, read_image
from gluonzoo.pictures.resize import resize

VAL_FRACTION, SEED, QUALITY = .1, 0, 95
FEW = 20   # lines of a list that are shown
ORIENTATION = 0x0112   # the EXIF tag


def split(annotated, val_fraction, seed):
    """Two lists, in the order of the one: a random part of so large a fraction is the second. Neither is empty."""
    if len(annotated) < 2:
        raise AnnotationError('one picture cannot be split into train and val')
    count = min(max(1, round(val_fraction * len(annotated))), len(annotated) - 1)
    chosen = set(np.random.Generator(np.random.PCG64(seed)).permutation(len(annotated))[:count].tolist())
    return {'train': [one for index, one in enumerate(annotated) if index not in chosen],
            'val': [one for index, one in enumerate(annotated) if index in chosen]}


def encode(one, shorter):
    """(image, boxes) of an annotated picture for write_records. ImageError if it cannot be decoded.

    It is scaled down if its shorter side has more than `shorter` pixels.
    """
    data = one.image.read_bytes()
    image = read_image(data)
    height, width = image.shape[:2]
    if shorter is not None and min(height, width) > shorter:
        scale = shorter / min(height, width)
        size = round(scale * width), round(scale * height)
        return resize(image, *size), one.boxes * np.tile(np.divide(size, (width, height)), 2)
    return data if is_upright_jpeg(data) else image, one.boxes


def is_upright_jpeg(data):
    """Whether the file can be stored as it is: also readers that do not know of EXIF show it upright."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.format == 'JPEG' and image.getexif().get(ORIENTATION, 1) == 1
    except Exception:   # Pillow raises errors of many kinds at damaged EXIF
        return False


def samples(annotated, shorter, skip_broken, skipped, objects):
    """Yields what write_records takes, and counts the `objects` of each class.

    A picture that cannot be decoded raises AnnotationError; with `skip_broken` it is appended to `skipped`, and only if
    none is left that is an error.
    """
    left = False
    for one in annotated:
        try:
            image, boxes = encode(one, shorter)
        except (ImageError, OSError) as error:
            if not skip_broken:
                raise AnnotationError(f'{one.image}: {error}') from error
            skipped.append(f'{one.image}: {error}')
            continue
        left = True
        objects.update(one.labels.tolist())
        yield image, boxes, one.labels, one.difficult
    if not left:
        raise AnnotationError('\n  '.join(['no picture is left', *skipped[:FEW]]))


def make(annotations, splits, out, shorter, quality, skip_broken):
    """Writes the folder. Returns a line about each split."""
    lines = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'{out.name}.part-', dir=out.parent) as staging:
        whole = Path(staging) / 'dataset'
        whole.mkdir()
        for name, annotated in splits.items():
            objects = Counter()
            progress = tqdm(annotated, f'{name}.rec', unit=' pictures')
            count = write_records(whole / f'{name}.rec', samples(
                progress, shorter, skip_broken, annotations.skipped, objects), quality)
            classes = ', '.join(f'{objects[label]} {what}' for label, what in enumerate(annotations.class_names))
            lines.append(f'{name}: {count} pictures, {sum(objects.values())} objects ({classes})')
        (whole / 'classes.txt').write_text('\n'.join(annotations.class_names) + '\n', 'utf-8')
        whole.replace(out)
    return lines


def remarks(annotations):
    """Lines about what was left out or changed."""
    yield from (f'{what}: {count}' for what, count in sorted(annotations.counts.items()))
    if annotations.skipped:
        yield f'left out as broken: {len(annotations.skipped)}'
        yield from (f'  {line}' for line in annotations.skipped[:FEW])
        if len(annotations.skipped) > FEW:
            yield f'  and {len(annotations.skipped) - FEW} more'


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--from', dest='form', required=True, choices=list(FORMATS), help='the format of the data')
    parser.add_argument('--data', type=Path, required=True, help='the folder of the data')
    parser.add_argument('--out', type=Path, default=Path('data/mine'), help='a new folder (default: %(default)s)')
    parser.add_argument('--val-fraction', type=float,
                        help=f'of the pictures, if the data has no splits (default: {VAL_FRACTION})')
    parser.add_argument('--seed', type=int, help=f'of that choice (default: {SEED})')
    parser.add_argument('--quality', type=int, default=QUALITY,
                        help='of the JPEGs that are encoded here, 1 to 100 (default: %(default)s)')
    parser.add_argument('--resize-shorter', type=int, metavar='N',
                        help='scale pictures down whose shorter side has more than N pixels, to N')
    parser.add_argument('--skip-broken', action='store_true',
                        help='leave out what is broken and list it at the end, where otherwise the first is an error')
    args = parser.parse_args(argv)
    for name, value, good, rule in (
            ('val-fraction', args.val_fraction, lambda value: 0 < value < 1, 'between 0 and 1'),
            ('seed', args.seed, lambda value: value >= 0, 'at least 0'),
            ('quality', args.quality, lambda value: 1 <= value <= 100, '1 to 100'),
            ('resize-shorter', args.resize_shorter, lambda value: value >= 1, 'at least 1')):
        if value is not None and not good(value):
            parser.error(f'--{name}: must be {rule}: {value}')
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        parser.error(f'--out: must be a new or an empty folder: {args.out}')
    return args


def main(argv=None):
    args = parse(argv)
    try:
        annotations = read_annotations(args.form, args.data, args.skip_broken)
        splits = annotations.splits
        if 'all' in splits:
            splits = split(splits['all'], VAL_FRACTION if args.val_fraction is None else args.val_fraction,
                           SEED if args.seed is None else args.seed)
        elif args.val_fraction is not None or args.seed is not None:
            raise AnnotationError(f'{args.data}: has splits of its own; --val-fraction and --seed are for data without')
        lines = make(annotations, splits, args.out, args.resize_shorter, args.quality, args.skip_broken)
    except ValueError as error:   # an AnnotationError, or what write_records says of no pictures at all
        print(f'make_rec: {error}', file=sys.stderr)
        return 1
    print('\n'.join([*lines, *remarks(annotations)]))
    print(f'{args.out}: train.rec, val.rec and classes.txt, of {len(annotations.class_names)} classes')
    return 0


if __name__ == '__main__':
    sys.exit(main())
