"""A pool of earlier generated images, so that the discriminator does not forget them."""
import mxnet as mx
import numpy as np

from ...memory import bytes_of
from ...memory import require as require_memory

__all__ = ['ImagePool']


class ImagePool:
    """Keeps generated images of earlier steps.

    Several devices share the pool. With several machines, each machine has a pool of its own; after resuming, all
    machines begin with the pool of the first one.

    Parameters
    ----------
    size : int, 0 or more
        images in the pool at most; with 0, :meth:`query` returns its images
    shape : tuple of int
        of an image, (C, H, W)
    """

    def __init__(self, size, shape):
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(f'pool_size: must be a whole number, at least 0: {size!r}')
        require_memory(f'pool_size: {size} pictures', size * bytes_of([shape]))
        self.size, self.shape = size, tuple(shape)
        self.images = []   # NDArrays [1, C, H, W], on the devices that made them

    def query(self, images):
        """Puts images [B, C, H, W] into the pool, and returns as many images.

        While the pool has room, an image is kept and returned. Later, an image is returned and not kept with
        probability 1/2; otherwise the image replaces one of the pool, which is returned. Random numbers come from
        ``np.random``. Does not wait for a device.
        """
        if not self.size:
            return images
        return mx.nd.concat(*(self._swapped(images[i:i + 1]) for i in range(len(images))), dim=0)

    def _swapped(self, image):
        if len(self.images) < self.size:
            self.images.append(image.copy())   # a slice would hold the memory of its batch
            return image
        if np.random.random() < .5:
            return image
        place = np.random.randint(self.size)
        old, self.images[place] = self.images[place], image.copy()
        return old.as_in_context(image.ctx)

    def state(self):
        """{'images': float32 [n, C, H, W]}, or {} while the pool is empty."""
        return {'images': np.concatenate([image.asnumpy() for image in self.images])} if self.images else {}

    def load_state(self, state):
        """Loads a dict that :meth:`state` has returned. ValueError if it does not fit, or has too many images."""
        if set(state) - {'images', ''}:
            raise ValueError(f"must have 'images' alone: {sorted(state)}")
        images = state.get('images', state.get(''))   # the second: of runs of the first revision
        if images is None:
            self.images = []
            return
        if images.dtype != np.float32 or images.shape[1:] != self.shape or len(images) > self.size:
            raise ValueError(f'must be float32 and at most {[self.size, *self.shape]}: {images.dtype} '
                             f'{list(images.shape)}')
        self.images = [mx.nd.array(image[None]) for image in images]
