"""Predicts on your own pictures: one picture with the result drawn for each, and one JSON.

    gluonzoo predict --run runs/dsod_pikachu --images photo.jpg folder/ --out out/
    gluonzoo predict --run runs/ghost_centernet --images street.jpg --out out/ --views
    gluonzoo predict --model ghostnet_1_0 --weights ghostnet.safetensors --images photo.jpg    # without a run
    gluonzoo predict --run runs/yolo3 --images folder/ --precision bfloat16   # faster for large networks

--images takes files and folders (with their subfolders) of JPEG, PNG, BMP, TIFF, WebP and GIF (AVIF with Pillow 11.3,
HEIC with pillow-heif); grey, with transparency, 16 bits, and turned as a camera's EXIF says are all right. Coordinates
in predictions.json are pixels of the photo as one sees it. What cannot be read, such as pictures of other kinds,
predicted or written is listed at the end and in predictions.json; the exit code is then 1, and all else is there. After
Ctrl-C, predictions.json says what was done before.
"""
from pathlib import Path

from ..recipes.arguments import at_least
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model
from .precision import add_precision_argument, computing_in

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
    add_precision_argument(parser)


check = check_run_or_model


def run(args):
    import sys

    from ..pictures.decode import SUFFIXES
    from ..pictures.kinds import OTHER_SUFFIXES
    from ..tasks import Task
    from .predictions import Predictions

    found = list(find(args.images, SUFFIXES + OTHER_SUFFIXES))
    if not found:
        raise ValueError(f'--images: no pictures ({", ".join(sorted(SUFFIXES))}) in {", ".join(map(str, args.images))}')
    task, settings, source = open_run_or_model(args)
    if type(task).predict is Task.predict and type(task).sample is not Task.sample:
        raise ValueError(f'{settings["task"]["name"]}: takes no pictures; gluonzoo sample makes some from noise')
    if args.views and type(task).views is Task.views:
        raise ValueError(f'--views: the task {settings["task"]["name"]} has none')
    args.out.mkdir(parents=True, exist_ok=True)
    with computing_in(args.precision, task), Predictions(args.out, source, found) as predictions:
        interrupted = predict(task, found, predictions, args.batch_size, args.views)
    print(predictions.summary())
    for line in predictions.failures():
        print(line, file=sys.stderr)
    if interrupted:
        raise KeyboardInterrupt
    return 1 if predictions.failures() else 0


def predict(task, found, predictions, batch_size, views):
    """Adds to the predictions what is found in the pictures. Returns whether it was interrupted by Ctrl-C."""
    from tqdm import tqdm

    with tqdm(found, 'predict', unit=' pictures', leave=False, disable=None) as files:
        try:
            for batch in batches(files, batch_size, predictions):
                for (file, name, image), result in results(task, batch, predictions):
                    with predictions.failing('unwritten', file):
                        predictions.add(file, name, image, task, result, views)
        except KeyboardInterrupt:
            return True
    return False


def batches(files, count, predictions):
    """Yields lists of (file, name, picture), of at most `count` pictures, or one picture that is very large.

    Files that cannot be read are failures of the :class:`Predictions`.
    """
    from ..pictures.decode import read_image

    batch, pixels = [], 0
    for file, name in files:
        image = None
        with predictions.failing('unreadable', file):
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


def results(task, batch, predictions):
    """Yields each (file, name, image) of a batch with its result, less those that the task cannot predict."""
    try:
        found = task.predict([image for *_, image in batch])
    except Exception as error:
        if len(batch) > 1:   # one of them is at fault, or they are too much together
            for one in batch:
                yield from results(task, [one], predictions)
            return
        with predictions.failing('unpredicted', batch[0][0]):
            raise error
    else:
        yield from zip(batch, found)


def find(paths, suffixes):
    """Yields (file, its name below the path that was given).

    Raises ValueError for a path that is not there, and OSError for a folder that cannot be listed.
    """
    from ..data.annotations.listing import files_below, with_suffix

    for path in paths:
        if path.is_dir():
            for file in with_suffix(files_below(path), *suffixes):
                yield file, file.relative_to(path)
        elif path.exists():
            yield path, Path(path.name)
        else:
            raise ValueError(f'--images: {path} does not exist')
