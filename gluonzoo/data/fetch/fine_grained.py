"""CUB-200-2011, FGVC-Aircraft, Stanford Cars and Stanford Dogs: the originals, or drawn birds in their forms."""
import filecmp
import shutil
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ...files import folder_for, replacing
from ..drawn.birds import CLASS_NAMES, picture
from ..fine_grained import CUB, Aircraft, Cars, Dogs
from ..staging import staging
from .archives import ArchiveError, extract_archive
from .dataset_folder import DatasetError, DatasetFolder, sha1_of_folder, write_card
from .download import ChecksumError, DownloadError, download, md5_of
from .fine_grained_files import WRITERS
from .room import check_room

__all__ = ['FineGrained']

SHORTEST = .75   # the shorter side of a drawn picture, of its longer one


class File(NamedTuple):
    """A file of an original: an archive, or one that is used as it is."""
    address: str     # without a name: its authors offer it no longer
    name: str
    bytes: int
    md5: str
    unpacked: int    # bytes that what is in it takes at most; 0: it is no archive
    names: tuple     # what is taken of it; the last one there says that all are


class Original(NamedTuple):
    """A whole dataset."""
    title: str
    kind: type       # the dataset that reads it
    counts: dict     # split -> how many pictures it has
    classes: int
    files: tuple


STANFORD_DOGS = 'http://vision.stanford.edu/aditya86/ImageNetDogs/'

# Addresses: the datasets' own pages, and torchvision (Aircraft). MD5 sums, each as several public loaders have it: CUB:
# TDeVries/cub2011_dataset and those made of it; Aircraft: the R package torchvision; Cars: torchvision, which had them
# while the address was good; Dogs: loaders modelled on torchvision's. Sizes: fastai (CUB), TensorFlow Datasets (Cars),
# other public loaders (Aircraft, Dogs). CUB's archive has attributes.txt beside the folder, which nothing needs.
ORIGINALS = {
    'cub': Original('CUB-200-2011', CUB, {'train': 5994, 'test': 5794}, 200, (
        File('https://data.caltech.edu/records/65de6-vp158/files/', 'CUB_200_2011.tgz', 1150585339,
             '97eceeb196236b17998738112f37df78', 2 << 30, ('CUB_200_2011',)),)),
    'aircraft': Original('FGVC-Aircraft', Aircraft, {'train': 6667, 'test': 3333}, 100, (
        File('https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/', 'fgvc-aircraft-2013b.tar.gz', 2753340328,
             'd4acdd33327262359767eeaa97a4f732', 4 << 30, ('fgvc-aircraft-2013b',)),)),
    'cars': Original('Stanford Cars', Cars, {'train': 8144, 'test': 8041}, 196, (
        File('', 'car_devkit.tgz', 330960, 'c3b158d763b6e2245038c8ad08e45376', 1 << 24, ('devkit',)),
        File('', 'cars_test_annos_withlabels.mat', 185758, 'b0a2b23655a3edd16d84508592a98d10', 0,
             ('cars_test_annos_withlabels.mat',)),
        File('', 'cars_train.tgz', 979269282, '065e5b463ae28d29e77c1b4b166cfe61', 2 << 30, ('cars_train',)),
        File('', 'cars_test.tgz', 977350468, '4ce7ebf6a94d07f1952d94dd34c4d501', 2 << 30, ('cars_test',)))),
    'dogs': Original('Stanford Dogs', Dogs, {'train': 12000, 'test': 8580}, 120, (
        File(STANFORD_DOGS, 'lists.tar', 481280, 'edbb9f16854ec66506b5f09b583e0656', 1 << 24,
             ('file_list.mat', 'test_list.mat', 'train_list.mat')),
        File(STANFORD_DOGS, 'images.tar', 793579520, '1bb1f2a596ae7057f99d7d75860002ef', 2 << 30, ('Images',)))),
}


class FineGrained(DatasetFolder):
    """A folder for one of them, or for drawn birds in its form with the settings train, val, size and seed.

    Parameters
    ----------
    out : Path
    name : {'cub', 'aircraft', 'cars', 'dogs'}
    archives : sequence of Path
        files of the original that are there already; which ones they are follows from their MD5 sums. They stay, and so
        do those that are in `out` under the original's names, which are taken if their MD5 sums are right.

    Pictures are drawn in one row, first those to train on and then those to test with, so no two of a dataset are the
    same. Datasets of one seed begin with the same pictures, whatever their part: what one is tested with, a larger one
    may train on.
    """

    card_keys = {'original': {'kind', 'name'}, 'synthetic': {'kind', 'name', 'settings', 'sha1'}}

    def __init__(self, out, name, archives=()):
        super().__init__(out.resolve())   # a link to a folder elsewhere, or '.'
        self.name, self.archives = name, archives

    def get(self, settings, given=(), original=True):
        card = self.card()
        if self.archives and card and card['kind'] == 'synthetic':
            raise DatasetError(f'--archive: {self.out} holds a drawn dataset; remove it, or choose another --out')
        return super().get(settings, given, original)

    def get_original(self, known):
        original = ORIGINALS[self.name]
        missing = [] if self._lies_unpacked_elsewhere(original) else [
            file for file in original.files if not (self.out / file.names[-1]).exists()]
        given = self._given(original, missing)
        lost = [file for file in missing if not file.address and file not in given]
        if lost:
            # Who names files wants no drawn birds in their place.
            raise (DatasetError if self.archives else DownloadError)(
                f'{original.title}: its authors offer it no longer. Files from elsewhere are taken if their MD5 sums '
                f'are right: --archive {" ".join(file.name for file in original.files)} (lacking: '
                f'{", ".join(f"{file.name}, MD5 {file.md5}" for file in lost)})')
        for file in original.files:
            if file in missing:
                with folder_for(self.out / file.name):
                    self._complete(file, given.get(file))
            for path in self._downloaded(file):   # also by an earlier call that was killed
                path.unlink(missing_ok=True)
        self._require_whole(original)
        write_card(self.out, {'kind': 'original', 'name': self.name})
        return f'the original dataset, {original.title}'

    def _complete(self, file, given):
        """What is wanted of a file of the original comes to the folder. `given`: the file, if the user has it."""
        archive = given or self._downloaded(file)[0]
        check_room(self.out, file, archive)
        if not given:
            try:
                download(file.address + file.name, archive, md5=file.md5, max_bytes=file.bytes + (1 << 20))
            except ChecksumError:
                raise
            except DownloadError as error:
                if not self.archives:
                    raise
                raise DatasetError(f'--archive: {file.name} is not among the files, and cannot be downloaded: '
                                   f'{error}') from error
        self._take(file, archive)

    def _downloaded(self, file):
        """Where a file of the original is downloaded to, whole and in part: under names that no file of the user's has.
        """
        return tuple(self.out / f'{file.name}.download{suffix}' for suffix in ('', '.part'))

    def _lies_unpacked_elsewhere(self, original):
        """Whether its lists are in the folder, and nothing that lies as the archives have it: then nothing is fetched,
        since the lists would hide what is."""
        return original.kind.find(self.out) is not None and not any(
            (self.out / name).exists() for file in original.files for name in file.names)

    def begun(self):
        return any(path.exists() for file in ORIGINALS[self.name].files for path in (
            *(self.out / name for name in (*file.names, file.name)), *self._downloaded(file)))

    def draw(self, folder, settings):
        train, val = settings['train'], settings['val']
        splits = tqdm(chain(repeat('train', train), repeat('test', val)), 'drawing', train + val, unit=' pictures')
        birds = ((split, picture(settings['seed'], index, _sides(settings, index)))   # no picture is in both
                 for index, split in enumerate(splits))
        WRITERS[self.name](folder, CLASS_NAMES, birds)

    def checksums(self, folder):
        return {'name': self.name, 'sha1': sha1_of_folder(folder)}

    def check_drawn(self, card):
        self._check_name(card)
        if sha1_of_folder(self.out) != card['sha1']:
            raise DatasetError(f'{self.out}: is not as it was made. Remove it, and run this again')

    def card(self):
        card = super().card()
        if card:
            self._check_name(card)
        return card

    def _check_name(self, card):
        if card['name'] != self.name:
            raise DatasetError(f'{self.out}: holds a dataset in the form of {card["name"]}; choose another --out')

    def _given(self, original, missing):
        """File -> Path of those that the user has, in the folder under their own names or anywhere else."""
        places = ((file, self.out / file.name) for file in missing)
        found = {file: path for file, path in places if path.is_file() and md5_of(path) == file.md5}
        known = {file.md5: file for file in original.files}
        for path in self.archives:
            md5 = md5_of(path)
            if md5 not in known:
                raise DatasetError(f'--archive {path}: is no file of {original.title}: its MD5 is {md5}, and those of '
                                   f'{", ".join(file.name for file in original.files)} are others. (What is unpacked '
                                   'already needs none of this: give the folder to --data.)')
            found[known[md5]] = path
        return found

    def _take(self, file, path):
        """What is wanted of a file of the original comes to its place, whole or not at all."""
        if not file.unpacked:
            with replacing(self.out / file.names[-1]) as (partial,):
                shutil.copyfile(path, partial)
            return
        print(f'{path}: unpacking')
        with staging(self.out / file.names[-1]) as beside:
            extract_archive(path, beside / 'unpacked', max_bytes=file.unpacked)
            for name in file.names:
                source, target = beside / 'unpacked' / name, self.out / name
                if not source.exists():
                    raise ArchiveError(f'{path}: {name}: is not there')
                if target.is_file() and source.is_file() and filecmp.cmp(source, target, shallow=False):
                    continue   # of an earlier call that was killed
                if target.exists():
                    raise DatasetError(f'{target}: is there already; remove it, or choose another --out')
                source.rename(target)

    def _require_whole(self, original):
        """DatasetError unless the folder has all pictures and classes."""
        try:
            parts = {split: original.kind(self.out, split) for split in original.counts}
        except (OSError, ValueError) as error:
            raise DatasetError(f'{error}. Remove the folder, or choose another --out') from error
        for split, count in original.counts.items():
            found = len(parts[split]), len(parts[split].class_names)
            if found != (count, original.classes):
                raise DatasetError(f'{self.out}: has {found[0]} pictures of {found[1]} classes to {split}, and '
                                   f'{original.title} has {count} of {original.classes}; choose another --out')


def _sides(settings, index):
    """(width, height) of a picture: the longer one is that of the settings."""
    rng = np.random.Generator(np.random.PCG64([settings['seed'], index, 2]))
    sides = [settings['size'], round(settings['size'] * rng.uniform(SHORTEST, 1))]
    return tuple(sides if rng.random() < .6 else sides[::-1])
