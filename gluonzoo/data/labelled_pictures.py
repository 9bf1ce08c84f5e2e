"""A folder of pictures with a folder for each class."""
import os
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from ..pictures.decode import SUFFIXES
from ..reading import quoted
from ..registry import DATASETS
from ..values import NAMES, PATH
from ..values import check as check_value
from .annotations.listing import files_below
from .dataset import counted
from .labelled import named, require_every_class
from .labelled_files import LabelledFiles

__all__ = ['LabelledPictures']

VALIDATION = ('val', 'valid', 'validation', 'test')   # what the folder may be called, in this order


@DATASETS.register('labelled_pictures')
class LabelledPictures(LabelledFiles):
    """The pictures of a folder, in which each folder has the pictures of one class.

    Its samples are :class:`Labelled`.

    Parameters
    ----------
    path : str or Path
        A class is a folder in it, and has the folder's name. Its pictures may be in folders within. They are of the
        kinds that :func:`~gluonzoo.data.read_image` reads. Other files are left out, and a RuntimeWarning counts them.
        What begins with a dot is left out in any case.
    class_names : list of str, optional
        the classes in the order of their numbers: for validation, those of the training. Default: the folders' names,
        sorted. A class without pictures is then an error; where names are given, a RuntimeWarning tells of it.
    transform : dict or transform, optional
        'name' ('imagenet_train' or 'middle_crop') and its keywords, see
        :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str

    Raises
    ------
    FileNotFoundError
        if the folder is not there.
    ValueError
        if there are fewer than two classes, one has no pictures, or there is a folder of a class that is not in
        `class_names`. Also for wrong keywords.
    """

    def __init__(self, path: PATH, class_names=None, transform=None):
        super().__init__(Path(path), transform)
        if not self.path.is_dir():
            raise FileNotFoundError(f'{self.path}: no such folder')
        folders = _folders(self.path)
        if class_names is None:
            self.class_names = sorted(folders)
        else:
            check_value('class_names', class_names, NAMES)
            self.class_names = list(class_names)
        self._require_classes(folders, class_names is not None)
        self._files, labels, left_out = [], [], Counter()
        for label, name in enumerate(self.class_names):
            files = files_below(folders[name]) if name in folders else []
            found = [os.path.relpath(file, self.path) for file in files if file.suffix.lower() in SUFFIXES]
            left_out.update(file.suffix or file.name for file in files if file.suffix.lower() not in SUFFIXES)
            self._files += found
            labels += len(found) * [label]
        self._labels = np.array(labels, np.int32)
        if not self._files:
            raise ValueError(f'{self.path}: has no pictures ({", ".join(SUFFIXES)}) in its folders of classes')
        require_every_class(self.path, self.class_names, self._labels, given=class_names is not None)
        self._tell(left_out)

    @classmethod
    def in_folder(cls, folder, split):
        names = VALIDATION if split == 'val' else (split,)
        for name in names:
            if Path(folder, name).is_dir():
                return {'path': str(Path(folder, name))}
        raise FileNotFoundError(f'{Path(folder, names[0])}: no such folder'
                                + f', nor {", ".join(names[1:])}' * (len(names) > 1))

    def _require_classes(self, folders, given):
        if len(self.class_names) < 2:
            raise ValueError(f'{self.path}: must have a folder for each class, two or more; has '
                             f'{named(self.class_names) or "none"}')
        if len(set(self.class_names)) < len(self.class_names):
            twice = next(name for name, count in Counter(self.class_names).items() if count > 1)
            raise ValueError(f'class_names: {quoted(twice)} is there twice')
        unseen = next((name for name in folders if not name.isprintable() or name != name.strip()), None)
        if unseen is not None:
            raise ValueError(f'{self.path}: a folder is the name of a class, and must be printable, without blanks '
                             f'around it: {quoted(unseen)}')
        unknown = sorted(set(folders) - set(self.class_names))
        if given and unknown:
            raise ValueError(f'{self.path}: has folders of {len(unknown)} classes that are not among the '
                             f'{len(self.class_names)} of the training: {named(unknown)}')

    def _tell(self, left_out):
        """Warns of what is left out."""
        beside = [name for name in os.listdir(self.path) if not name.startswith('.') and (self.path / name).is_file()]
        for said in (f'{sum(left_out.values())} files are left out, being no pictures: {counted(left_out)}'
                     if left_out else '',
                     f'{len(beside)} files beside the folders of classes are left out: {named(sorted(beside))}'
                     if beside else ''):
            if said:
                warnings.warn(f'{self.path}: {said}', RuntimeWarning, stacklevel=3)


def _folders(path):
    """Name -> folder in `path`; links to folders are followed."""
    with os.scandir(path) as entries:
        return {entry.name: Path(entry.path) for entry in entries
                if entry.is_dir() and not entry.name.startswith('.') and entry.name != '__MACOSX'}
