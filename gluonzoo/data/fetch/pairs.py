"""Pairs of pictures to train an image-to-image translation on: those of the authors of pix2pix, and drawn ones."""
from typing import NamedTuple

import numpy as np

from ..drawn.pairs import pair
from ..paired_images import PairedImages
from .archives import extract_archive
from .dataset_folder import DatasetError, make_once
from .download import ChecksumError, download
from .drawn_pictures import write_drawn

__all__ = ['ORIGINALS', 'get_original', 'get_synthetic']

ADDRESS = 'http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/'


class Original(NamedTuple):
    """What an archive must be."""
    md5: str
    pairs: dict   # split -> how many
    max_bytes: int   # that its files take, and the archive


ORIGINALS = {
    'facades': Original('e2e25dd517e9d15828416ab329da2854', {'train': 400, 'val': 100, 'test': 106}, 1 << 28),
    'maps': Original('e5f65d26eb288457f5ac056deb94d154', {'train': 1096, 'val': 1098}, 1 << 30),
    'edges2shoes': Original('71da478b54fedde126e234a2a050bc15', {'train': 49825, 'val': 200}, 1 << 33),
}


def _get(out, card, fill):
    """Sees to it that the folder `out` holds the pairs that `card` describes; see :func:`make_once`.

    Returns words that say what has been done.
    """
    def counted(folder):
        whole = fill(folder)
        for split, count in card['pairs'].items():
            found = len(PairedImages(whole / split, 'AtoB', None))   # ValueError where one cannot be halved
            if found != count:
                raise DatasetError(f'{split}: has {found} pictures, and must have {count}')
        return whole

    if not make_once(out, card, counted):
        return 'is there already'
    return ', '.join(f'{count} pairs to {split}' for split, count in card['pairs'].items())


# -- the originals ---------------------------------------------------------------------------------------------------

def get_original(name, out, md5=None):
    """Sees to it that a folder holds an original. Returns words that say what has been done.

    Parameters
    ----------
    name : str
        one of :data:`ORIGINALS`
    out : Path
    md5 : str, optional
        what the MD5 of the archive must be, if it is not the known one

    Raises
    ------
    DownloadError, ArchiveError
        if the archive cannot be fetched or unpacked.
    DatasetError, ValueError
        if the folder holds something else, or the archive has other pictures than it must have.
    """
    original = ORIGINALS[name]
    md5 = md5 or original.md5

    def fill(folder):
        # Beside the folder, so that it is still there when unpacking fails.
        try:
            archive = download(f'{ADDRESS}{name}.tar.gz', out.with_name(f'{out.name}.tar.gz'), md5=md5,
                               max_bytes=original.max_bytes)
        except ChecksumError as error:
            raise ChecksumError(f'{error}. It is not kept. (If you trust it, give its MD5 with --md5)') from error
        extract_archive(archive, folder / 'unpacked', max_bytes=original.max_bytes)
        return folder / 'unpacked' / name

    said = _get(out, {'name': name, 'md5': md5, 'pairs': original.pairs}, fill)
    out.with_name(f'{out.name}.tar.gz').unlink(missing_ok=True)
    return said


# -- the synthetic one -----------------------------------------------------------------------------------------------

def get_synthetic(out, settings):
    """Sees to it that a folder holds drawn houses. Returns words that say what has been done.

    Parameters
    ----------
    out : Path
    settings : dict
        train, val (how many pairs), size (of a picture's sides in pixels) and seed

    Raises
    ------
    DatasetError
        if the folder holds something else.
    """
    counts = {split: settings[split] for split in ('train', 'val')}

    parts = ('train', 0, counts['train']), ('val', counts['train'], counts['val'])   # no house is in both

    def fill(staged):
        return write_drawn(staged / 'drawn', parts, 'pairs',
                           lambda _, number: np.hstack(pair(settings['seed'], number, settings['size'])))

    return _get(out, {'name': 'synthetic', 'settings': settings, 'pairs': counts}, fill)
