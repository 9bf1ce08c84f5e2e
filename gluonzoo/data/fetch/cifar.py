"""CIFAR-10 and CIFAR-100 in their binary form: 50,000 pictures to train on and 10,000 to validate with.

Source: https://www.cs.toronto.edu/~kriz/cifar.html. The archives for Python are pickles, which could run any code; the
binary ones hold bytes alone.
"""
from typing import NamedTuple

from tqdm import tqdm

from ...files import folder_for
from ...reading import FileError, read_names
from ..drawn.objects import CLASS_NAMES, picture
from ..staging import staging
from .archives import ArchiveError, extract_archive
from .cifar_files import FILES, TRAIN, write_cifar
from .dataset_folder import CARD, DatasetError, DatasetFolder, check_card, check_unchanged, write_card
from .download import download_first, sha1_of

__all__ = ['CIFAR10', 'get_cifar100']

# Where the originals are to be had, tried in this order.
ADDRESSES = 'https://www.cs.toronto.edu/~kriz/', 'https://cave.cs.toronto.edu/kriz/'
MAX_BYTES = 1 << 28   # of an archive, and of what is in it


class Original(NamedTuple):
    """What an archive must be."""
    archive: str
    md5: str
    folder: str
    files: dict   # name -> SHA-1
    names: dict   # name of a file of names -> how many it has

    def is_right(self, path):
        """Whether a file that has the name of one of the original is that one."""
        try:
            return path.is_file() and (sha1_of(path) == self.files[path.name] if path.name in self.files
                                       else len(read_names(path)) == self.names[path.name])
        except FileError:
            return False


ORIGINALS = {
    'cifar10': Original(
        'cifar-10-binary.tar.gz', 'c32a1d4ab5d03f1284b67883e8d87530', 'cifar-10-batches-bin',
        dict(zip((*TRAIN, 'test_batch.bin'), (
            'aadd24acce27caa71bf4b10992e9e7b2d74c2540', 'c0ba65cce70568cd57b4e03e9ac8d2a5367c1795',
            '1dd00a74ab1d17a6e7d73e185b69dbf31242f295', 'aab85764eb3584312d3c7f65fd2fd016e36a258e',
            '26e2849e66a845b7f1e4614ae70f4889ae604628', '67eb016db431130d61cd03c7ad570b013799c88c'))),
        {'batches.meta.txt': 10}),
    'cifar100': Original(
        'cifar-100-binary.tar.gz', '03b5dce01913d631647c71ecec9e9cb8', 'cifar-100-binary',
        {'train.bin': 'e207cd2e05b73b1393c74c7f5e7bea451d63e08e',
         'test.bin': '8fb6623e830365ff53cf14adec797474f5478006'},
        {'fine_label_names.txt': 100, 'coarse_label_names.txt': 20}),
}


class CIFAR10(DatasetFolder):
    """A folder for CIFAR-10, or for drawn pictures in its form with the settings train, val (how many) and seed."""

    card_keys = {'original': {'kind', 'name'}, 'synthetic': {'kind', 'settings', 'files'}}

    def get_original(self, known):
        return _complete(self.out, 'cifar10', known)

    def begun(self):
        archive = ORIGINALS['cifar10'].archive
        return any((self.out / name).exists() for name in (*FILES, archive, f'{archive}.part'))

    def draw(self, folder, settings):
        train, val = settings['train'], settings['val']
        numbers = tqdm(range(train + val), 'drawing', unit=' pictures')   # they go on, so that no picture is in both
        write_cifar(folder, CLASS_NAMES, (picture(settings['seed'], number) for number in numbers), train, val)

    def checksums(self, folder):
        return {'files': {name: sha1_of(folder / name) for name in FILES}}

    def check_drawn(self, card):
        check_unchanged(self.out, FILES, card['files'])


def get_cifar100(out):
    """Sees to it that a folder holds CIFAR-100. Returns words that say what it holds.

    Raises
    ------
    DownloadError, ArchiveError
        if the archive cannot be fetched or unpacked, or is another one.
    DatasetError
        if the folder holds something else.
    """
    return _complete(out, 'cifar100', known=(out / CARD).exists())


def _card(name):
    return {'kind': 'original', 'name': name}


def _complete(out, name, known):
    """Downloads an original if something of it is not there or not right.

    Only what is known to be of the original may be mended: other files of these names are somebody's own.
    """
    original = ORIGINALS[name]
    if known:
        check_card(out, _card(name))
    files = [out / file for file in (*original.files, *original.names)]
    wrong = [path for path in files if path.exists() and not original.is_right(path)]
    if wrong and not known:
        raise DatasetError(f'{wrong[0]}: is there already, and is not the original; choose another --out')
    if wrong or not all(path.exists() for path in files):
        archive = out / original.archive
        with folder_for(archive):
            download_first([address + original.archive for address in ADDRESSES], archive, md5=original.md5,
                           max_bytes=MAX_BYTES)
            _unpack(archive, original, files)
            archive.unlink()
    write_card(out, _card(name))
    return 'the original dataset'


def _unpack(archive, original, files):
    """Moves the files out of an archive to where they belong, when all of them are right."""
    print(f'{archive}: unpacking')
    with staging(files[0].parent) as beside:
        extract_archive(archive, beside / 'unpacked', max_bytes=MAX_BYTES)
        for path in files:
            unpacked = beside / 'unpacked' / original.folder / path.name
            if not unpacked.exists() or not original.is_right(unpacked):
                raise ArchiveError(f'{archive}: {original.folder}/{path.name}: is not there, or not as it must be')
        for path in files:
            (beside / 'unpacked' / original.folder / path.name).replace(path)
