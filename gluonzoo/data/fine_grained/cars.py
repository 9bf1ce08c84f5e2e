"""Stanford Cars: 196 models of cars, 8,144 pictures to train on and 8,041 to test with.

The lists are files of MATLAB: devkit/cars_train_annos.mat and cars_test_annos_withlabels.mat (the variable annotations,
a struct with the fields fname, a picture in cars_train or cars_test, and class, from 1) and devkit/cars_meta.mat (the
variable class_names). The devkit's own cars_test_annos.mat has no classes. Source:
https://ai.stanford.edu/~jkrause/cars/car_dataset.html.
"""
from ...reading import FileError, quoted
from ...registry import DATASETS
from .listed_pictures import ListedPictures, Listing
from .lists import require_inside
from .mat import read_mat, texts, whole_numbers

__all__ = ['Cars']

META = 'devkit/cars_meta.mat'
LISTS = {'train': ('devkit/cars_train_annos.mat',),
         'test': ('cars_test_annos_withlabels.mat', 'devkit/cars_test_annos_withlabels.mat')}   # either


@DATASETS.register('cars')
class Cars(ListedPictures):
    """The pictures of Stanford Cars, or others in its form.

    Its samples are :class:`~gluonzoo.data.Labelled`. Arguments, attributes and errors:
    :class:`~.listed_pictures.ListedPictures`.
    """

    title = 'Stanford Cars'
    signs = f'{META}, {LISTS["train"][0]}, {LISTS["test"][0]} and the folders cars_train and cars_test'

    places = '', 'stanford_cars'
    own_lists = META, *LISTS['train'], *LISTS['test']

    @staticmethod
    def listing(path, split):
        class_names = texts(path / META, read_mat(path / META, 'class_names'))
        where = next((path / name for name in LISTS[split] if (path / name).exists()), path / LISTS[split][0])
        annotations = read_mat(where, 'annotations')
        fields = annotations if isinstance(annotations, dict) else {}
        missing = next((name for name in ('fname', 'class') if name not in fields), None)
        if missing:
            raise FileError(f'{where}: annotations must have the field {missing!r}; has {quoted(list(fields))}')
        names = texts(where, fields['fname'])
        labels = whole_numbers(where, fields['class'], len(class_names))
        files = [f'cars_{split}/{require_inside(where, name)}' for name in names]
        return Listing(where, path / META, class_names, files, [label - 1 for label in labels])
