"""Writes pictures in the binary form of CIFAR-10, which :class:`gluonzoo.data.CIFAR` and others read.

A record is a byte, the label, and then 32 x 32 bytes of red, of green and of blue. The records to train on are in five
files, those to validate with in one. Source: https://www.cs.toronto.edu/~kriz/cifar.html.
"""
from itertools import islice

from ..cifar import CIFAR10

__all__ = ['FILES', 'NAMES', 'TRAIN', 'VAL', 'write_cifar']

TRAIN, (VAL,) = tuple(CIFAR10.files['train']), CIFAR10.files['val']
NAMES = CIFAR10.names['fine']
FILES = (*TRAIN, VAL, NAMES)


def write_cifar(folder, class_names, samples, train, val):
    """Writes the files into a folder.

    Parameters
    ----------
    folder : Path
    class_names : sequence of str, at most 256
    samples : iterable of (image, label)
        uint8 [32, 32, 3], RGB, and a number of a class: first those to train on, then those to validate with
    train, val : int
        how many there are of each, at least 5 and 1, so that no file is empty

    Raises OSError if a file cannot be written.
    """
    each, more = divmod(train, len(TRAIN))
    counts = {name: each + (number < more) for number, name in enumerate(TRAIN)}
    samples = iter(samples)
    for name, count in {**counts, VAL: val}.items():
        with open(folder / name, 'wb') as file:
            for image, label in islice(samples, count):
                file.write(bytes([label]) + image.transpose(2, 0, 1).tobytes())   # [H, W, 3] -> [3, H, W]
    (folder / NAMES).write_text('\n'.join(class_names) + '\n')
