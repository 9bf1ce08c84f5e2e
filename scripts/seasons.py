"""Measures how well a run of CycleGAN turns the drawn seasons into each other.

    gluonzoo data unpaired --synthetic
    gluonzoo train cyclegan --data data/synthetic_unpaired --small
    python scripts/seasons.py --run runs/cyclegan_synthetic_unpaired_small --data data/synthetic_unpaired

The pictures to validate with show the same landscapes in summer and in winter, which no training is told. So it is
known what should be made of each. The numbers are of :mod:`gluonzoo.data.drawn.seasons`: 1 is the wanted picture, 0 the
given one left as it is, below 0 something worse. "all" weighs every pixel alike, "mean of kinds" every kind of thing.
Beside them stands what the best linear map of colours reaches. It is fitted to these very pairs, and sees no shapes.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

import gluonzoo  # noqa: F401  first: it makes MXNet importable
from gluonzoo.commands import resolve
from gluonzoo.commands.errors import said_of
from gluonzoo.data import UnpairedImages
from gluonzoo.data.dataset import CARD
from gluonzoo.data.drawn.seasons import turned, turned_by_kind
from gluonzoo.data.unpaired_images import find_domains
from gluonzoo.pictures.contact_sheet import contact_sheet
from gluonzoo.pictures.jpeg import write_jpeg
from gluonzoo.reading import read_json

DIRECTIONS = {'AtoB': 'summer to winter', 'BtoA': 'winter to summer'}
SHOWN = 6   # landscapes on the sheet


def seasons(folder):
    """(summer, winter) of the landscapes to validate with, each uint8 [N, H, W, 3].

    Raises ValueError or OSError if the folder is not one of drawn seasons.
    """
    card = read_json(folder / CARD)
    if not isinstance(card, dict) or card.get('name') != 'seasons':
        raise ValueError(f'{folder}: must hold the drawn seasons: gluonzoo data unpaired --synthetic')
    data = UnpairedImages(find_domains(folder, 'val'), serial=True)
    return tuple(np.stack([getattr(data.sample(record), domain) for record in range(len(data))]) for domain in 'ab')


def by_colours(given, wanted):
    """What the linear map of colours makes of the given pictures that comes nearest to the wanted ones."""
    inputs = np.concatenate((given, np.ones((*given.shape[:3], 1))), 3).reshape(-1, 4)   # [N, H, W, 3] -> [N H W, 4]
    weights = np.linalg.lstsq(inputs, wanted.reshape(-1, 3).astype(float), rcond=None)[0]
    return (inputs @ weights).clip(0, 255).reshape(given.shape)


def shares(given, made, wanted):
    """name -> how far the pictures have been turned: all, the mean of the kinds, and each kind."""
    by_kind = turned_by_kind(given, made, wanted)
    return {'all': turned(given, made, wanted), 'mean of kinds': float(np.mean(list(by_kind.values()))), **by_kind}


def report(title, given, made, wanted):
    """Lines of a table."""
    ours, colours = shares(given, made, wanted), shares(given, by_colours(given, wanted), wanted)
    yield f'{title:20} {"run":>8} {"colours":>8}'
    for name, share in ours.items():
        yield f'  {name:18} {share:8.3f} {colours[name]:8.3f}'


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', type=Path, required=True, help='the directory of the run')
    parser.add_argument('--which', choices=('best', 'last'), default='last', help='checkpoint (default: %(default)s)')
    parser.add_argument('--data', type=Path, required=True, help='the folder of drawn seasons')
    parser.add_argument('--sheet', type=Path, help='write a JPEG here: landscapes given, made and wanted, both ways')
    args = parser.parse_args(argv)
    try:
        pictures, rows = seasons(args.data), []
        for direction, (given, wanted) in zip(DIRECTIONS, (pictures, pictures[::-1])):
            task = resolve.open_run(args.run, args.which, overrides=[f'task.direction={direction}']).task
            made = np.stack(task.predict(list(given)))
            print('\n'.join(report(DIRECTIONS[direction], given, made, wanted)))
            rows += [given[:SHOWN], made[:SHOWN], wanted[:SHOWN]]
        if args.sheet:
            columns = len(rows[0])
            write_jpeg(args.sheet, contact_sheet([image for row in rows for image in row], columns))
    except Exception as error:
        said = said_of(error)
        if said is None:
            raise
        print(f'seasons.py: {said}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
