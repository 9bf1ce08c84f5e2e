"""COCO 2017: 118,287 pictures to train on and 5,000 to validate with, of 80 classes."""
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from ..drawn.coco import write
from ..staging import staging
from .archives import extract_archive
from .dataset_folder import DatasetError, DatasetFolder, sha1_of_folder, write_card
from .download import download
from .room import check_room

__all__ = ['COCO']

ADDRESS = 'http://images.cocodataset.org/'
SPLITS = ('train2017', 'val2017')


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
    """A folder for the original, or for a drawn one with the settings train, val (how many pictures) and seed.

    `parts`: names of those of the original that are wanted, of :data:`ORIGINAL`.
    """

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
                unpack(download(ADDRESS + part.path, archive, md5=part.md5, max_bytes=part.bytes + (1 << 20)),
                       part, folder)
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
