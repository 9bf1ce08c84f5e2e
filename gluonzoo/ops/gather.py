"""Takes parts of every image of a batch, other parts of each image. Composed of stock operators."""

__all__ = ['gather_cells', 'gather_rows']


def gather_rows(F, values, *indices):
    """``values[b, i[b, k], j[b, k], ...]`` for every image b and every k.

    Gradients pass to `values`. They add up where a part is named more than once. No gradient passes to `indices`.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    values : NDArray or Symbol [B, N, ..., C]
    *indices : NDArray or Symbol [B, K]
        whole numbers of any type, one array for each axis from N on. Axes that are left over stay, at least C. Negative
        numbers count from the end. In float32, numbers are exact up to 2^24.

    Returns
    -------
    NDArray or Symbol [B, K, ..., C], of the axes that are left over

    Raises
    ------
    IndexError
        on a CPU, for an index that is out of range, when the result is read

    Examples
    --------
    >>> values = nd.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    >>> gather_rows(nd, values, nd.array([[1, 1, 0], [0, 1, 0]]))
    [[[3. 4.] [3. 4.] [1. 2.]]
     [[5. 6.] [7. 8.] [5. 6.]]]
    """
    first = indices[0]
    images = F.broadcast_like(F.expand_dims(F.contrib.arange_like(first, axis=0), 1), first)   # [B, K]
    return F.gather_nd(values, F.stack(images, *indices, axis=0))


def gather_cells(F, maps, cells):
    """The values of maps at cells, which are numbered ``row * W + column``.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    maps : NDArray or Symbol [B, C, H, W]
    cells : NDArray or Symbol [B, K]
        whole numbers from 0 to H * W - 1; as the indices of :func:`gather_rows`

    Returns
    -------
    NDArray or Symbol [B, K, C]
    """
    return gather_rows(F, F.transpose(F.reshape(maps, shape=(0, 0, -1)), axes=(0, 2, 1)), cells)
