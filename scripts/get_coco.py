"""Gets COCO 2017, 118,287 pictures to train on and 5,000 to validate with, of 80 classes; or draws a small dataset.

    python scripts/get_coco.py                 # downloads 20 GB, needs 42 on the way; goes on where it broke off
    python scripts/get_coco.py --parts annotations val2017     # 1 GB: all that an evaluation needs
    python scripts/get_coco.py --synthetic     # draws 1,000 and 100 pictures of 4 classes, without a network

All give annotations/instances_train2017.json and annotations/instances_val2017.json, train2017/*.jpg and val2017/*.jpg,
in the same format. dataset.json says which of the two the folder holds; they are never mixed. If the original cannot be
reached, the drawn one is made instead.
"""
import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from common import at_least
from tqdm import tqdm

from gluonzoo.data.download import ArchiveError, ChecksumError, DownloadError, download, extract_archive
from gluonzoo.data.synthetic_coco import write

ADDRESS = 'http://images.cocodataset.org/'
CARD = 'dataset.json'
CARD_KEYS = {'original': {'kind'}, 'synthetic': {'kind', 'settings', 'sha1'}}
SPLITS = ('train2017', 'val2017')
DEFAULTS = {'train': 1000, 'val': 100, 'seed': 0}   # of the synthetic one


class Part(NamedTuple):
    """An archive of the original, which has one folder."""
    path: str
    bytes: int
    md5: str
    unpacked: int   # bytes that its files take at most
    files: dict     # pattern -> how many files of it the folder has


ORIGINAL = {   # the small ones first, to find out soon that there is no network
    'annotations': Part('annotations/annotations_trainval2017.zip', 252907541, 'f4bbac642086de4f52a3fdda2de5fa2c',
                        1 << 30, {f'instances_{split}.json': 1 for split in SPLITS}),
    'val2017': Part('zips/val2017.zip', 815585330, '442b8da7639aecaf257c1dceb8ba8c80', 1 << 30, {'*.jpg': 5000}),
    'train2017': Part('zips/train2017.zip', 19336861798, 'cced6f7f71b7629ddf16f17bbcfab6b2', 21 << 30,
                      {'*.jpg': 118287})}


class DatasetError(Exception):
    """The folder cannot be given the dataset that is wanted."""


def get(out, parts, settings):
    """Sees to it that the folder holds a dataset. Returns words that say which.

    Parameters
    ----------
    out : Path
    parts : list of str
        of the original; empty: the synthetic one is wanted
    settings : dict
        those that the user has chosen for the synthetic one
    """
    out = out.resolve()   # a link to a folder elsewhere, or '.'
    card = read_card(out)
    if card and card['kind'] == 'synthetic':
        check_synthetic(out, card, settings if parts else {**DEFAULTS, **settings})
        return 'the SYNTHETIC dataset, made earlier' + (
            f'. (For the original, remove {out} or choose another --out)' if parts else '')
    if parts:
        try:
            get_original(out, parts)
            return f'the original dataset: {", ".join(parts)}'
        except ChecksumError:
            raise
        except DownloadError as error:
            if card or begun(out):
                raise DatasetError(f'{error}\n{out} holds a part of the original. Run this again to go on, or choose '
                                   'another --out') from error
            print(f'THE ORIGINAL DATASET CANNOT BE DOWNLOADED:\n{error}\nA synthetic one is made instead.',
                  file=sys.stderr)
    if card or begun(out):
        raise DatasetError(f'{out}: holds the original dataset, or a part of it; choose another --out')
    make_synthetic(out, {**DEFAULTS, **settings})
    return 'the SYNTHETIC dataset, made now'


def read_card(out):
    """What the folder says that it holds; None if it says nothing."""
    try:
        card = json.loads((out / CARD).read_text())
        if card.keys() != CARD_KEYS[card['kind']] or not isinstance(card.get('settings', {}), dict):
            raise ValueError(card)
        return card
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f'{out / CARD}: not of this program; choose another --out') from error


def write_card(out, card):
    part = out / f'{CARD}.part'
    part.write_text(json.dumps(card, indent=2) + '\n')
    part.replace(out / CARD)


# -- the original ----------------------------------------------------------------------------------------------------

def get_original(out, parts):
    for name in parts:
        part, folder = ORIGINAL[name], out / name
        if not folder.exists():
            out.mkdir(parents=True, exist_ok=True)
            archive = out / Path(part.path).name
            check_room(out, part, archive)
            unpack(download(ADDRESS + part.path, archive, md5=part.md5), part, folder)
            archive.unlink()
        check_files(folder, part)
        print(f'{folder}: complete')
    write_card(out, {'kind': 'original'})


def check_room(out, part, archive):
    """DatasetError unless the archive and what is in it fit on the disk."""
    there = sum(path.stat().st_size for path in (archive, archive.with_name(f'{archive.name}.part')) if path.exists())
    needed, free = part.bytes - there + part.unpacked, shutil.disk_usage(out).free
    if needed > free:
        raise DatasetError(f'{out}: {archive.name} takes {needed / 1e9:.1f} GB on the way, and {free / 1e9:.1f} GB are '
                           'free on the disk')


def unpack(archive, part, folder):
    """The folder of this name in the archive becomes `folder`, once all is unpacked."""
    with tempfile.TemporaryDirectory(prefix=f'{folder.name}.part-', dir=folder.parent) as staging:
        print(f'{archive}: unpacking')
        unpacked = Path(staging) / 'unpacked'
        extract_archive(archive, unpacked, max_bytes=part.unpacked)
        check_files(unpacked / folder.name, part)
        (unpacked / folder.name).rename(folder)


def check_files(folder, part):
    for pattern, count in part.files.items():
        found = sum(1 for _ in folder.glob(pattern))
        if found != count:
            raise DatasetError(f'{folder}: has {found} file(s) {pattern}, and must have {count}. Remove it, or choose '
                               'another --out')


def begun(out):
    """Whether a part of the original is there."""
    return any(path.exists() for name, part in ORIGINAL.items() for path in (
        out / name, out / Path(part.path).name, out / f'{Path(part.path).name}.part'))


# -- the synthetic one -----------------------------------------------------------------------------------------------

def make_synthetic(out, settings):
    """Draws the dataset into a folder that is empty or not there."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f'{out}: is not an empty folder; choose another --out')
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'{out.name}.part-', dir=out.parent) as staging:
        whole = Path(staging) / 'dataset'
        whole.mkdir()
        first = 0
        for split in SPLITS:   # the numbers go on, so that no picture is in both
            count = settings[split[:-len('2017')]]
            write(whole, split, settings['seed'], tqdm(range(first, first + count), split, unit=' pictures'))
            first += count
        write_card(whole, {'kind': 'synthetic', 'settings': settings, 'sha1': sha1_of_folder(whole)})
        whole.replace(out)


def check_synthetic(out, card, settings):
    """DatasetError if the synthetic dataset that is there has other settings, or has been changed."""
    differences = [f'--{name} {card["settings"].get(name)}, not {value}' for name, value in settings.items()
                   if card['settings'].get(name) != value]
    if differences:
        raise DatasetError(f'{out}: was made with {", ".join(differences)}. Choose another --out, or remove it')
    if sha1_of_folder(out) != card['sha1']:
        raise DatasetError(f'{out}: is not as it was made. Remove it, and run this again')


def sha1_of_folder(out):
    """Of the names and contents of all files but the card's."""
    digest = hashlib.sha1()
    for path in sorted(out.rglob('*')):
        if path.is_file() and path != out / CARD:
            digest.update(f'{path.relative_to(out)} {path.stat().st_size} '.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


# -- the command -----------------------------------------------------------------------------------------------------

def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('data/coco'), help='the folder (default: %(default)s)')
    parser.add_argument('--parts', nargs='+', choices=ORIGINAL, help='of the original (default: all)')
    parser.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    group = parser.add_argument_group('the synthetic dataset, asked for or not')
    for name, least, what in (('train', 1, 'pictures to train on'), ('val', 1, 'pictures to validate with'),
                              ('seed', 0, 'another seed, other pictures')):
        group.add_argument(f'--{name}', type=at_least(least), help=f'{what} (default: {DEFAULTS[name]})')
    args = parser.parse_args(argv)
    if args.synthetic and args.parts:
        parser.error('--parts: is of the original, which --synthetic does not get')
    settings = {name: getattr(args, name) for name in DEFAULTS if getattr(args, name) is not None}
    try:
        which = get(args.out, [] if args.synthetic else args.parts or list(ORIGINAL), settings)
    except (ArchiveError, DatasetError, DownloadError, OSError) as error:
        print(f'get_coco: {error}', file=sys.stderr)
        return 1
    print(f'{args.out}: {which}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
