"""Shows what the metrics of generated pictures see, on drawn faces that are changed, and on features without meaning.

    python scripts/generation_metrics.py

prints the tables of notes/generation_metrics.md. All is drawn here, so the numbers are always the same.
"""
import sys

import cv2
import numpy as np

from gluonzoo.data.drawn.faces import face
from gluonzoo.metrics.frechet import frechet_distance
from gluonzoo.metrics.kernel_distance import kernel_distance
from gluonzoo.metrics.ms_ssim import ms_ssim
from gluonzoo.metrics.sliced_wasserstein import sliced_wasserstein

COUNT, SIDE, LENGTH, DRAWS = 128, 32, 64, 10


def changes(faces):
    """Yields what is done to faces, and the changed ones."""
    rng, count = np.random.default_rng(0), len(faces)
    yield 'none', faces
    yield 'brighter by 20', (faces.astype(int) + 20).clip(0, 255)
    yield 'one in four is noise', np.where((np.arange(count) % 4 == 0)[:, None, None, None],
                                           rng.integers(0, 256, faces.shape), faces)
    yield 'blurred', np.stack([cv2.GaussianBlur(picture, (0, 0), 1) for picture in faces])
    yield 'a quarter of them four times', np.tile(faces[:count // 4], (4, 1, 1, 1))
    yield 'one of them all the time', np.tile(faces[:1], (count, 1, 1, 1))
    yield 'noise', rng.integers(0, 256, faces.shape)


def of_pictures():
    """Rows: what is done to faces; SWD from other faces, by level and mean; MS-SSIM."""
    other, faces = (np.stack([face(seed, i, SIDE) for i in range(COUNT)]) for seed in (0, 1))
    for said, changed in changes(faces):
        changed = changed.astype('uint8')
        yield (said, *sliced_wasserstein(other, changed).values(), ms_ssim(changed))


def of_counts():
    """Rows: how many features; the mean and the deviation of FID and of KID x 1000 of two sets of one kind."""
    for count in (65, 128, 256, 1024):
        found = []
        for seed in range(DRAWS):
            a, b = np.random.default_rng(seed).normal(size=(2, count, LENGTH))
            found.append((frechet_distance(a, b), 1000 * kernel_distance(a, b, size=count)))
        found = np.array(found)
        yield (count, *np.stack([found.mean(axis=0), found.std(axis=0)], axis=1).reshape(-1))


def main():
    print('what is done to the faces      SWD 32  SWD 16     SWD  MS-SSIM')
    for said, fine, coarse, mean, alike in of_pictures():
        print(f'{said:30}{fine:7.1f} {coarse:7.1f} {mean:7.1f} {alike:8.3f}')
    print('\nfeatures      FID     +-   KID x 1000     +-')
    for count, *numbers in of_counts():
        print('{:8} {:8.2f} {:6.2f} {:12.2f} {:6.2f}'.format(count, *(number + 0.0 for number in numbers)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
