"""Where the annotation files of a dataset in the form of COCO are, and the pictures that they are about."""
import re

from .annotations.splits import PAIRS

__all__ = ['find_annotations', 'folder_of']

_OBJECTS = 'instances_'   # begins the names of COCO's files about objects; others are about captions and keypoints
_ROBOFLOW = '_annotations.coco.json'
_TRIED = 100   # pictures that are looked for


def find_annotations(root):
    """The annotation files to train and to validate with.

    For the names 'train' and 'val' (else train and valid, train and validation, trainval and test, train and test) they
    are the JSON files in ``root/annotations``, else in `root`, whose name has this word in it, such as
    ``instances_train2017.json`` and ``val.json``; else the JSON files in the folders ``root/train`` and ``root/val``.
    Of several, the one is taken that begins with ``instances_``, that is of 2017, or that is called
    ``_annotations.coco.json``.

    Parameters
    ----------
    root : Path

    Returns
    -------
    dict of 'train' and 'val' -> Path

    Raises
    ------
    FileNotFoundError
        if there are none.
    ValueError
        if several files could be meant.
    """
    for names in PAIRS:
        found = [_files(root, name) for name in names]
        if all(found):
            for name, files in zip(names, found):
                if len(files) > 1:
                    raise ValueError(f'{root}: several annotation files are called {name}: '
                                     f'{", ".join(str(path.relative_to(root)) for path in files[:10])}. Say which: '
                                     '--train-annotations, --val-annotations')
            return {'train': found[0][0], 'val': found[1][0]}
    there = [path for folder in (root / 'annotations', root) for path in sorted(folder.glob('*.json'))]
    said = ', '.join(str(path.relative_to(root)) for path in there[:10])
    raise FileNotFoundError(f'{root}: has no annotation files to train and to validate with, such as annotations/'
                            'instances_train2017.json and annotations/instances_val2017.json, train.json and val.json, '
                            f'or train/{_ROBOFLOW} and valid/{_ROBOFLOW}; there are: {said or "none"}')


def _files(root, name):
    """The annotation files of a split that could be meant."""
    word = re.compile(rf'(?<![a-z]){name}(?![a-z])')
    for folder in (root / 'annotations', root):
        found = [path for path in sorted(folder.glob('*.json')) if word.search(path.stem.lower())]
        if found:
            return _first_of(found, lambda path: path.name == f'{_OBJECTS}{name}2017.json',
                             lambda path: path.name.startswith(_OBJECTS))
    return _first_of(sorted((root / name).glob('*.json')), lambda path: path.name == _ROBOFLOW)


def _first_of(paths, *rules):
    """Those that the first rule is true of that is true of any; else all."""
    return next(filter(None, ([path for path in paths if rule(path)] for rule in rules)), paths)


def folder_of(path, names):
    """The folder of the pictures of an annotation file.

    For ``ROOT/annotations/instances_NAME.json``, or ``ROOT/annotations/NAME.json``, it is the first of ``ROOT/NAME``,
    ``ROOT/images/NAME``, ``ROOT/images`` and ``ROOT`` that has pictures of these names. For a file that is not in a
    folder ``annotations``, ROOT is where the file is.

    Parameters
    ----------
    path : Path
    names : list of str
        of the pictures, paths in the folder

    Returns
    -------
    Path; if no folder has such a picture, that with the name of the file

    Raises
    ------
    FileNotFoundError
        if there is none.
    """
    path = path.absolute()
    name = path.stem[len(_OBJECTS):] if path.stem.startswith(_OBJECTS) else path.stem
    root = path.parent.parent if path.parent.name == 'annotations' else path.parent
    folders = [root / name, root / 'images' / name, root / 'images', root]
    for folder in folders:
        if folder.is_dir() and any((folder / picture).is_file() for picture in names[:_TRIED]):
            return folder
    for folder in folders[:2]:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f'{path}: its pictures, such as {names[0]}, are in none of the folders '
                            f'{", ".join(map(str, folders))}. images: must be given')
