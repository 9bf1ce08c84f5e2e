"""Draws what the four corner pools compute, where their gradients go, and why they find the corners of boxes.

    python scripts/demo_ops.py --out demo/corner_pools.png

The input is made here, so the picture is always the same. Its last row is the idea of CornerNet: the corner
of a box mostly lies outside the object, where nothing is to be seen. But looking down from it one meets the
object's leftmost edge, and looking right its topmost edge: top_pool of the one plus left_pool of the other
peaks there.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

SIZE = 32
POOLS = ('top', 'bottom', 'left', 'right')
# Ellipses: x and y of the centre, half the width, half the height, strength of the feature inside.
OBJECTS = ((10, 9, 6, 4, 1.0), (22, 22, 5, 6, 0.7))
# A corner of a box: which pools find it, each with the way (x, y) that the edges face which it is given.
CORNERS = {
    'top-left': (('top', (-1, 0)), ('left', (0, -1))),
    'bottom-right': (('bottom', (1, 0)), ('right', (0, 1))),
}


# -- what is drawn -------------------------------------------------------------------------------------------

def boxes():
    """(xmin, ymin, xmax, ymax) of every object, in pixels."""
    return [(x - half_width, y - half_height, x + half_width, y + half_height)
            for x, y, half_width, half_height, _ in OBJECTS]


def radii():
    """For each object the distance from its centre in radii (1 on its edge) and the outward normal."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    for x, y, half_width, half_height, _ in OBJECTS:
        across, down = (columns - x) / half_width, (rows - y) / half_height
        normal = np.stack((across / half_width, down / half_height))
        yield np.hypot(across, down), normal / np.maximum(np.hypot(*normal), 1e-6)


def feature_map():
    """A feature that is strong inside each object, over a weak texture: [SIZE, SIZE]."""
    texture = 0.25 * np.random.RandomState(0).rand(SIZE, SIZE)
    for index, (radius, _) in enumerate(radii()):
        texture += (OBJECTS[index][-1] - 0.25) * np.exp(-radius ** 4)
    return texture.astype(np.float32)


def edge_evidence(direction):
    """What a detector of edges that face `direction` (x, y) would answer, most at the outermost point."""
    answer = np.zeros((SIZE, SIZE), np.float32)
    for radius, normal in radii():
        facing = np.maximum(np.tensordot(np.float32(direction), normal, axes=1), 0)
        answer = np.maximum(answer, facing ** 8 * np.exp(-(6 * (radius - 1)) ** 2))
    return answer


def pooled(pool, image):
    """The pool of one map, and the gradient of the sum of its elements."""
    import mxnet as mx

    from gluonzoo import ops
    x = mx.nd.array(image.reshape(1, 1, SIZE, SIZE))
    x.attach_grad()
    with mx.autograd.record():
        y = getattr(ops, pool + '_pool')(x)
    y.backward()
    return y[0, 0].asnumpy(), x.grad[0, 0].asnumpy()


def compute():
    """Every map of the picture: a dict of arrays [SIZE, SIZE].

    'x'; for each pool its output under 'top' ... and the gradient under 'top gradient' ...; for each corner
    the evidence of two edges under 'top evidence' ..., their pools under 'top of evidence' ..., and the sum
    of those under 'top-left' and 'bottom-right'.
    """
    maps = {'x': feature_map()}
    for pool in POOLS:
        maps[pool], maps[pool + ' gradient'] = pooled(pool, maps['x'])
    for corner, edges in CORNERS.items():
        for pool, direction in edges:
            maps[pool + ' evidence'] = edge_evidence(direction)
            maps[pool + ' of evidence'], _ = pooled(pool, maps[pool + ' evidence'])
        maps[corner] = sum(maps[pool + ' of evidence'] for pool, _ in edges)
    return maps


def peaks(score, threshold=0.75):
    """(x, y) of the local maxima of at least `threshold` of the greatest, from top to bottom."""
    padded = np.pad(score, 1, constant_values=-np.inf)
    around = np.max([padded[i:i + SIZE, j:j + SIZE] for i in range(3) for j in range(3)], axis=0)
    found = np.argwhere((score == around) & (score >= threshold * score.max()))
    return [(int(x), int(y)) for y, x in found]


# -- how it is drawn -----------------------------------------------------------------------------------------

INK, ACCENT = '#222222', '#e4572e'


def show(axes, image, title, **kwargs):
    axes.imshow(image, interpolation='nearest', **kwargs)
    axes.set_title(title, fontsize=13, color=INK, pad=6)
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set(color='#bbbbbb', linewidth=0.8)


def draw_scan(axes, pool):
    """An arrow along the panel, from where the scan starts to where it ends."""
    begin, end = {'top': ((1.055, 0), (1.055, 1)), 'bottom': ((1.055, 1), (1.055, 0)),
                  'left': ((1, -.055), (0, -.055)), 'right': ((0, -.055), (1, -.055))}[pool]
    axes.annotate('', xy=end, xytext=begin, xycoords='axes fraction', textcoords='axes fraction',
                  annotation_clip=False,
                  arrowprops={'arrowstyle': '-|>,head_width=.35,head_length=.7', 'color': ACCENT,
                              'linewidth': 2.2, 'shrinkA': 0, 'shrinkB': 0})


def draw_boxes(axes):
    from matplotlib.patches import Rectangle
    for xmin, ymin, xmax, ymax in boxes():
        axes.add_patch(Rectangle((xmin, ymin), xmax - xmin, ymax - ymin, fill=False, color='white',
                                 linestyle=(0, (4, 3)), linewidth=1.3))


def draw_peaks(axes, score):
    for x, y in peaks(score):
        axes.plot(x, y, 'o', markersize=13, markerfacecolor='none', markeredgecolor='white',
                  markeredgewidth=2)


def draw(maps, route):
    """The picture as a matplotlib figure: three rows of five panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9.9), dpi=110, facecolor='white')
    FigureCanvasAgg(figure)
    panels = figure.subplots(3, 5, gridspec_kw={'left': .02, 'right': .972, 'bottom': .035, 'top': .88,
                                                'wspace': .16, 'hspace': .42})
    figure.text(.02, .968, 'Corner pooling: running maxima towards one edge',
                fontsize=20, weight='bold', color=INK)
    for row, heading in enumerate((
            'Forward. Each output is the largest input met so far on the scan; the arrow is the scan.',
            'Backward. Each output sends its gradient to the one input that is its maximum.',
            "Why. At a box's corner nothing is to be seen, but the object's leftmost edge is straight below "
            'it, its topmost edge beside it.')):
        figure.text(.02, panels[row, 0].get_position().y1 + .039, heading, fontsize=14, color=ACCENT)

    values = {'cmap': 'viridis', 'vmin': 0, 'vmax': 1}
    show(panels[0, 0], maps['x'], 'input x', **values)
    counts = {'cmap': 'YlGnBu', 'norm': LogNorm(0.5, SIZE)}
    for column, pool in enumerate(POOLS, 1):
        show(panels[0, column], maps[pool], f'{pool}_pool(x)', **values)
        draw_scan(panels[0, column], pool)
        gradient = np.ma.masked_equal(maps[pool + ' gradient'], 0)
        show(panels[1, column], gradient, f'gradient of {pool}_pool', **counts)
        draw_scan(panels[1, column], pool)

    panels[1, 0].axis('off')
    panels[1, 0].text(0, .98, 'The gradient of the sum\nof all outputs: how many\noutputs each input feeds.\n'
                      'White: none.', fontsize=12.5, color=INK, va='top', linespacing=1.5)
    bar = figure.colorbar(panels[1, 1].images[0], cax=panels[1, 0].inset_axes([0, .2, .9, .09]),
                          orientation='horizontal', ticks=[1, 2, 4, 8, 16, 32])
    bar.ax.minorticks_off()
    bar.ax.set_xlim(1, SIZE)
    bar.ax.set_xticklabels(['1', '2', '4', '8', '16', '32'], fontsize=12)
    bar.outline.set(linewidth=0.5)

    seen = np.maximum.reduce([maps[pool + ' evidence'] for pool in POOLS]
                             + [0.25 * (radius < 1) for radius, _ in radii()])
    answers = {'cmap': 'magma', 'vmin': 0, 'vmax': 1}
    show(panels[2, 0], seen, 'objects, edges, boxes', **answers)
    for column, pool, edge in ((1, 'top', 'leftmost'), (2, 'left', 'topmost')):
        show(panels[2, column], maps[pool + ' of evidence'], f'{pool}_pool({edge} edges)', **answers)
        draw_scan(panels[2, column], pool)
    for column, corner, title in ((3, 'top-left', 'sum: top-left'),
                                  (4, 'bottom-right', 'likewise bottom-right')):
        show(panels[2, column], maps[corner], title, cmap='magma', vmin=0, vmax=2)
        draw_peaks(panels[2, column], maps[corner])
    for panel in panels[2]:
        draw_boxes(panel)
    figure.text(.972, .012, f'computed by gluonzoo.ops, route {route}',
                fontsize=10, color='#777777', ha='right')
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('demo/corner_pools.png'))
    args = parser.parse_args(argv)
    from gluonzoo import ops
    maps = compute()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    # No software version in the file: the same numbers give the same bytes.
    draw(maps, ops.route()).savefig(args.out, metadata={'Software': None})
    for corner in CORNERS:
        print(f'{corner} corners found at (x, y): {", ".join(map(str, peaks(maps[corner])))}')
    print(f'route {ops.route()}; the picture is in {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
