"""Pictures of two domains without partners: those of the authors of CycleGAN, and drawn ones."""
from typing import NamedTuple

from ..drawn.seasons import landscape
from ..unpaired_images import UnpairedImages, find_domains
from .archives import extract_archive
from .dataset_folder import make_once
from .download import ChecksumError, download_first
from .drawn_pictures import write_drawn

__all__ = ['ORIGINALS', 'get_original', 'get_synthetic']

# Where the archives are to be had: what CycleGAN's code names, and where they were before.
ADDRESSES = ('http://efrosgans.eecs.berkeley.edu/cyclegan/datasets/',
             'https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/')


class Original(NamedTuple):
    """What an archive must be."""
    bytes: int
    sha256: str
    what: str   # A and B, in words


# Sizes and checksums: those of TensorFlow Datasets (tensorflow_datasets/url_checksums/cycle_gan.txt).
ORIGINALS = {
    'apple2orange': Original(78456409, '845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8',
                             'apples, oranges'),
    'summer2winter_yosemite': Original(132640856, '167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9',
                                       'Yosemite in summer, in winter'),
    'horse2zebra': Original(116867962, 'a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1',
                            'horses, zebras'),
    'monet2photo': Original(305231073, '88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04',
                            'paintings by Monet, photos of landscapes'),
    'cezanne2photo': Original(279885071, '3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff',
                              'paintings by Cezanne, photos of landscapes'),
    'ukiyoe2photo': Original(292946532, '02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08',
                             'Japanese woodcuts, photos of landscapes'),
    'vangogh2photo': Original(306590349, '362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff',
                              'paintings by van Gogh, photos of landscapes'),
    'iphone2dslr_flower': Original(339964458, '8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113',
                                   'flowers by a telephone, by a camera with a large lens'),
    'maps': Original(1476754427, '639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e',
                     'aerial photos, street maps'),
    'facades': Original(35135868, '9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0',
                        'photos of fronts of houses, maps of their parts'),
}


def _said(folder):
    """Words that count the pictures of a folder; ValueError or OSError if it cannot be trained on and tested with."""
    said = []
    for split in ('train', 'val'):
        data = UnpairedImages(find_domains(folder, split), serial=split == 'val')
        said.append(f'{len(data.files_a)} and {len(data.files_b)} pictures to {split}')
    return ', '.join(said)


# -- the originals ---------------------------------------------------------------------------------------------------

def get_original(name, out, sha256=None):
    """Sees to it that a folder holds an original: trainA, trainB, testA and testB. Returns words that say what it has.

    Parameters
    ----------
    name : str
        one of :data:`ORIGINALS`
    out : Path
    sha256 : str, optional
        what the SHA-256 of the archive must be, if it is not the known one

    Raises
    ------
    DownloadError, ArchiveError
        if the archive cannot be fetched or unpacked.
    DatasetError, ValueError, FileNotFoundError
        if the folder holds something else, or the archive lacks a domain.
    """
    original = ORIGINALS[name]
    sha256 = sha256 or original.sha256

    def fill(folder):
        # Beside the folder, so that it is still there when unpacking fails.
        try:
            archive = download_first([f'{address}{name}.zip' for address in ADDRESSES], _archive(out), sha256=sha256,
                                     max_bytes=original.bytes + (1 << 20))
        except ChecksumError as error:
            raise ChecksumError(f'{error}. It is not kept. (If you trust it, give its SHA-256 with --sha256)'
                                ) from error
        extract_archive(archive, folder / 'unpacked', max_bytes=2 * original.bytes + (1 << 26))   # JPEG files
        _said(folder / 'unpacked' / name)
        return folder / 'unpacked' / name

    made = make_once(out, {'name': f'unpaired {name}', 'sha256': sha256}, fill)
    _archive(out).unlink(missing_ok=True)
    return _said(out) if made else 'is there already'


def _archive(out):
    """Where the archive is for a while: under a name that no file of the user's has."""
    return out.with_name(f'{out.name}.zip.download')


# -- the synthetic one -----------------------------------------------------------------------------------------------

def get_synthetic(out, settings):
    """Sees to it that a folder holds drawn landscapes: A in summer, B in winter. Returns words that say what it has.

    No landscape of trainA is in trainB. Those of testA and testB are the same, under the same names, so that one can
    see how well a network turns one into the other (:func:`gluonzoo.data.drawn.seasons.turned`).

    Parameters
    ----------
    out : Path
    settings : dict
        train, val (how many pictures of each domain), size (of a picture's sides in pixels) and seed

    Raises
    ------
    DatasetError
        if the folder holds something else.
    """
    train, val, seed, size = (settings[name] for name in ('train', 'val', 'seed', 'size'))
    parts = ('trainA', 0, train), ('trainB', train, train), ('testA', 2 * train, val), ('testB', 2 * train, val)

    def draw(name, number):
        summer, winter = landscape(seed, number, size)
        return summer if name.endswith('A') else winter

    def fill(folder):
        return write_drawn(folder / 'drawn', parts, 'pictures', draw)

    made = make_once(out, {'name': 'seasons', 'settings': settings}, fill)
    return _said(out) if made else 'is there already'
