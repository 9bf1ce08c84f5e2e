"""Makes records to train a detector on out of annotated pictures."""
import io
import textwrap
from collections import Counter

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from ..pictures.decode import MAX_BYTES, ImageError, read_image
from ..reading import FileError, read_bytes
from .annotations import AnnotationError
from .detection_records import MIN_PIXELS
from .records import write_records
from .staging import staging

__all__ = ['make_records', 'remarks', 'split']

_FEW = 20   # lines of a list that are shown
_WIDTH = 120   # of a line about many classes
_TOO_SMALL = 'objects left out that are less than half a pixel wide or high'
_ORIENTATION = 0x0112   # the EXIF tag


def split(annotated, val_fraction, seed):
    """Parts annotated pictures at random, a fraction of them to validate with.

    Returns
    -------
    dict of 'train' and 'val' -> list of Annotated, in the order of the one; neither is empty

    Raises
    ------
    AnnotationError
        if there is one picture alone.
    """
    if len(annotated) < 2:
        raise AnnotationError('one picture cannot be split into train and val')
    count = min(max(1, round(val_fraction * len(annotated))), len(annotated) - 1)
    chosen = set(np.random.Generator(np.random.PCG64(seed)).permutation(len(annotated))[:count].tolist())
    return {'train': [one for index, one in enumerate(annotated) if index not in chosen],
            'val': [one for index, one in enumerate(annotated) if index in chosen]}


def _encode(one, shorter):
    """(image, boxes) of an annotated picture for write_records. ImageError if it cannot be decoded.

    It is scaled down if its shorter side has more than `shorter` pixels.
    """
    data = read_bytes(one.image, MAX_BYTES)
    image = read_image(data)
    height, width = image.shape[:2]
    if shorter is not None and min(height, width) > shorter:
        scale = shorter / min(height, width)
        size = round(scale * width), round(scale * height)
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA), one.boxes * np.tile(
            np.divide(size, (width, height)), 2)
    return data if _is_upright_jpeg(data) else image, one.boxes


def _is_upright_jpeg(data):
    """Whether the file can be stored as it is: a JPEG that is upright also for readers that ignore EXIF."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.format == 'JPEG' and image.getexif().get(_ORIENTATION, 1) == 1
    except Exception:   # Pillow raises errors of many kinds at damaged EXIF
        return False


def _samples(annotated, shorter, skip_broken, annotations, objects):
    """Yields what write_records takes, and counts the `objects` of each class.

    A picture that cannot be decoded raises AnnotationError. With `skip_broken` it is appended to what is skipped
    instead, and it is an error only if no picture is left. Objects that training would leave out as too small are left
    out and counted here.
    """
    skipped = annotations.skipped
    left = False
    for one in annotated:
        try:
            image, boxes = _encode(one, shorter)
        except (ImageError, FileError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            said = str(error) if isinstance(error, FileError) else f'{one.image}: {reason}'
            if not skip_broken:
                raise AnnotationError(said) from error
            skipped.append(said)
            continue
        left = True
        seen = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_PIXELS).all(1)
        annotations.counts[_TOO_SMALL] += int((~seen).sum())
        objects.update(one.labels[seen].tolist())
        yield image, boxes[seen], one.labels[seen], one.difficult[seen]
    if not left:
        raise AnnotationError('\n  '.join(['no picture is left', *skipped[:_FEW]]))


def make_records(annotations, splits, out, shorter=None, quality=95, skip_broken=False):
    """Writes train.rec, train.idx, val.rec, val.idx and classes.txt into a folder, which appears when all is done.

    Parameters
    ----------
    annotations : Annotations
        its class names are used, and its list of what is left out gets longer
    splits : dict of name -> list of Annotated
    out : Path
        a folder that is new or empty
    shorter : int, optional
        pictures whose shorter side has more pixels are scaled down to this size
    quality : int, 1 to 100
        of the JPEGs that are encoded here; an upright JPEG is stored as it is
    skip_broken : bool
        leave out pictures that cannot be decoded, and list them

    Returns
    -------
    list of str
        what was written, a line about each split at least

    Raises
    ------
    AnnotationError
        if a picture cannot be decoded; with `skip_broken`, if none of a split can; if there is no object in any
        picture, or none that is larger than half a pixel.
    OSError
        if the folder cannot be written.
    """
    pictures = [one for annotated in splits.values() for one in annotated]
    count = sum(len(one.labels) for one in pictures)
    if not count:
        raise AnnotationError('\n  '.join([f'no objects in any of the {len(pictures)} pictures, such as '
                                           f'{pictures[0].image}', *annotations.skipped[:_FEW]]))
    lines, left = [], 0
    with staging(out) as folder:
        whole = folder / 'dataset'
        whole.mkdir()
        for name, annotated in splits.items():
            objects = Counter()
            with tqdm(annotated, f'{name}.rec', unit=' pictures') as progress:   # an error has a line of its own
                pictures = write_records(whole / f'{name}.rec', _samples(
                    progress, shorter, skip_broken, annotations, objects), quality)
            lines += _told(name, pictures, objects, annotations.class_names)
            left += sum(objects.values())
        if not left:
            raise AnnotationError(f'all {count} objects are less than half a pixel wide or high'
                                  + (f', with pictures scaled to {shorter} pixels' if shorter else ''))
        (whole / 'classes.txt').write_text('\n'.join(annotations.class_names) + '\n', 'utf-8')
        whole.replace(out)
    return lines


def _told(name, pictures, objects, class_names):
    """Lines about a split: how many objects of each class."""
    counted = [f'{objects[label]} {what}' for label, what in enumerate(class_names)]
    total = f'{name}: {pictures} pictures, {sum(objects.values())} objects'
    if not objects:
        yield f'{total}: an evaluation will have nothing to measure by' if name == 'val' else total
    elif len(', '.join(counted)) <= _WIDTH:
        yield f'{total} ({", ".join(counted)})'
    else:
        yield total
        whole = ', '.join(one.replace(' ', '\xa0') for one in counted)   # a name stays in one line
        yield textwrap.fill(whole, _WIDTH, initial_indent='  ', subsequent_indent='  ', break_long_words=False,
                            break_on_hyphens=False).replace('\xa0', ' ')


def remarks(annotations):
    """Lines about what was left out or changed."""
    yield from (f'{what}: {count}' for what, count in sorted(annotations.counts.items()) if count)
    if annotations.skipped:
        yield f'left out as broken: {len(annotations.skipped)}'
        yield from (f'  {line}' for line in annotations.skipped[:_FEW])
        if len(annotations.skipped) > _FEW:
            yield f'  and {len(annotations.skipped) - _FEW} more'
