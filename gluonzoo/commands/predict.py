"""Predicts on your own pictures and videos: a picture or video with the result drawn for each, and one JSON.

    gluonzoo predict --run runs/dsod_pikachu --images photo.jpg folder/ --out out/
    gluonzoo predict --run runs/ghost_centernet --images street.jpg --out out/ --views
    gluonzoo predict --model ghostnet_1_0 --weights ghostnet.safetensors --images photo.jpg    # without a run
    gluonzoo predict --run runs/dsod_pikachu --images clip.mp4 --every 2
    gluonzoo predict --run runs/dsod_pikachu --images camera:0 --seconds 60
    gluonzoo predict --run runs/yolo3 --images folder/ --precision bfloat16   # faster for large networks

--images takes files and folders (with their subfolders) of JPEG, PNG, BMP, TIFF, WebP and GIF (AVIF with Pillow 11.3,
HEIC with pillow-heif); grey, with transparency, 16 bits, and turned as a camera's EXIF says are all right. Coordinates
in predictions.json are pixels of the photo as one sees it. What cannot be read, such as pictures of other kinds,
predicted or written is listed at the end and in predictions.json; the exit code is then 1, and all else is there. After
Ctrl-C, predictions.json says what was done before.

--images also takes videos (MP4, MOV, AVI, MKV, WebM, MPEG ...), cameras (camera:0) and streams (rtsp://..., http://...).
Each becomes a video with the results drawn, and predictions.jsonl has a line for each frame, as soon as it is
predicted. A camera or a stream ends after --seconds, or with Ctrl-C; frames that the network is too slow for are left
out, and the video keeps its pace.
"""
import argparse
import re
from pathlib import Path

from ..recipes.arguments import at_least, between, positive
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model
from .precision import add_precision_argument, computing_in

BATCH_PIXELS = 1 << 25   # of the pictures in memory at a time, if they are more than one: 100 MB


def add_arguments(parser):
    add_run_arguments(parser, required=False)
    add_model_arguments(parser)
    parser.add_argument('--images', type=source, nargs='+', required=True,
                        help='files and folders, camera:0, rtsp://...')
    parser.add_argument('--out', type=Path, default=Path('out'), help='(default: %(default)s)')
    parser.add_argument('--batch-size', type=at_least(1), default=8,
                        help='pictures in memory at a time, fewer if they are large (default: %(default)s)')
    parser.add_argument('--views', action='store_true',
                        help='also what else there is to see, such as the heat maps of keypoints')
    add_precision_argument(parser)
    parser.add_argument('--every', type=between(1, 10 ** 6), default=1, metavar='N',
                        help='of videos: one frame in N (default: %(default)s, all of them)')
    parser.add_argument('--seconds', type=positive, help='of videos: the first so many')
    parser.add_argument('--video', choices=('webm', 'mp4'), default='webm',
                        help='what videos are written as: VP8, which browsers play, or MPEG-4 part 2, which is written '
                             'faster and only players of videos play (default: %(default)s)')


check = check_run_or_model


def source(word):
    """What a word of --images names: the Path of a file or folder, or a camera or stream, str."""
    if re.match(r'camera:|\w+://', word):
        from ..pictures.video import is_live

        if not is_live(word):
            raise argparse.ArgumentTypeError(f'must be a file, a folder, like camera:0 or like rtsp://...: {word!r}')
        return word
    return Path(word)


def run(args):
    import sys

    from ..pictures.decode import SUFFIXES
    from ..pictures.kinds import OTHER_SUFFIXES
    from ..pictures.video import VIDEO_SUFFIXES, is_video
    from ..tasks import Task
    from .predictions import Predictions
    from .videos import predict_videos

    found = list(find(args.images, SUFFIXES + OTHER_SUFFIXES + VIDEO_SUFFIXES))
    if not found:
        raise ValueError(f'--images: no pictures ({", ".join(sorted(SUFFIXES))}) or videos '
                         f'({", ".join(sorted(VIDEO_SUFFIXES))}) in {", ".join(map(str, args.images))}')
    videos = [each for each in found if is_video(each[0])]
    pictures = [each for each in found if not is_video(each[0])]
    if not videos and (args.every > 1 or args.seconds):
        raise ValueError('--every, --seconds: are of videos; --images has none')
    if args.views and videos:
        raise ValueError(f'--views: is of pictures; {videos[0][0]} is a video')
    task, settings, weights = open_run_or_model(args)
    if type(task).predict is Task.predict and type(task).sample is not Task.sample:
        raise ValueError(f'{settings["task"]["name"]}: takes no pictures; gluonzoo sample makes some from noise')
    if args.views and type(task).views is Task.views:
        raise ValueError(f'--views: the task {settings["task"]["name"]} has none')
    args.out.mkdir(parents=True, exist_ok=True)
    with computing_in(args.precision, task), Predictions(args.out, weights, found, f'.{args.video}') as predictions:
        interrupted = (predict(task, pictures, predictions, args.batch_size, args.views)
                       or predict_videos(task, videos, predictions, args))
    print(predictions.summary())
    for line in predictions.failures():
        print(line, file=sys.stderr)
    if interrupted:
        raise KeyboardInterrupt
    return 1 if predictions.failures() else 0


def predict(task, found, predictions, batch_size, views):
    """Adds to the predictions what is found in the pictures. Returns whether it was interrupted by Ctrl-C."""
    if not found:
        return False
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
    """Yields (file, camera or stream; its name below the path that was given).

    Raises ValueError for a path that is not there, and OSError for a folder that cannot be listed.
    """
    from ..data.annotations.listing import files_below, with_suffix
    from ..pictures.video import shown_source

    for path in paths:
        if isinstance(path, str):   # a camera or a stream; its name has no sign that names of files may not have
            yield path, Path(re.sub(r'\W+', '-', shown_source(path), flags=re.ASCII).strip('-')[:100])
        elif path.is_dir():
            for file in with_suffix(files_below(path), *suffixes):
                yield file, file.relative_to(path)
        elif path.exists():
            yield path, Path(path.name)
        else:
            raise ValueError(f'--images: {path} does not exist')
