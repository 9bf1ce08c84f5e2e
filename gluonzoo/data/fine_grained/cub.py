"""CUB-200-2011: birds of 200 species, 5,994 pictures to train on and 5,794 to test with.

The lists are lines of two words: images.txt (id and name of a picture below images), image_class_labels.txt (id and
class, from 1), train_test_split.txt (id and 1 to train, 0 to test) and classes.txt (class and its name). Source:
https://www.vision.caltech.edu/datasets/cub_200_2011/.
"""
from ...reading import FileError, quoted
from ...registry import DATASETS
from .listed_pictures import ListedPictures, Listing
from .lists import read_table, require_inside, require_same

__all__ = ['CUB']

FOLDER = 'CUB_200_2011'   # in the archive
IMAGES, LABELS, SPLIT, CLASSES = 'images.txt', 'image_class_labels.txt', 'train_test_split.txt', 'classes.txt'


@DATASETS.register('cub')
class CUB(ListedPictures):
    """The birds of CUB-200-2011, or other pictures in its form.

    Its samples are :class:`~gluonzoo.data.Labelled`. The names of the classes are those of classes.txt, such as
    '001.Black_footed_Albatross'. Arguments, attributes and errors: :class:`~.listed_pictures.ListedPictures`.
    """

    title = 'CUB'
    signs = f'{IMAGES}, {LABELS}, {SPLIT}, {CLASSES} and the folder images'

    places = '', FOLDER
    own_lists = SPLIT, LABELS

    @staticmethod
    def listing(path, split):
        images, labels, parts = (read_table(path / name) for name in (IMAGES, LABELS, SPLIT))
        for name, table in ((LABELS, labels), (SPLIT, parts)):
            require_same((path / IMAGES, images), (path / name, table))
        class_names = _class_names(path / CLASSES)
        wrong = next((key for key, part in parts.items() if part not in ('0', '1')), None)
        if wrong is not None:
            raise FileError(f'{path / SPLIT}: picture {wrong}: must be 1 to train or 0 to test: {quoted(parts[wrong])}')
        numbers = {str(number): number - 1 for number in range(1, len(class_names) + 1)}
        wrong = next((key for key, label in labels.items() if label not in numbers), None)
        if wrong is not None:
            raise FileError(f'{path / LABELS}: picture {wrong}: a class must be a whole number from 1 to '
                            f'{len(class_names)}: {quoted(labels[wrong])}')
        wanted = [key for key in images if parts[key] == ('1' if split == 'train' else '0')]
        files = [f'images/{require_inside(path / IMAGES, images[key])}' for key in wanted]
        return Listing(path / IMAGES, path / CLASSES, class_names, files, [numbers[labels[key]] for key in wanted])


def _class_names(path):
    table = read_table(path)
    if list(table) != [str(number) for number in range(1, len(table) + 1)]:
        raise FileError(f'{path}: must number its classes from 1 to {len(table)}, in this order')
    return list(table.values())
