"""Targets for a cross entropy in which no class is quite certain.

Source: "Rethinking the Inception Architecture for Computer Vision" (Szegedy et al., 2015,
https://arxiv.org/abs/1512.00567), section 7.
"""
import mxnet as mx

__all__ = ['smoothed']


def smoothed(labels, classes, smoothing=0.0):
    """The target distribution of each label: 1 - smoothing for its class, and smoothing / classes more for every class.

    Parameters
    ----------
    labels : NDArray
        B class numbers, of any shape
    classes : int
    smoothing : float, from 0 to below 1
        0: one-hot, to the bit

    Returns
    -------
    NDArray [B, classes], float32, on the labels' device
    """
    share = smoothing / classes
    return mx.nd.one_hot(labels.reshape(-1), classes, on_value=1 - smoothing + share, off_value=share)
