"""Digits in the binary form of CIFAR-10: the handwritten ones of scikit-learn, or drawn ones.

The handwritten ones are real pictures that come with a package: 1,797 pictures of 8 x 8 pixels with 17 shades of grey,
of digits that 13 people have written, the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C.
Kaynak, 1998, https://archive.ics.uci.edu/dataset/80). Here they have 32 x 32 pixels, by cubic interpolation, and three
equal colours.

360 of them are to validate with, a fifth of each digit. Which ones is fixed. Digits of one person may be in both parts:
scikit-learn does not say who has written what.
"""
import cv2
import numpy as np
from tqdm import tqdm

from ..drawn.digits import CLASS_NAMES, digit
from .cifar_files import write_cifar
from .dataset_folder import DatasetError, make_once

__all__ = ['get_digits', 'get_drawn_digits']

TRAIN, VAL = 1437, 360
_SEED = 0


def get_digits(out):
    """Sees to it that a folder holds the digits. Returns words that say what has been done.

    Raises
    ------
    DatasetError
        if scikit-learn is not installed, or the folder holds something else.
    """
    def fill(folder):
        images, labels, chosen = _digits()
        whole = folder / 'digits'
        whole.mkdir()
        samples = ((_enlarged(images[index]), labels[index]) for index in chosen)
        write_cifar(whole, [str(digit) for digit in range(10)], samples, TRAIN, VAL)
        return whole

    made = make_once(out, {'name': 'digits', 'train': TRAIN, 'val': VAL}, fill)
    return f'{TRAIN} digits to train, {VAL} digits to val' if made else 'is there already'


def get_drawn_digits(out, settings):
    """Sees to it that a folder holds drawn digits. Returns words that say what has been done.

    Parameters
    ----------
    out : Path
    settings : dict
        train, val (how many digits) and seed

    Raises
    ------
    DatasetError
        if the folder holds something else.
    """
    train, val, seed = (settings[name] for name in ('train', 'val', 'seed'))

    def fill(folder):
        whole = folder / 'digits'
        whole.mkdir()
        numbers = tqdm(range(train + val), 'drawing', unit=' digits')   # they go on, so that no digit is in both
        write_cifar(whole, CLASS_NAMES, (digit(seed, number) for number in numbers), train, val)
        return whole

    made = make_once(out, {'name': 'drawn digits', 'settings': settings}, fill)
    return f'{train} drawn digits to train, {val} drawn digits to val' if made else 'is there already'


def _digits():
    """(images [1797, 8, 8] of 0 to 16, labels, the order: those to train on come first)"""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise DatasetError('the digits come with the package scikit-learn: pip install scikit-learn '
                           f'({error})') from error
    digits = load_digits()
    train, val = train_test_split(np.arange(len(digits.target)), train_size=TRAIN, test_size=VAL,
                                  stratify=digits.target, random_state=_SEED)
    return digits.images, digits.target.tolist(), [*train, *val]


def _enlarged(image):
    """[8, 8] of 0 to 16 -> uint8 [32, 32, 3]"""
    large = cv2.resize(image.astype(np.float32) * (255 / 16), (32, 32), interpolation=cv2.INTER_CUBIC)
    return np.repeat(np.clip(np.rint(large), 0, 255).astype(np.uint8)[..., None], 3, 2)
