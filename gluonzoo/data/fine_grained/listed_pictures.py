"""Pictures whose classes and parts are told by lists: what the fine-grained datasets have in common."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...reading import FileError, quoted
from ...values import NAMES, PATH, TEXT
from ...values import check as check_value
from ..labelled import named, require_every_class
from ..labelled_files import LabelledFiles

__all__ = ['ListedPictures', 'Listing']

SPLITS = 'train', 'test'


class Listing(NamedTuple):
    """What the lists of a dataset say of one of its parts.

    where : Path, the list that names the pictures, for messages
    class_list : Path, the list that names the classes, for messages
    class_names : list of str, in the order of their numbers
    files : list of str, names of the pictures below the dataset's folder, as require_inside gives them
    labels : list of int, their classes, from 0
    """

    where: Path
    class_list: Path
    class_names: list
    files: list
    labels: list


class ListedPictures(LabelledFiles):
    """The pictures of one part of a dataset, by its lists.

    Its samples are :class:`~gluonzoo.data.Labelled`. A subclass defines `title`, `signs`, `places`, `own_lists` and
    :meth:`listing`.

    Parameters
    ----------
    path : str or Path
        the dataset's folder, or one that has it as the archive's folder
    split : {'train', 'test'}
    class_names : list of str, optional
        the classes in the order of their numbers: for testing, those of the training. Default: as the dataset's lists
        have them.
    transform : dict or transform, optional
        'name' ('fine_grained_train' or 'fine_grained_middle') and its keywords, see
        :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path
        the dataset's own folder
    transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str

    Raises
    ------
    FileNotFoundError
        if the folder or a list is not there.
    FileError
        if a list is not as it must be, lists disagree, pictures that they name are not there, or a picture is there
        twice: in this part, or in the other one, too.
    ValueError
        for wrong keywords, for classes that are not among `class_names`, and if a class has no pictures to train on. If
        a class has none to test with, or `class_names` has other classes beside, a RuntimeWarning tells of it.
    """

    title = None
    """The dataset's name, for messages."""

    def __init__(self, path: PATH, split='train', class_names=None, transform=None):
        super().__init__(path, transform)
        if split not in SPLITS:
            raise ValueError(f"split: must be 'train' or 'test': {quoted(split)}")
        self.path = self._found(Path(path))
        listing = self.listing(self.path, split)
        _require_class_names(listing)
        self._require_files(listing)
        self._require_apart(listing, SPLITS[split == 'train'])
        self.class_names, self._labels = _numbered(listing, class_names)
        self._files = listing.files
        require_every_class(self.path, self.class_names, self._labels,
                            given=class_names is not None or split == 'test')

    @classmethod
    def in_folder(cls, folder, split):
        cls._found(Path(folder))
        return {'path': str(folder), 'split': 'test' if split == 'val' else split}

    def identity(self):
        yield from super().identity()
        yield self._labels.tobytes()

    @classmethod
    def _found(cls, path):
        if not path.is_dir():
            raise FileNotFoundError(f'{path}: no such folder')
        found = cls.find(path)
        if found is None:
            raise FileNotFoundError(f'{path}: has no {cls.title}: {cls.signs}')
        return found

    def _require_files(self, listing):
        if not listing.files:
            raise FileError(f'{listing.where}: has no pictures of this part')
        missing = [file for file in listing.files if not (self.path / file).is_file()]
        if missing:
            raise FileError(f'{listing.where}: names {len(missing)} of {len(listing.files)} pictures that are not in '
                            f'{self.path}: {named(missing)}')
        if len(set(listing.files)) < len(listing.files):
            seen = set()
            twice = next(file for file in listing.files if file in seen or seen.add(file))
            raise FileError(f'{listing.where}: names a picture twice: {quoted(twice)}')

    def _require_apart(self, listing, other):
        """FileError if a picture is in the other part, too. Where that part has no list, nothing is compared."""
        try:
            others = set(self.listing(self.path, other).files)
        except FileNotFoundError:
            return
        both = next((file for file in listing.files if file in others), None)
        if both is not None:
            raise FileError(f'{listing.where}: {quoted(both)} is a picture to train with, and one to test with')

    # -- what a subclass defines -------------------------------------------------------------------------------------

    signs = None
    """What its folder has, in words."""

    places = ()
    """Where its own folder may be within the one that is given; '': it is that one."""

    own_lists = ()
    """Names of lists that no other dataset has. One is enough to know it by: what else is missing can then be named."""

    @classmethod
    def find(cls, path):
        """The dataset's own folder, of a folder that is it or has it; None if there is none."""
        return next((path / place for place in cls.places
                     if any((path / place / name).exists() for name in cls.own_lists)), None)

    @staticmethod
    def listing(path, split):
        """What the lists in the dataset's own folder say of a part: :class:`Listing`.

        Raises FileNotFoundError if a list is not there, and FileError if it is not as it must be.
        """
        raise NotImplementedError


def _require_class_names(listing):
    """FileError if a name could not be read in a message or a line of a list, or is there twice."""
    seen = set()
    for number, name in enumerate(listing.class_names, 1):
        if not (TEXT.holds(name) and name.isprintable() and name and name == name.strip()):
            raise FileError(f'{listing.class_list}: the name of class {number} must be printable, without blanks '
                            f'around it: {quoted(name)}')
        if name in seen:
            raise FileError(f'{listing.class_list}: the name of class {number} is there twice: {quoted(name)}')
        seen.add(name)


def _numbered(listing, given):
    """(class names, labels) with the classes in the order that is `given`, or else as in the lists."""
    if len(listing.class_names) < 2:
        raise ValueError(f'{listing.where}: must have two classes or more: {named(listing.class_names)}')
    labels = np.array(listing.labels, np.int32)
    if given is None:
        return listing.class_names, labels
    check_value('class_names', given, NAMES)
    if len(set(given)) < len(given):
        raise ValueError('class_names: a name is there twice')
    places = {name: number for number, name in enumerate(given)}
    unknown = [name for name in listing.class_names if name not in places]
    if unknown:
        raise ValueError(f'{listing.where}: has {len(unknown)} classes that are not among the {len(given)} of the '
                         f'training: {named(unknown)}')
    return list(given), np.array([places[name] for name in listing.class_names], np.int32)[labels]
