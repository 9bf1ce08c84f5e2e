"""Predicts on your own pictures: one picture with the result drawn for each, and one JSON.

    gluonzoo predict --run runs/dsod_pikachu --images photo.jpg folder/ --out out/
    gluonzoo predict --run runs/ghost_centernet --images street.jpg --out out/ --views
    gluonzoo predict --model ghostnet_1_0 --weights ghostnet.safetensors --images photo.jpg    # without a run

--images takes files and folders (with their subfolders) of JPEG, PNG, BMP, TIFF, WebP and GIF (AVIF with Pillow 11.3,
HEIC with pillow-heif); grey, with transparency, 16 bits, and turned as a camera's EXIF says are all right. Coordinates
in predictions.json are pixels of the photo as one sees it. Files that cannot be read, and
pictures of other kinds, are listed at the end, and the exit code is then 1.
"""
from pathlib import Path

from ..recipes.arguments import at_least
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model


def add_arguments(parser):
    add_run_arguments(parser, required=False)
    add_model_arguments(parser)
    parser.add_argument('--images', type=Path, nargs='+', required=True, help='files and folders')
    parser.add_argument('--out', type=Path, default=Path('out'), help='(default: %(default)s)')
    parser.add_argument('--batch-size', type=at_least(1), default=8,
                        help='pictures in memory at a time, fewer if they are large (default: %(default)s)')
    parser.add_argument('--views', action='store_true',
                        help='also what else there is to see, such as the heat maps of keypoints')


check = check_run_or_model


def run(args):
    import json
    import sys

    from tqdm import tqdm

    from ..pictures.decode import OTHER_SUFFIXES, SUFFIXES, ImageError, read_image
    from ..pictures.files_in_batches import files_in_batches
    from ..pictures.jpeg import write_jpeg
    from ..tasks import Task

    found = list(find(args.images, SUFFIXES + OTHER_SUFFIXES))   # those that are not read are told
    if not found:
        raise ValueError(f'--images: no pictures ({", ".join(sorted(SUFFIXES))}) in {", ".join(map(str, args.images))}')
    task, settings, source = open_run_or_model(args)
    if args.views and type(task).views is Task.views:
        raise ValueError(f'--views: the task {settings["task"]["name"]} has none')
    report, unreadable = [], []
    taken = {file.resolve() for file, _ in found}   # no photo is written over
    args.out.mkdir(parents=True, exist_ok=True)
    parts = list(files_in_batches(found, args.batch_size))
    for part in tqdm(parts, 'predict', unit=' batches', leave=False):
        batch = []
        for file, name in part:
            try:
                batch.append((file, name, read_image(file)))
            except (ImageError, OSError) as error:
                unreadable.append(str(error))
        for (file, name, image), result in zip(batch, task.predict([image for *_, image in batch])):
            target = free_name(args.out, name, taken)
            write_jpeg(args.out / target, task.draw(image, result))
            report.append({'file': str(file), 'width': image.shape[1], 'height': image.shape[0],
                           'picture': str(target), **task.describe(result)})
            for view, picture in task.views(image).items() if args.views else ():
                target = free_name(args.out, name.with_name(f'{name.stem}-{view}.jpg'), taken)
                write_jpeg(args.out / target, picture)
                report[-1][view] = str(target)
    (args.out / 'predictions.json').write_text(
        json.dumps({'checkpoint': str(source), 'unreadable': unreadable, 'images': report}, indent=1) + '\n')
    print(f'{len(report)} pictures: {args.out}; what was found: {args.out / "predictions.json"}')
    for line in unreadable:
        print(f'not read: {line}', file=sys.stderr)
    return 1 if unreadable else 0


def find(paths, suffixes):
    """Yields (file, its name below the path that was given). Raises ValueError for a path that is not there."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob('*')):
                if file.suffix.lower() in suffixes and file.is_file():
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
