"""Gets pairs of pictures to train an image-to-image translation on.

    python scripts/get_pairs.py facades          # 30 MB: maps of the parts of fronts, and photos of them
    python scripts/get_pairs.py maps             # 240 MB: aerial photos, and street maps
    python scripts/get_pairs.py edges2shoes      # 2 GB: photos of shoes, and their edges
    python scripts/get_pairs.py --synthetic      # draws maps of fronts and pictures of them, without a network

The originals are those of the authors of pix2pix. Each dataset becomes a folder data/NAME with the folders train, val
and, of facades, test; a picture in them shows the two of a pair side by side. dataset.json says what it is. The folder
appears when all is there and has been checked; if it is there already, nothing is done.
"""
import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from dataset_folder import CARD, DatasetError, add_settings, call, chosen, staging, write_card
from tqdm import tqdm

from gluonzoo.data.drawn.pairs import pair
from gluonzoo.data.fetch.download import ChecksumError, download, extract_archive
from gluonzoo.data.paired_images import PairedImages

ADDRESS = 'http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/'
DEFAULTS = {'train': 400, 'val': 50, 'size': 256, 'seed': 0}   # of the synthetic one


class Original(NamedTuple):
    """What an archive must be."""
    md5: str
    pairs: dict   # split -> how many
    max_bytes: int   # that its files take


ORIGINALS = {
    'facades': Original('e2e25dd517e9d15828416ab329da2854', {'train': 400, 'val': 100, 'test': 106}, 1 << 28),
    'maps': Original('e5f65d26eb288457f5ac056deb94d154', {'train': 1096, 'val': 1098}, 1 << 30),
    'edges2shoes': Original('71da478b54fedde126e234a2a050bc15', {'train': 49825, 'val': 200}, 1 << 33),
}


def get(out, card, fill):
    """Sees to it that the folder `out` holds the dataset that `card` describes; `fill` puts it into an empty folder."""
    if out.exists():
        check(out, card)
        return 'is there already'
    with staging(out) as folder:
        whole = fill(folder)
        for split, count in card['pairs'].items():
            found = len(PairedImages(whole / split))   # ValueError where one cannot be halved
            if found != count:
                raise DatasetError(f'{split}: has {found} pictures, and must have {count}')
        write_card(whole, card)
        whole.replace(out)
    return ', '.join(f'{count} pairs to {split}' for split, count in card['pairs'].items())


def check(out, card):
    """DatasetError if the folder holds something else."""
    try:
        there = json.loads((out / CARD).read_text())
    except (OSError, ValueError):
        raise DatasetError(f'{out}: is there, and not by this program; choose another --out') from None
    if there != card:
        raise DatasetError(f'{out}: holds something else: {json.dumps(there)}. Remove it, or choose another --out')


# -- the originals ---------------------------------------------------------------------------------------------------

def get_original(name, out, md5):
    original = ORIGINALS[name]
    md5 = md5 or original.md5

    def fill(folder):
        # Beside the folder, so that it is still there when unpacking fails.
        try:
            archive = download(f'{ADDRESS}{name}.tar.gz', out.with_name(f'{out.name}.tar.gz'), md5=md5)
        except ChecksumError as error:
            raise ChecksumError(f'{error}. It is not kept. (If you trust it, give its MD5 with --md5)') from error
        extract_archive(archive, folder / 'unpacked', max_bytes=original.max_bytes)
        return folder / 'unpacked' / name

    said = get(out, {'name': name, 'md5': md5, 'pairs': original.pairs}, fill)
    out.with_name(f'{out.name}.tar.gz').unlink(missing_ok=True)
    return said


# -- the synthetic one -----------------------------------------------------------------------------------------------

def get_synthetic(out, settings):
    counts = {split: settings[split] for split in ('train', 'val')}

    def fill(staged):
        first = 0
        for split, count in counts.items():   # the numbers go on, so that no house is in both
            folder = staged / 'drawn' / split
            folder.mkdir(parents=True)
            for index in tqdm(range(count), split, unit=' pairs'):
                both = np.hstack(pair(settings['seed'], first + index, settings['size']))
                if not cv2.imwrite(str(folder / f'{index:05}.png'), both[:, :, ::-1]):
                    raise DatasetError(f'{folder}: cannot be written to')
            first += count
        return staged / 'drawn'

    return get(out, {'name': 'synthetic', 'settings': settings, 'pairs': counts}, fill)


# -- the command -----------------------------------------------------------------------------------------------------

def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', nargs='?', choices=sorted(ORIGINALS), help='an original')
    parser.add_argument('--synthetic', action='store_true', help='draw a dataset instead, download nothing')
    parser.add_argument('--out', type=Path, help='the folder (default: data/NAME, or data/synthetic_pairs)')
    parser.add_argument('--md5', help='what the MD5 of the archive must be, if it is not the known one')
    add_settings(parser, 'the synthetic dataset', DEFAULTS, (
        ('train', 1, 'pairs to train on'), ('val', 1, 'pairs to validate with'),
        ('size', 32, 'the sides of their pictures in pixels'), ('seed', 0, 'other houses')))
    args = parser.parse_args(argv)
    settings = chosen(args, DEFAULTS)
    if bool(args.name) == args.synthetic:
        parser.error(f'one of {", ".join(sorted(ORIGINALS))} or --synthetic is needed, and not both')
    if args.synthetic and args.md5:
        parser.error('--md5: is of an original')
    if args.name and settings:
        parser.error(f'--{", --".join(settings)}: only with --synthetic')
    out = args.out or Path('data') / (args.name or 'synthetic_pairs')
    return call(lambda: get_synthetic(out, {**DEFAULTS, **settings}) if args.synthetic else
                get_original(args.name, out, args.md5), out, '\n--synthetic draws a dataset that needs no network.')


if __name__ == '__main__':
    sys.exit(main())
