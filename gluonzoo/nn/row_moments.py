"""Means and variances of rows as matrix products, for normalisations."""

__all__ = ['row_moments']


def row_moments(F, rows):
    """Of each row, its numbers less their mean, and their variance; both differentiable.

    BLAS computes the means, their copies for each number of a row, and the gradients of both, several times as fast as
    MXNet's reductions and broadcast operators do on a CPU.

    Parameters
    ----------
    rows : [N, M]

    Returns
    -------
    centred : [N, M]
    variance : [N, 1], divided by M
    ones : [1, M]
        a product of a column [N, 1] with it has the column's number in each place of a row
    """
    ones = F.ones_like(F.slice_axis(rows, axis=0, begin=0, end=1))
    # 1 / M, so that a product is a mean. Mixed precision keeps a softmax, and so what follows, in float32.
    share = F.BlockGrad(F.softmax(ones))
    centred = rows - F.dot(F.dot(rows, share, transpose_b=True), ones)
    return centred, F.dot(F.square(centred), share, transpose_b=True), ones
