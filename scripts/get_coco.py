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
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from dataset_folder import CARD, DatasetError, DatasetFolder, add_settings, call, chosen, staging, write_card
from tqdm import tqdm

from gluonzoo.data.drawn.coco import write
from gluonzoo.data.fetch.download import download, extract_archive

ADDRESS = 'http://images.cocodataset.org/'
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


class COCO(DatasetFolder):
    """`parts`: names of those of the original that are wanted."""

    defaults = DEFAULTS
    card_keys = {'original': {'kind'}, 'synthetic': {'kind', 'settings', 'sha1'}}

    def __init__(self, out, parts):
        super().__init__(out.resolve())   # a link to a folder elsewhere, or '.'
        self.parts = parts

    def get_original(self, known):
        out = self.out
        for name in self.parts:
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
        return f'the original dataset: {", ".join(self.parts)}'

    def begun(self):
        return any((self.out / name).exists() for part, archive in ORIGINAL.items() for name in (
            part, Path(archive.path).name, f'{Path(archive.path).name}.part'))

    def draw(self, folder, settings):
        first = 0
        for split in SPLITS:   # the numbers go on, so that no picture is in both
            count = settings[split[:-len('2017')]]
            write(folder, split, settings['seed'], tqdm(range(first, first + count), split, unit=' pictures'))
            first += count

    def checksums(self, folder):
        return {'sha1': sha1_of_folder(folder)}

    def check_drawn(self, card):
        if sha1_of_folder(self.out) != card['sha1']:
            raise DatasetError(f'{self.out}: is not as it was made. Remove it, and run this again')


def check_room(out, part, archive):
    """DatasetError unless the archive and what is in it fit on the disk."""
    there = sum(path.stat().st_size for path in (archive, archive.with_name(f'{archive.name}.part')) if path.exists())
    needed, free = part.bytes - there + part.unpacked, shutil.disk_usage(out).free
    if needed > free:
        raise DatasetError(f'{out}: {archive.name} takes {needed / 1e9:.1f} GB on the way, and {free / 1e9:.1f} GB are '
                           'free on the disk')


def unpack(archive, part, folder):
    """The folder of this name in the archive becomes `folder`, once all is unpacked."""
    with staging(folder) as beside:
        print(f'{archive}: unpacking')
        unpacked = beside / 'unpacked'
        extract_archive(archive, unpacked, max_bytes=part.unpacked)
        check_files(unpacked / folder.name, part)
        (unpacked / folder.name).rename(folder)


def check_files(folder, part):
    for pattern, count in part.files.items():
        found = sum(1 for _ in folder.glob(pattern))
        if found != count:
            raise DatasetError(f'{folder}: has {found} file(s) {pattern}, and must have {count}. Remove it, or choose '
                               'another --out')


def sha1_of_folder(out):
    """Of the names and contents of all files but the card's."""
    digest = hashlib.sha1()
    for path in sorted(out.rglob('*')):
        if path.is_file() and path != out / CARD:
            digest.update(f'{path.relative_to(out)} {path.stat().st_size} '.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('data/coco'), help='the folder (default: %(default)s)')
    parser.add_argument('--parts', nargs='+', choices=ORIGINAL, help='of the original (default: all)')
    parser.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    add_settings(parser, 'the synthetic dataset, asked for or not', DEFAULTS, (
        ('train', 1, 'pictures to train on'), ('val', 1, 'pictures to validate with'),
        ('seed', 0, 'another seed, other pictures')))
    args = parser.parse_args(argv)
    if args.synthetic and args.parts:
        parser.error('--parts: is of the original, which --synthetic does not get')
    folder = COCO(args.out, args.parts or list(ORIGINAL))
    return call(lambda: folder.get(chosen(args, DEFAULTS), original=not args.synthetic), args.out)


if __name__ == '__main__':
    sys.exit(main())
