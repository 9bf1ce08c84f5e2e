"""A memory of made images, so that the discriminator does not forget how they looked."""
import mxnet as mx
import numpy as np

__all__ = ['ImagePool']


class ImagePool:
    """Keeps made images of earlier steps.

    Several devices share the pool. Of several machines each has its own, and after a resumption all begin with that of
    the first.

    Parameters
    ----------
    size : int, 0 or more
        images in the pool at most; with 0, all that is given comes back as it is
    shape : tuple of int
        of an image, (C, H, W)
    """

    def __init__(self, size, shape):
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(f'pool_size: must be a whole number, at least 0: {size!r}')
        self.size, self.shape = size, tuple(shape)
        self.images = []   # NDArrays [1, C, H, W], on the devices that made them

    def query(self, images):
        """Puts images [B, C, H, W] into the pool, and returns as many.

        While there is room, an image is kept and comes back. Then one in two comes back and is not kept; the others
        change places with one of the pool. What is random comes from ``np.random``. Does not wait for a device.
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
        """Takes what :meth:`state` returned. ValueError if that is something else, or the pool has no room for it."""
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
