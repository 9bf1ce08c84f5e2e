"""What happens to a sample between the file and the network, by name, so that a settings file can hold it."""
from ...registry import TRANSFORMS

__all__ = ['make_transform']


def make_transform(spec):
    """A transform from a dict of its name and keywords.

    A transform has ``shape``, the shape of the image that it makes, and is called with (sample, rng, out).

    Parameters
    ----------
    spec : dict
        such as ``{'name': 'resize', 'size': 300, 'mean': [123, 117, 104], 'std': [1, 1, 1]}``

    Raises
    ------
    ValueError
        for an unknown name or keyword, naming the near ones, and for values out of range.
    """
    if not isinstance(spec, dict) or 'name' not in spec:
        raise ValueError(f"transform: must be a dict with a 'name', one of {', '.join(TRANSFORMS.names())}: {spec!r}")
    return TRANSFORMS.create(**spec)


from . import keypoints, pairs, ssd  # noqa: E402, F401  (registers their transforms)
