"""What a camera adds to a drawing: another light, a lens and a sensor."""
import cv2
import numpy as np

__all__ = ['photographed']


def photographed(rng, image, blur=(.4 / 512, 1.3 / 512), grain=(2, 9)):
    """A picture as if it was a photo.

    Parameters
    ----------
    rng : numpy.random.Generator
    image : uint8 array [size, size, 3]
    blur : (least, most)
        Standard deviation of the lens's blur, as a fraction of the size. A quarter of the pictures is blurred.
    grain : (least, most)
        Standard deviation of the sensor's noise, of 0 to 255. Two in five pictures have noise.

    Returns
    -------
    uint8 array [size, size, 3]
    """
    size = len(image)
    levels = np.linspace(0, 1, 256)
    gains = rng.uniform(.8, 1.15) * rng.uniform(.92, 1.08, 3)
    table = np.clip(255 * gains * (levels[:, None] ** rng.uniform(.8, 1.25)), 0, 255)
    image = cv2.LUT(image, table[None].astype(np.uint8))
    if rng.random() < .5:
        falloff = cv2.resize(rng.uniform(.6, 1, (2, 2)).astype(np.float32), (size, size))
        image = cv2.multiply(image, cv2.cvtColor((255 * falloff).astype(np.uint8), cv2.COLOR_GRAY2RGB), scale=1 / 255)
    if rng.random() < .25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(*blur) * size)
    if rng.random() < .4:
        tile = rng.standard_normal((64, size, 3), dtype=np.float32) * rng.uniform(*grain)
        noise = np.concatenate([tile] * (size // 64 + 1))[:size]
        image = cv2.add(image, noise.astype(np.int16), dtype=cv2.CV_8U)
    return image
