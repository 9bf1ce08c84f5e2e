"""The Frechet distance of two sets of features. Of features of the Inception network it is called FID.

Source: "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium"
(https://arxiv.org/abs/1706.08500), and its code https://github.com/bioinf-jku/TTUR.

Deviation: the published code takes the square root of the product of both covariances, whose eigenvalues are few and
whose root is inexact and may be complex. Here no covariance is made. A set of centred features is Q R, where the
columns of Q are orthonormal, so its covariance is R'R. The trace of the root is then the sum of the singular values of
R_a R_b'.
"""
import numpy as np

from .feature_sets import check_features

__all__ = ['frechet_distance', 'least']


def least(length):
    """Of how many pictures features of such a length must be: with fewer, their covariance has no full rank."""
    return length + 1


def frechet_distance(features_a, features_b):
    """The squared Frechet distance of the normal distributions that have the means and covariances of two sets.

    |mean_a - mean_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2)), where the covariances are divided by N - 1.

    The distance of small sets is too large: it says how far apart sets of so many pictures look. Compare distances of
    equally many pictures, of the same features.

    Parameters
    ----------
    features_a, features_b : arrays [N, D] and [M, D]
        of more than D pictures each

    Returns
    -------
    float, 0 or more

    Raises
    ------
    ValueError
        for arrays that are not such, that have infinite numbers or NaN, or are of too few pictures.

    Examples
    --------
    >>> corners = np.array([[-1., -1.], [1., -1.], [-1., 1.], [1., 1.]])
    >>> round(frechet_distance(corners, corners), 9)
    0.0
    >>> round(frechet_distance(corners, corners + [3, 4]), 9)
    25.0
    """
    a, b = check_features(features_a, features_b, least, 'more than a feature has numbers')
    means = a.mean(axis=0), b.mean(axis=0)
    roots = [np.linalg.qr((x - mean) / np.sqrt(len(x) - 1), mode='r') for x, mean in zip((a, b), means)]   # [D, D]
    of_product = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    found = np.square(means[0] - means[1]).sum() + sum(np.square(root).sum() for root in roots) - 2 * of_product
    return max(0.0, float(found))   # what rounding leaves of 0 may be below 0
