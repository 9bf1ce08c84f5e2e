"""What the corner pools must compute: the rule as a slow NumPy twin, tables worked by hand, and data.

NumPy only, so whatever computes the pools can be held against it.
"""
import numpy as np

DTYPES = ('float16', 'float32', 'float64')
CODES = {'float32': 0, 'float64': 1, 'float16': 2}   # what the C interfaces call them, and MXNet
SCANS = {'top_pool': (2, -1), 'bottom_pool': (2, 1), 'left_pool': (3, -1), 'right_pool': (3, 1)}  # axis, step
POOLS = tuple(SCANS)
NAN, INF = float('nan'), float('inf')

X = [[1, 3, 2, 3],
     [4, 0, 2, 1],
     [4, 5, 0, 1]]
HEAD = [[1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12]]
TABLES = {   # values and gradients. In the third column, say, top_pool meets the 2 of the middle row first.
    'top_pool': ([[4, 5, 2, 3], [4, 5, 2, 1], [4, 5, 0, 1]], [[0, 0, 0, 4], [0, 0, 10, 0], [15, 18, 11, 20]]),
    'bottom_pool': ([[1, 3, 2, 3], [4, 3, 2, 3], [4, 5, 2, 3]],
                    [[1, 8, 21, 24], [14, 0, 0, 0], [0, 10, 0, 0]]),
    'left_pool': ([[3, 3, 3, 3], [4, 2, 2, 1], [5, 5, 1, 1]], [[0, 0, 0, 10], [5, 0, 13, 8], [0, 19, 0, 23]]),
    'right_pool': ([[1, 3, 3, 3], [4, 4, 4, 4], [4, 5, 5, 5]], [[1, 9, 0, 0], [26, 0, 0, 0], [9, 33, 0, 0]]),
}
LINES = [   # a line in the order of the scan; where the maximum that each output copies was met first
    ([5], [0]),
    ([2, 2, 2, 2], [0, 0, 0, 0]),
    ([1, 2, 2, 1, 3, 3], [0, 1, 1, 1, 4, 4]),
    ([0.0, -0.0, 0.0], [0, 0, 0]),
    ([-0.0, 0.0, -0.0], [0, 0, 0]),
    ([-1, -0.0, 0.0], [0, 1, 1]),
    ([-INF, -INF, 1, INF, INF], [0, 0, 2, 3, 3]),
    ([INF, 1, -INF], [0, 0, 0]),
    ([NAN, 1, 2], [0, 0, 0]),
    ([1, 2, NAN], [0, 1, 2]),
    ([1, NAN, 2, NAN, 3], [0, 1, 1, 1, 1]),
    ([INF, NAN, INF], [0, 1, 1]),
    ([-INF, NAN, -INF], [0, 1, 1]),
    ([NAN, NAN, NAN], [0, 0, 0]),
]
SHAPES = [(1, 1, 1, 1), (2, 3, 1, 1), (1, 1, 1, 9), (2, 1, 9, 1), (1, 5, 1, 67), (5, 1, 67, 1), (3, 5, 5, 7),
          (1, 7, 17, 33), (1, 1, 31, 15), (1, 3, 64, 64), (2, 1, 3, 130), (1, 2, 130, 3), (11, 13, 4, 6),
          (7, 13, 23, 29), (1, 1, 190, 310)]   # the last two are large enough for several threads


def scan_order(pool, array):
    """(N, C, H, W) -> view with the lines last, each in the order in which the pool meets its elements."""
    axis, step = SCANS[pool]
    return np.moveaxis(array, axis, 3)[..., ::step]


def from_scan_order(pool, lines):
    """The inverse of `scan_order`."""
    axis, step = SCANS[pool]
    return np.ascontiguousarray(np.moveaxis(lines[..., ::step], 3, axis))


def twin(pool, x, head):
    """The rule: (values, gradient of x) for the output gradient `head`."""
    y, grad = np.empty_like(x), np.zeros_like(x)
    x_lines, head_lines, y_lines, grad_lines = (scan_order(pool, array) for array in (x, head, y, grad))
    for line in np.ndindex(x_lines.shape[:3]):
        values = x_lines[line].tolist()
        first = 0   # where the running maximum was met first
        for i, value in enumerate(values):
            best = values[first]
            if value > best or (value != value and best == best):   # strictly greater, or the first NaN
                first = i
            y_lines[line][i] = values[first]
            grad_lines[line][first] += head_lines[line][i]
    return y, grad


def tied(rng, shape, dtype='float32'):
    """(x, output gradient): few values, so many ties; planes that climb, so that the maximum changes along
    the line; small integers, so that sums of gradients are exact in every dtype."""
    slopes = rng.randint(-1, 2, (2, *shape[:2], 1, 1))
    climb = (slopes[0] * np.arange(shape[2])[:, None] + slopes[1] * np.arange(shape[3])) // 2
    return (climb + rng.randint(-3, 4, shape)).astype(dtype), rng.randint(-3, 4, shape).astype(dtype)
