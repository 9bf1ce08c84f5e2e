"""Charts of lines: from numbers to the places of a drawing. templates/chart.html writes the drawing as SVG."""
import math
from typing import NamedTuple, Optional

import numpy as np
from matplotlib.ticker import MaxNLocator

from .texts import shortened

__all__ = ['COLORS', 'LONGEST_NAME', 'Chart', 'Line', 'chart', 'thinned']

COLORS = 8   # that lines can be told apart by; report.css has them
POINTS = 200   # of a line: about one for two pixels of a chart
LONGEST_NAME = 80   # letters of a title or of the name of a line
DOTTED = 40   # lines of at most so many points have a dot at each, which says its numbers

# Units of the drawing, which has a page's width or less.
WIDTH, HEIGHT = 400, 210
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 34
_MOST = 1e300   # what is beyond is drawn at the edge: differences of doubles stay finite
_SPREAD = 100   # of the greatest and the least number of a chart, from which on the scale is logarithmic


class Line(NamedTuple):
    """What is to be drawn. Numbers that are not finite are gaps."""
    name: str
    x: np.ndarray
    y: np.ndarray
    low: Optional[np.ndarray] = None
    """with `high`: a band behind the line"""
    high: Optional[np.ndarray] = None


class Drawn(NamedTuple):
    """A line in units of the drawing."""
    name: str
    color: int
    path: str
    """as the attribute d of an SVG path"""
    band: str
    dots: list
    """of (x, y, what it says)"""


class Chart(NamedTuple):
    """A drawing. Places are units from its upper left corner."""
    title: str
    x_label: str
    x_ticks: list
    """of (place, text)"""
    y_ticks: list
    lines: list
    """of Drawn"""
    logarithmic: bool
    mark: Optional[float]
    """place along the x axis of what is marked"""
    said: str
    """what the chart shows, for those who do not see it"""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def thinned(name, points):
    """A :class:`Line` of at most POINTS means of points that follow each other, with a band from the least to the
    greatest of them.

    Parameters
    ----------
    name : str
    points : list of (x, y)
        more than none; numbers that are not finite are left out
    """
    x, y = np.array(points, float).T
    there = np.isfinite(y)
    x, y = x[there], np.clip(y[there], -_MOST, _MOST)
    if len(x) <= POINTS:
        return Line(name, x, y)
    begins = np.arange(POINTS) * len(x) // POINTS
    counts = np.diff([*begins, len(x)])
    means = [np.add.reduceat(values / np.repeat(counts, counts), begins) for values in (x, y)]
    return Line(name, *means, np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins))


def chart(title, lines, x_label='step', limits=None, may_be_logarithmic=False, mark=None):
    """The :class:`Chart` of some lines; None if they have no finite number.

    Parameters
    ----------
    title : str
    lines : list of Line
        more than COLORS share colours
    x_label : str
    limits : ((x, x), (y, y)), optional
        of the axes; default: those of the numbers
    may_be_logarithmic : bool
        whether the y axis may be, where all numbers are above 0 and their spread is great
    mark : float, optional
        an x that a line across the chart marks
    """
    title, lines = shortened(title, LONGEST_NAME), [_clipped(line) for line in lines]
    ys = np.concatenate([np.concatenate([line.y, *(() if line.low is None else (line.low, line.high))])
                         for line in lines]) if lines else np.zeros(0)
    there = [(line.x[ok], line.y[ok]) for line in lines for ok in [np.isfinite(line.y) & np.isfinite(line.x)]]
    xs = np.concatenate([x for x, _ in there]) if there else np.zeros(0)
    ys = ys[np.isfinite(ys)]
    if not len(xs) or not len(ys):
        return None
    logarithmic = bool(may_be_logarithmic and ys.min() > 0 and ys.max() / _SPREAD > ys.min())
    x_limits, y_limits = limits or (_around(xs), (math.log10(ys.min()), math.log10(ys.max())) if logarithmic
                                    else _around(ys, .04))

    def place_x(value):
        return LEFT + _part(value, x_limits) * (WIDTH - LEFT - RIGHT)

    def place_y(value):
        value = np.log10(np.maximum(value, 10 ** y_limits[0])) if logarithmic else value
        return HEIGHT - BOTTOM - _part(value, y_limits) * (HEIGHT - TOP - BOTTOM)

    drawn = [_drawn(line, number % COLORS, x_label, place_x, place_y) for number, line in enumerate(lines)]
    values = _decades(y_limits) if logarithmic else _ticks(y_limits)
    last = '; '.join(f'{line.name}: {_text(y[-1])} at the end' for line, (_, y) in zip(lines, there) if len(y))
    x_ticks = [(round(float(place_x(value)), 1), _text(value)) for value in _ticks(x_limits, whole=not limits)]
    y_ticks = [(round(float(place_y(value)), 1), _text(value)) for value in values]
    mark = None if mark is None else round(float(place_x(mark)), 1)
    return Chart(title, x_label, x_ticks, y_ticks, drawn, logarithmic, mark, f'{title} over {x_label}. {last}')


def _clipped(line):
    return line._replace(name=shortened(line.name, LONGEST_NAME), **{
        field: _finite(getattr(line, field)) for field in ('y', 'low', 'high') if getattr(line, field) is not None})


def _finite(values):
    values = np.asarray(values, float)
    return np.where(np.isfinite(values), np.clip(values, -_MOST, _MOST), np.nan)


def _around(values, margin=0.0):
    """The least and the greatest number, a little further apart, and never the same."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        margin, low, high = 0, low - (abs(low) * .1 or 1), high + (abs(high) * .1 or 1)
    return low - margin * (high - low), high + margin * (high - low)


def _part(value, limits):
    return (value - limits[0]) / ((limits[1] - limits[0]) or 1)


def _ticks(limits, whole=False):
    found = MaxNLocator(5, integer=whole).tick_values(*limits)
    slack = 1e-9 * (limits[1] - limits[0])
    return [float(value) for value in found if limits[0] - slack <= value <= limits[1] + slack]


def _decades(limits):
    """Powers of 10 between limits that are logarithms; at most seven."""
    first, last = math.ceil(limits[0]), math.floor(limits[1])
    return [10.0 ** power for power in range(first, last + 1, max(1, math.ceil((last - first + 1) / 7)))]


def _drawn(line, color, x_label, place_x, place_y):
    ok = np.isfinite(line.y)
    xs, ys = (np.where(ok, place(np.where(ok, values, 1)), np.nan) for place, values
              in ((place_x, line.x), (place_y, line.y)))
    path, pen_is_down = [], False
    for x, y in zip(xs, ys):
        if math.isfinite(y):
            path.append(f'{"L" if pen_is_down else "M"}{x:.1f} {y:.1f}')
        pen_is_down = math.isfinite(y)
    band = ''
    if line.low is not None:
        edge = [*zip(xs, place_y(line.high)), *[*zip(xs, place_y(line.low))][::-1]]
        band = f'M{"L".join(f"{x:.1f} {y:.1f}" for x, y in edge)}Z'
    dots = [(round(float(x), 1), round(float(y), 1), f'{line.name}: {_text(value)} ({x_label} {_text(where)})')
            for x, y, value, where in zip(xs, ys, line.y, line.x) if math.isfinite(y)] if ok.sum() <= DOTTED else []
    return Drawn(line.name, color, ''.join(path), band, dots)


def _text(value):
    """A number as it is read: 12000, 0.25, 1e-05."""
    value = float(value)
    return f'{value:.0f}' if value == round(value) and abs(value) < 1e6 else f'{value:.4g}'
