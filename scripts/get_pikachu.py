"""Gets the Pikachu detection dataset: 900 pictures to train on and 100 to validate with, of one class.

    python scripts/get_pikachu.py                 # downloads it; goes on where it broke off, keeps what is right
    python scripts/get_pikachu.py --synthetic     # draws such a dataset, without a network

Both give train.rec, train.idx, val.rec, val.idx and classes.txt, in the same format. dataset.json says which of the two
the folder holds; they are never mixed. If the original cannot be reached, the drawn one is made instead.
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from gluonzoo.data.download import ChecksumError, DownloadError, download, sha1_of
from gluonzoo.data.mascot import CLASS_NAMES, picture
from gluonzoo.data.records import RecordFile, write_records

# Where the original is to be had, tried in this order.
ADDRESSES = ('https://apache-mxnet.s3-accelerate.amazonaws.com/gluon/dataset/pikachu/',
             'http://data.mxnet.io/data/pikachu/')
# Its files, with their SHA-1. There is no val.idx among them.
ORIGINAL = {'train.rec': 'e6bcb6ffba1ac04ff8a9b1115e650af56ee969c8',
            'train.idx': 'dcf7318b2602c06428b9988470c731621716c393',
            'val.rec': 'd6c33f799b4d058e82f2cb5bd9a976f69d72d520'}
ORIGINAL_CLASSES = 'pikachu\n'
FILES = ('train.rec', 'train.idx', 'val.rec', 'val.idx', 'classes.txt')
CARD = 'dataset.json'
DEFAULTS = {'train': 900, 'val': 100, 'size': 512, 'seed': 0}   # of the synthetic one
QUALITY = 90   # of its JPEGs: 40 KB each


class DatasetError(Exception):
    """The folder cannot be given the dataset that is wanted."""


def get(out, synthetic, settings):
    """Sees to it that the folder holds a dataset. Returns words that say which.

    `settings` are those that the user has chosen for the synthetic one.
    """
    card = read_card(out)
    if card and card['kind'] == 'synthetic':
        check_synthetic(out, card, {**DEFAULTS, **settings} if synthetic else settings)
        return 'the SYNTHETIC dataset, made earlier' + (
            '' if synthetic else f'. (For the original, remove {out} or choose another --out)')
    if not synthetic:
        try:
            get_original(out, known=card is not None)
            return 'the original dataset'
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
        if card['kind'] not in ('original', 'synthetic') or card.keys() < {'kind', 'settings', 'files'}:
            raise ValueError(card)
        return card
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f'{out / CARD}: not of this program; choose another --out') from error


def write_card(out, kind, settings):
    card = {'kind': kind, 'settings': settings, 'files': {name: sha1_of(out / name) for name in FILES}}
    part = out / f'{CARD}.part'
    part.write_text(json.dumps(card, indent=2) + '\n')
    part.replace(out / CARD)


# -- the original ----------------------------------------------------------------------------------------------------

def get_original(out, known):
    """Downloads what is not there or not right. `known`: the folder is said to hold the original, so may be mended."""
    if not known:
        for name, sha1 in ORIGINAL.items():
            if (out / name).exists() and sha1_of(out / name) != sha1:
                raise DatasetError(f'{out / name}: is there already, and is not the original; choose another --out')
        classes = out / 'classes.txt'
        if classes.exists() and classes.read_bytes() != ORIGINAL_CLASSES.encode():
            raise DatasetError(f'{classes}: is there already, and is of something else; choose another --out')
    for name, sha1 in ORIGINAL.items():
        fetch(name, out / name, sha1)
    (out / 'val.idx').unlink(missing_ok=True)   # whatever it was: it is made anew from val.rec
    for name in ('train.rec', 'val.rec'):
        records = RecordFile(out / name)
        print(f'{out / name}: {len(records)} pictures')
        records.close()
    (out / 'classes.txt').write_text(ORIGINAL_CLASSES)
    write_card(out, 'original', {})


def fetch(name, path, sha1):
    """Downloads a file from the first address that has it."""
    failures = []
    for address in ADDRESSES:
        try:
            return download(address + name, path, sha1, attempts=3)
        except ChecksumError:
            raise
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError('\n'.join(failures))


def begun(out):
    """Whether a part of the original is there."""
    return any((out / (name + ending)).exists() for name in ORIGINAL for ending in ('', '.part'))


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
        for split in ('train', 'val'):   # the numbers go on, so that no picture is in both
            count = settings[split]
            pictures = (picture(settings['seed'], first + index, settings['size']) for index in range(count))
            samples = ((image, boxes, [0] * len(boxes)) for image, boxes in pictures)
            write_records(whole / f'{split}.rec', tqdm(samples, f'{split}.rec', count, unit=' pictures'), QUALITY)
            first += count
        (whole / 'classes.txt').write_text('\n'.join(CLASS_NAMES) + '\n')
        write_card(whole, 'synthetic', settings)
        whole.replace(out)


def check_synthetic(out, card, settings):
    """DatasetError if the synthetic dataset that is there has other settings, or has been changed."""
    differences = [f'--{name} {card["settings"].get(name)}, not {value}' for name, value in settings.items()
                   if card['settings'].get(name) != value]
    if differences:
        raise DatasetError(f'{out}: was made with {", ".join(differences)}. Choose another --out, or remove it')
    for name in FILES:
        if not (out / name).is_file() or sha1_of(out / name) != card['files'].get(name):
            raise DatasetError(f'{out / name}: is not as it was made. Remove {out}, and run this again')


# -- the command -----------------------------------------------------------------------------------------------------

def at_least(least):
    def number(text):
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f'must be at least {least}: {value}')
        return value
    return number


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('data/pikachu'), help='the folder (default: %(default)s)')
    parser.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    group = parser.add_argument_group('the synthetic dataset, asked for or not')
    for name, least, what in (('train', 1, 'pictures to train on'), ('val', 1, 'pictures to validate with'),
                              ('size', 64, 'their sides in pixels'), ('seed', 0, 'another seed, other pictures')):
        group.add_argument(f'--{name}', type=at_least(least), help=f'{what} (default: {DEFAULTS[name]})')
    args = parser.parse_args(argv)
    settings = {name: getattr(args, name) for name in DEFAULTS if getattr(args, name) is not None}
    try:
        which = get(args.out, args.synthetic, settings)
    except (DatasetError, DownloadError) as error:
        print(f'get_pikachu: {error}', file=sys.stderr)
        return 1
    print(f'{args.out}: {which}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
