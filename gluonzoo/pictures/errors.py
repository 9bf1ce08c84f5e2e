"""The error of what cannot be read as a picture."""
__all__ = ['ImageError']


class ImageError(ValueError):
    """What was to be read is not an image, is damaged, is of a kind that is not read, or is too large."""
