"""Whether arrays are pictures."""
import numpy as np

__all__ = ['check_images']


def check_images(images):
    """ValueError for an array of the list that is no RGB image of type uint8, [H, W, 3]."""
    for i, image in enumerate(images):
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 \
                or not image.size:
            raise ValueError(f'images must be uint8 arrays [H, W, 3]; number {i} is '
                             f'{getattr(image, "dtype", type(image).__name__)} {getattr(image, "shape", "")}')
