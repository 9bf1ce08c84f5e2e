"""The Pikachu detection dataset: 900 pictures to train on and 100 to validate with, of one class."""
from tqdm import tqdm

from ..drawn.mascot import CLASS_NAMES, picture
from ..records import RecordFile, write_records
from .dataset_folder import DatasetError, DatasetFolder, check_unchanged, write_card
from .download import download_first, sha1_of

__all__ = ['Pikachu']

# Where the original is to be had, tried in this order.
ADDRESSES = ('https://apache-mxnet.s3-accelerate.amazonaws.com/gluon/dataset/pikachu/',
             'http://data.mxnet.io/data/pikachu/')
# Its files, with their SHA-1. There is no val.idx among them.
ORIGINAL = {'train.rec': 'e6bcb6ffba1ac04ff8a9b1115e650af56ee969c8',
            'train.idx': 'dcf7318b2602c06428b9988470c731621716c393',
            'val.rec': 'd6c33f799b4d058e82f2cb5bd9a976f69d72d520'}
ORIGINAL_CLASSES = 'pikachu\n'
FILES = ('train.rec', 'train.idx', 'val.rec', 'val.idx', 'classes.txt')
MAX_BYTES = 1 << 28   # of a file of the original
QUALITY = 90   # of its JPEGs: 40 KB each


class Pikachu(DatasetFolder):
    """A folder for the original, or for a drawn one with the settings train, val (how many pictures), size and seed."""

    card_keys = dict.fromkeys(('original', 'synthetic'), {'kind', 'settings', 'files'})

    def get_original(self, known):
        """Downloads what is not there or not right. Only what is known to be the original may be mended."""
        out = self.out
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
        write_card(out, {'kind': 'original', 'settings': {}, **self.checksums(out)})
        return 'the original dataset'

    def begun(self):
        return any((self.out / (name + ending)).exists() for name in ORIGINAL for ending in ('', '.part'))

    def draw(self, folder, settings):
        first = 0
        for split in ('train', 'val'):   # the numbers go on, so that no picture is in both
            count = settings[split]
            pictures = (picture(settings['seed'], first + index, settings['size']) for index in range(count))
            samples = ((image, boxes, [0] * len(boxes)) for image, boxes in pictures)
            write_records(folder / f'{split}.rec', tqdm(samples, f'{split}.rec', count, unit=' pictures'), QUALITY)
            first += count
        (folder / 'classes.txt').write_text('\n'.join(CLASS_NAMES) + '\n')

    def checksums(self, folder):
        return {'files': {name: sha1_of(folder / name) for name in FILES}}

    def check_drawn(self, card):
        check_unchanged(self.out, FILES, card['files'])


def fetch(name, path, sha1):
    """Downloads a file from the first address that has it."""
    download_first([address + name for address in ADDRESSES], path, sha1, max_bytes=MAX_BYTES)
