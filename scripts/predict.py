"""Predicts on your own pictures with what a run has trained: one picture with the result drawn for each, and one JSON.

    python scripts/predict.py --run runs/dsod_pikachu --images photo.jpg folder/ --out out/
    python scripts/predict.py --run runs/ghost_centernet --images street.jpg --out out/ --heatmaps

--images takes files and folders (with their subfolders) of JPEG, PNG, BMP, TIFF and WebP; grey, with transparency, 16
bits, and turned as a camera's EXIF says are all right. Coordinates in predictions.json are pixels of the photo as one
sees it. Files that cannot be read are listed at the end, and the exit code is then 1.
"""
import argparse
import json
import sys
from pathlib import Path

import common
from tqdm import tqdm

from gluonzoo.pictures.decode import SUFFIXES, ImageError, read_image
from gluonzoo.pictures.jpeg import write_jpeg


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', type=Path, required=True, help='the directory of the run')
    parser.add_argument('--which', choices=('best', 'last'), default='best', help='checkpoint (default: %(default)s)')
    parser.add_argument('--images', type=Path, nargs='+', required=True, help='files and folders')
    parser.add_argument('--out', type=Path, default=Path('out'), help='(default: %(default)s)')
    parser.add_argument('--batch-size', type=common.at_least(1), default=8, help='pictures in memory at a time')
    common.add_test_arguments(parser)
    parser.add_argument('--heatmaps', action='store_true',
                        help='keypoint detection: also the heat of the top-left corners (red), the bottom-right '
                             'corners (blue) and the centres (green) over each photo')
    common.add_devices(parser)
    return parser.parse_args(argv)


def find(paths):
    """Yields (file, its name below the path that was given). Raises ValueError for a path that is not there."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob('*')):
                if file.suffix.lower() in SUFFIXES and file.is_file():
                    yield file, file.relative_to(path)
        elif path.exists():
            yield path, Path(path.name)
        else:
            raise ValueError(f'--images: {path} does not exist')


def free_name(out, name, taken):
    """Where a result goes below --out: the picture's own name, numbered if a result or a photo has it already."""
    number, free = 1, name.with_suffix('.jpg')
    while (out / free).resolve() in taken:
        number += 1
        free = name.with_name(f'{name.stem}-{number}.jpg')
    taken.add((out / free).resolve())
    return free


def main(argv=None):
    args = parse(argv)
    found = list(find(args.images))
    if not found:
        raise ValueError(f'--images: no pictures ({", ".join(sorted(SUFFIXES))}) in {", ".join(map(str, args.images))}')
    run, task, checkpoint = common.open_run(args.run, args.which, args.devices, **common.overrides(args))
    if args.heatmaps and not hasattr(task, 'heatmaps'):
        raise ValueError(f'--heatmaps: {run.settings["task"]["name"]} has none; keypoint_detection has')
    report, unreadable = [], []
    taken = {file.resolve() for file, _ in found}   # no photo is written over
    args.out.mkdir(parents=True, exist_ok=True)
    for begin in tqdm(range(0, len(found), args.batch_size), 'predict', unit=' batches', leave=False):
        batch = []
        for file, name in found[begin:begin + args.batch_size]:
            try:
                batch.append((file, name, read_image(file)))
            except (ImageError, OSError) as error:
                unreadable.append(str(error))
        for (file, name, image), result in zip(batch, task.predict([image for *_, image in batch])):
            target = free_name(args.out, name, taken)
            write_jpeg(args.out / target, task.draw(image, result))
            report.append({'file': str(file), 'width': image.shape[1], 'height': image.shape[0],
                           'picture': str(target), **task.describe(result)})
            if args.heatmaps:
                target = free_name(args.out, name.with_name(f'{name.stem}-heatmaps.jpg'), taken)
                write_jpeg(args.out / target, task.heatmaps(image))
                report[-1]['heatmaps'] = str(target)
    (args.out / 'predictions.json').write_text(
        json.dumps({'checkpoint': str(checkpoint), 'unreadable': unreadable, 'images': report}, indent=1) + '\n')
    print(f'{len(report)} pictures: {args.out}; what was found: {args.out / "predictions.json"}')
    for line in unreadable:
        print(f'not read: {line}', file=sys.stderr)
    return 1 if unreadable else 0


if __name__ == '__main__':
    common.call(main)
