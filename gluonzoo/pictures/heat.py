"""Maps of attention, shown on the picture that they are of."""
import cv2
import numpy as np

from .resize import resize

__all__ = ['draw_heat']


def draw_heat(image, heat, most=None):
    """A copy of `image` with a map over it: dark blue where the map is 0, over green, to red where it is greatest.

    Parameters
    ----------
    image : uint8 array [H, W, 3], RGB
    heat : float array [h, w]
        0 or more; enlarged to the image's size. What is not finite counts as 0.
    most : float, optional
        what is red; default: the greatest value of the map

    Returns
    -------
    uint8 array [H, W, 3]
    """
    heat = np.where(np.isfinite(heat), heat, 0).clip(0).astype('float32')
    most = heat.max() if most is None else most
    part = (heat / most if most > 0 else np.zeros_like(heat)).clip(0, 1)
    levels = 255 * resize(part, image.shape[1], image.shape[0], 'linear')
    colours = cv2.applyColorMap(levels.round().astype('uint8'), cv2.COLORMAP_JET)
    return cv2.addWeighted(image, 0.5, cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), 0.5, 0)
