"""The views of attention maps, picture by picture and pixel by pixel in NumPy, as the two public codes have them."""
import numpy as np


def resized(picture, height, width, align_corners):
    """Bilinearly: [h, w] -> [height, width]. Without aligned corners as TensorFlow 1: place * h / height."""
    for axis, n in enumerate((height, width)):
        last = picture.shape[axis] - 1
        at = np.arange(n) * (last / max(n - 1, 1)) if align_corners else np.arange(n) * ((last + 1) / n)
        low = np.minimum(np.floor(at).astype(int), last)
        high, part = np.minimum(low + 1, last), at - low
        part = part.reshape((-1, 1) if axis == 0 else (1, -1))
        picture = picture.take(low, axis) * (1 - part) + picture.take(high, axis) * part
    return picture


def guyuc_mask(chosen, theta, height, width):
    chosen = chosen.astype('float64')
    return resized(chosen, height, width, True) >= theta * chosen.max()


def guyuc_box(chosen, theta, padding, height, width):
    rows, columns = np.nonzero(guyuc_mask(chosen, theta, height, width))
    y0 = max(int(rows.min() - padding * height), 0)
    y1 = min(int(rows.max() + padding * height), height)
    x0 = max(int(columns.min() - padding * width), 0)
    x1 = min(int(columns.max() + padding * width), width)
    return x0, y0, x1, y1


def guyuc_crop(image, box):
    x0, y0, x1, y1 = box
    return np.stack([resized(channel[y0:y1, x0:x1].astype('float64'), *channel.shape, True) for channel in image])


def official_mask(chosen, theta, height, width):
    mask = resized(chosen.astype('float64'), height, width, False)
    return mask >= theta * mask.max()


def official_box(chosen, theta, padding, height, width):
    """ymin, xmin, ymax, xmax as parts of the picture, as crop_and_resize takes them"""
    rows, columns = np.nonzero(official_mask(chosen, theta, height, width))
    return (rows.min() / height - padding, columns.min() / width - padding,
            rows.max() / height + padding, columns.max() / width + padding)


def pixels(fractions, height, width):
    """That box with the first sample at x0 and y0, and the last at x1 - 1 and y1 - 1."""
    ymin, xmin, ymax, xmax = fractions
    return xmin * (width - 1), ymin * (height - 1), xmax * (width - 1) + 1, ymax * (height - 1) + 1


def crop_and_resize(image, fractions):
    """TensorFlow's, to the size of the image, with 0 outside of it."""
    _, height, width = image.shape
    ymin, xmin, ymax, xmax = fractions
    crop = np.zeros(image.shape)
    for row in range(height):
        y = ymin * (height - 1) + row * (ymax - ymin) * (height - 1) / max(height - 1, 1)
        if not 0 <= y <= height - 1:
            continue
        x = xmin * (width - 1) + np.arange(width) * (xmax - xmin) * (width - 1) / max(width - 1, 1)
        inside = (x >= 0) & (x <= width - 1)
        left, top = np.floor(x[inside]).astype(int), int(np.floor(y))
        right, bottom = np.minimum(left + 1, width - 1), min(top + 1, height - 1)
        across = [image[:, line, left] * (1 - (x[inside] - left)) + image[:, line, right] * (x[inside] - left)
                  for line in (top, bottom)]
        crop[:, row, inside] = across[0] * (1 - (y - top)) + across[1] * (y - top)
    return crop
