"""Drawn pictures of five classes, each class a folder of JPEG files of many sizes: as people keep their photos."""
import numpy as np
from tqdm import tqdm

from ...pictures.jpeg import write_jpeg
from ..drawn.objects import picture
from .dataset_folder import make_once

__all__ = ['CLASS_NAMES', 'get_pictures']

CLASS_NAMES = 'bird', 'boat', 'cat', 'house', 'teapot'
SIDES = 96, 160   # pixels, from and to
QUALITY = 90      # of the JPEG files


def get_pictures(out, settings):
    """Sees to it that a folder holds drawn pictures: ``train/CLASS/*.jpg`` and ``val/CLASS/*.jpg``.

    Parameters
    ----------
    out : Path
    settings : dict
        train, val (how many pictures, of all classes) and seed

    Returns
    -------
    str : words that say what has been done

    Raises
    ------
    DatasetError
        if the folder holds something else.
    """
    counts, seed = {split: settings[split] for split in ('train', 'val')}, settings['seed']

    def fill(folder):
        first = 0
        for split, count in counts.items():   # the numbers go on, so that no picture is in both
            for number in tqdm(range(first, first + count), split, unit=' pictures'):
                image, label = picture(seed, number, _sides(seed, number), CLASS_NAMES)
                write_jpeg(folder / 'drawn' / split / CLASS_NAMES[label] / f'{number:05}.jpg', image, QUALITY)
            first += count
        return folder / 'drawn'

    made = make_once(out, {'name': 'pictures', 'settings': settings, 'classes': list(CLASS_NAMES)}, fill)
    return f'{counts["train"]} pictures to train, {counts["val"]} pictures to val' if made else 'is there already'


def _sides(seed, number):
    """(width, height) of a picture."""
    return np.random.Generator(np.random.PCG64([seed, number, 1])).integers(*SIDES, 2, endpoint=True).tolist()
