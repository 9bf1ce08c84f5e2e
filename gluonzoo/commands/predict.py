"""Predicts on your own pictures: one picture with the result drawn for each, and one JSON.

    gluonzoo predict --run runs/dsod_pikachu --images photo.jpg folder/ --out out/
    gluonzoo predict --run runs/ghost_centernet --images street.jpg --out out/ --views
    gluonzoo predict --model ghostnet_1_0 --weights ghostnet.safetensors --images photo.jpg    # without a run

--images takes files and folders (with their subfolders) of JPEG, PNG, BMP, TIFF, WebP and GIF (AVIF with Pillow 11.3,
HEIC with pillow-heif); grey, with transparency, 16 bits, and turned as a camera's EXIF says are all right. Coordinates
in predictions.json are pixels of the photo as one sees it. Files that cannot be read, pictures of other kinds,
and results that cannot be written are listed at the end and in predictions.json; the others are there, and the exit
code is then 1.
"""
from pathlib import Path

from ..recipes.arguments import at_least
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model

BATCH_PIXELS = 1 << 25   # of the pictures in memory at a time, if they are more than one: 100 MB


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
    import errno
    import json
    import sys

    from tqdm import tqdm

    from ..files import naming, replacing, require_replaceable
    from ..pictures.decode import SUFFIXES
    from ..pictures.jpeg import write_jpeg
    from ..pictures.kinds import OTHER_SUFFIXES
    from ..tasks import Task
    from .failures import Failures

    found = list(find(args.images, SUFFIXES + OTHER_SUFFIXES))
    if not found:
        raise ValueError(f'--images: no pictures ({", ".join(sorted(SUFFIXES))}) in {", ".join(map(str, args.images))}')
    results = args.out / 'predictions.json'
    require_replaceable(results)
    task, settings, source = open_run_or_model(args)
    if args.views and type(task).views is Task.views:
        raise ValueError(f'--views: the task {settings["task"]["name"]} has none')
    report, unreadable, unwritten = [], Failures(), Failures()
    written = []   # (entry of the report, what it is there, path)
    taken = {place(file) for file, _ in found}   # no photo is written over
    args.out.mkdir(parents=True, exist_ok=True)

    def write(picture, name, entry, what):
        """The entry says the picture's name below --out, or None if it could not be written."""
        target = free_name(args.out, name, taken)
        with unwritten.noted() as failed:
            write_jpeg(args.out / target, picture)
            written.append((entry, what, args.out / target))
        entry[what] = None if failed else str(target)

    def write_results():
        """Writes predictions.json. On a full disk it takes the place of the last pictures, which say less."""
        while True:
            content = {'checkpoint': str(source), 'unreadable': unreadable, 'unwritten': unwritten, 'images': report}
            try:
                with naming(results), replacing(results) as (partial,):
                    partial.write_text(json.dumps(content, indent=1) + '\n')
                return
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not written:
                    raise
            entry, what, path = written.pop()
            path.unlink()
            entry[what] = None
            unwritten.append(f'{path}: removed to make room for {results.name}, since the disk is full')

    with tqdm(found, 'predict', unit=' pictures', leave=False) as files:   # an error has a line of its own
        for batch in batches(files, args.batch_size, unreadable):
            for (file, name, image), result in zip(batch, task.predict([image for *_, image in batch])):
                entry = {'file': str(file), 'width': image.shape[1], 'height': image.shape[0], 'picture': None,
                         **task.describe(result)}
                report.append(entry)
                write(task.draw(image, result), name, entry, 'picture')
                for view, picture in task.views(image).items() if args.views else ():
                    write(picture, name.with_name(f'{name.stem}-{view}.jpg'), entry, view)
    with unwritten.noted() as failed:
        write_results()
    if not failed:
        print(f'{len(report)} pictures: {args.out}; what was found: {results}')
    for what, failures in (('read', unreadable), ('written', unwritten)):
        for line in failures:
            print(f'not {what}: {line}', file=sys.stderr)
    return 1 if unreadable or unwritten else 0


def batches(files, count, unreadable):
    """Yields lists of (file, name, picture), of at most `count` pictures, or one picture that is very large.

    Files that cannot be read are noted in `unreadable`, :class:`Failures`.
    """
    from ..pictures.decode import read_image

    batch, pixels = [], 0
    for file, name in files:
        image = None
        with unreadable.noted():
            image = read_image(file)
        if image is None:
            continue
        size = image.shape[0] * image.shape[1]
        if batch and (len(batch) == count or pixels + size > BATCH_PIXELS):
            yield batch
            batch.clear()   # the list that the caller has: what was in it is done with
            pixels = 0
        batch.append((file, name, image))
        pixels += size
        del image   # or it would stay in memory while the next one is read
    if batch:
        yield batch


def find(paths, suffixes):
    """Yields (file, its name below the path that was given). Raises ValueError for a path that is not there."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob('*')):
                if file.suffix.lower() in suffixes and not file.is_dir():   # a pipe is refused when it is read
                    yield file, file.relative_to(path)
        elif path.exists():
            yield path, Path(path.name)
        else:
            raise ValueError(f'--images: {path} does not exist')


def free_name(out, name, taken):
    """Where a result goes below --out: the picture's own name, numbered if a result or a photo has it already."""
    number, free = 1, name.with_suffix('.jpg')
    while place(out / free) in taken:
        number += 1
        free = name.with_name(f'{name.stem}-{number}.jpg')
    taken.add(place(out / free))
    return free


def place(path):
    """What names of the same file have in common, also on disks that take A and a for the same."""
    return str(path.resolve()).casefold()
