"""FGVC-Aircraft: 100 variants of aircraft, 6,667 pictures to train on and 3,333 to test with.

The lists are in the folder data: variants.txt (a name a line, in the order of the classes) and
images_variant_trainval.txt and images_variant_test.txt (the name of a picture below images, without .jpg, and that of
its variant, which may have blanks). Source: https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/.

The pictures have a line of text at their lower edge, 20 pixels high, which names who took them. It is left there, as
GuYuc's and the official code leave it.
"""
from ...reading import FileError, quoted, read_names
from ...registry import DATASETS
from .listed_pictures import ListedPictures, Listing
from .lists import read_table, require_inside

__all__ = ['Aircraft']

FOLDER = 'fgvc-aircraft-2013b'   # in the archive
VARIANTS = 'variants.txt'
LISTS = {'train': 'images_variant_trainval.txt', 'test': 'images_variant_test.txt'}


@DATASETS.register('aircraft')
class Aircraft(ListedPictures):
    """The pictures of FGVC-Aircraft, or others in its form. Its classes are variants, such as '737-700'.

    Its samples are :class:`~gluonzoo.data.Labelled`. Arguments, attributes and errors:
    :class:`~.listed_pictures.ListedPictures`.
    """

    title = 'FGVC-Aircraft'
    signs = f'data/{VARIANTS}, data/{LISTS["train"]}, data/{LISTS["test"]} and the folder data/images'

    places = '', 'data', f'{FOLDER}/data'
    own_lists = tuple(LISTS.values())

    @staticmethod
    def listing(path, split):
        class_names, table = read_names(path / VARIANTS), read_table(path / LISTS[split])
        numbers = {name: number for number, name in enumerate(class_names)}
        unknown = next((key for key, variant in table.items() if variant not in numbers), None)
        if unknown is not None:
            raise FileError(f'{path / LISTS[split]}: picture {quoted(unknown)}: is of a variant that is not in '
                            f'{VARIANTS}: {quoted(table[unknown])}')
        files = [f'images/{require_inside(path / LISTS[split], key)}.jpg' for key in table]
        return Listing(path / LISTS[split], path / VARIANTS, class_names, files,
                       [numbers[variant] for variant in table.values()])
