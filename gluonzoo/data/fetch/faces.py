"""Faces to make more of: Labeled Faces in the Wild, and drawn ones."""
from ..drawn.faces import face
from ..picture_files import pictures_below
from .archives import extract_archive
from .dataset_folder import make_once
from .download import download_first
from .drawn_pictures import write_drawn

__all__ = ['get_original', 'get_synthetic']

# The funneled pictures, 250 x 250 pixels: 13,233 photos of 5,749 people. "Labeled Faces in the Wild: A Database for
# Studying Face Recognition in Unconstrained Environments" (Huang et al., 2007). Addresses: scikit-learn's, where the
# checksum is from, and the one of its authors.
NAME = 'lfw-funneled.tgz'
ADDRESSES = 'https://ndownloader.figshare.com/files/5976015', f'http://vis-www.cs.umass.edu/lfw/{NAME}'
SHA256 = 'b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a'
FOLDER = 'lfw_funneled'
MAX_BYTES = 1 << 29   # of the archive, 243 MB, and of what is in it


def get_original(out):
    """Sees to it that a folder holds the faces, in it a folder for each person. Returns words that say what it has.

    Raises
    ------
    DownloadError, ArchiveError
        if the archive cannot be fetched or unpacked.
    DatasetError, ValueError, FileNotFoundError
        if the folder holds something else, or the archive has no pictures.
    """
    # Beside the folder, so that it is still there when unpacking fails; under a name that no file of the user's has.
    beside = out.with_name(f'{out.name}.tgz.download')

    def fill(folder):
        archive = download_first(ADDRESSES, beside, sha256=SHA256, max_bytes=MAX_BYTES)
        extract_archive(archive, folder / 'unpacked', max_bytes=MAX_BYTES)
        whole = folder / 'unpacked' / FOLDER
        for path in whole.glob('*.txt'):   # lists for who recognises faces
            path.unlink()
        pictures_below(whole)
        return whole

    made = make_once(out, {'name': 'lfw', 'sha256': SHA256}, fill)
    beside.unlink(missing_ok=True)
    return f'{len(pictures_below(out))} photos of faces' if made else 'is there already'


def get_synthetic(out, settings):
    """Sees to it that a folder holds drawn faces, ``train/*.png`` and ``val/*.png``. Returns words that count them.

    Parameters
    ----------
    out : Path
    settings : dict
        train, val (how many faces), size (of a picture's sides in pixels) and seed

    Raises
    ------
    DatasetError
        if the folder holds something else.
    """
    train, val, seed, size = (settings[name] for name in ('train', 'val', 'seed', 'size'))
    parts = ('train', 0, train), ('val', train, val)   # the numbers go on, so that no face is in both

    def fill(folder):
        return write_drawn(folder / 'drawn', parts, 'faces', lambda _, number: face(seed, number, size))

    made = make_once(out, {'name': 'drawn faces', 'settings': settings}, fill)
    return f'{train} drawn faces to train, {val} drawn faces to val' if made else 'is there already'
