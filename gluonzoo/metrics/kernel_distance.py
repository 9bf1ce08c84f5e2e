"""KID: the squared maximum mean discrepancy of two sets of features, with a cubic kernel.

Source: "Demystifying MMD GANs" (https://arxiv.org/abs/1801.01401), and its code https://github.com/mbinkowski/MMD-GAN.
As in https://github.com/NVlabs/stylegan2-ada-pytorch, it is the mean of up to 100 subsets of up to 1000 pictures, drawn
without one twice in a subset.

Deviation: where all pictures of both sets are one subset, it is computed once.
"""
import numpy as np

from .feature_sets import check_features

__all__ = ['LEAST', 'kernel_distance']

LEAST = 2   # pictures of a set: within a set, pictures are compared with others


def kernel_distance(features_a, features_b, seed=0, size=1000, subsets=100):
    """An estimate of the squared maximum mean discrepancy, whose kernel is (x . y / D + 1)^3.

    It has no bias: on average it does not depend on the number of pictures, so it serves where there are few. So the
    estimate for two sets of the same kind lies around 0, half of the time below it. That of a set with itself is a
    little below 0: pictures are compared with themselves between the sets, and not within a set.

    Parameters
    ----------
    features_a, features_b : arrays [N, D] and [M, D]
        of at least 2 pictures each
    seed : int
        of the subsets
    size : int, at least 2
        pictures of a subset; those that there are, if there are fewer
    subsets : int, at least 1

    Returns
    -------
    float
        often published times 1000

    Raises
    ------
    ValueError
        for arrays that are not such, that have infinite numbers or NaN, or are of too few pictures, and for numbers out
        of range.
    """
    a, b = check_features(features_a, features_b, lambda _: LEAST, 'to compare some within a set')
    for name, value, fewest in (('size', size, LEAST), ('subsets', subsets, 1)):
        if value < fewest:
            raise ValueError(f'{name}: must be at least {fewest}: {value!r}')
    size = min(size, len(a), len(b))
    if size == len(a) == len(b):
        return _estimate(a, b)
    rng = np.random.default_rng(seed)
    return float(np.mean([_estimate(*(x[rng.choice(len(x), size, replace=False)] for x in (a, b)))
                          for _ in range(subsets)]))


def _estimate(a, b):
    """Of equally many features, [n, D] each: float."""
    count, length = a.shape
    within = 0
    for x in (a, b):
        kernel = (x @ x.T / length + 1) ** 3   # [n, n]
        within += (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
    return float(within - 2 * ((a @ b.T / length + 1) ** 3).mean())
