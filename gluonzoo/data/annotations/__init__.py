"""Reads detection annotations in other people's formats: PASCAL VOC, COCO, CSV, and YOLO's text files.

========  ========================================================================================================
format    what is read from the directory
========  ========================================================================================================
voc       ``Annotations/**/*.xml`` about ``JPEGImages/**`` (or ``images/**``, or both in the directory itself). Boxes
          are pixels counted from 1, the last one included. The picture is the one that the XML file names, or else the
          one with the name of the XML file. Splits: the lists ``train.txt`` and ``val.txt`` in ``ImageSets/Main``, or
          ``trainval.txt`` and ``test.txt``; without lists, folders of such names (Roboflow).
coco      ``annotations/instances_*.json``, else ``annotations/*.json``, else ``*.json``, else a
          ``_annotations.coco.json`` in each folder (Roboflow). Pictures are in the folder named as the split, in
          ``images``, beside the JSON file or in the directory. Boxes are x, y, width, height in pixels. Objects marked
          as crowds are left out and counted, and so are categories without objects that are the supercategory of
          others. Splits: files (or folders of ``_annotations.coco.json``) whose names, after ``instances_``, begin with
          the split's.
csv       a file with a header and the columns image (or filename), xmin, ymin, xmax, ymax, class, and difficult if it
          is there (others are not read); image is a path from the directory, or from the file. Boxes are edges in
          pixels. A row with an image alone says that it has no object. Splits: ``train.csv`` and ``val.csv``, or a
          table in each folder ``train`` and ``val`` (Roboflow).
yolo      pictures, each with a text file of its name beside it, or in ``labels`` where the picture is in ``images`` or
          ``JPEGImages``; a line an object: number of the class (from 0), then x and y of the centre, width and height
          as fractions of the picture; or the corners of a polygon, around which the box is taken. An empty file says
          that there is no object, and in ``labels`` a missing one does so, too. ``classes.txt`` has a class name a
          line; ``*.names`` (darknet, CVAT), ``*.labels`` (Roboflow) and the ``names`` of ``data.yaml`` (Ultralytics,
          Roboflow) are read as well, and must agree. A file ``*.data`` (darknet's obj.data) says which of ``*.names``
          and ``*.labels`` is meant, how many classes there are, and which lists of pictures are train and valid; it may
          lie further below, since darknet's paths are from a folder above. Splits: those of ``data.yaml``, or of
          ``*.data``, or lists of pictures ``train.txt`` and ``val.txt``, or folders of such names, also in ``images``.
========  ========================================================================================================

Instead of ``val``, ``valid`` or ``validation`` is taken, and ``test`` if none of them is there. Without splits there is
one, ``all``. For coco, classes have the order of the category ids. For the others they have that of ``classes.txt`` in
the directory, which must then name all of them; without it, that of the alphabet (which is VOC's own).

Folders within folders are read, too. Files that nothing was read from are counted by folder and suffix; those whose
names begin with a dot are not listed. Text may have a byte-order mark and any ends of lines. Flags (difficult, iscrowd)
may be numbers, booleans or words.

Boxes relate to the picture as it is looked at, turned as its EXIF orientation says. What sticks out by a pixel at most
is cut off and counted, since tools round. Everything else that is wrong is an error, or is left out and listed.
"""
import os
from pathlib import Path

from . import coco, csv, voc, yolo
from .base import Annotated, AnnotationError, Annotations, Reading

__all__ = ['FORMATS', 'read_annotations', 'Annotations', 'Annotated', 'AnnotationError']

FORMATS = {'voc': voc.read, 'coco': coco.read, 'csv': csv.read, 'yolo': yolo.read}


def read_annotations(form, directory, skip_broken=False, splits=None, unit=None):
    """Reads what one or more directories hold.

    Parameters
    ----------
    form : 'voc', 'coco', 'csv' or 'yolo'
        The format; see :mod:`gluonzoo.data.annotations`.
    directory : str or Path, or a list of them
        Several are read as one, such as VOC 2007 and 2012. They must have the same splits and, where files name the
        classes, the same classes.
    skip_broken : bool
        Leave out what is broken, and list it in `skipped`: an object alone if the fault is the object's, else the
        picture.
    splits : list of str, optional
        The names of the two splits to train and to validate with, such as trainval and test; or one name, whose
        pictures become ``all``. Default: what is there, see :mod:`gluonzoo.data.annotations`.
    unit : 'pixels' or 'fractions', optional
        What the numbers of a box are, for csv and coco: pixels (the default), or fractions of the picture's width and
        height.

    Returns
    -------
    Annotations

    Raises
    ------
    AnnotationError
        unless `skip_broken`, at the first that is broken: a picture that is missing, no picture, of another size than
        stated or listed twice; a path that leads out of the directory; an XML or text file that cannot be read; an
        object of an unknown class, without one of its fields, with a flag that cannot be told, or with a box that is
        outside of the picture or empty.
        Always, if a directory as a whole is not of this format; if a split is not there; if all boxes are smaller than
        a pixel, which is a matter of the unit.
    """
    if form not in FORMATS:
        raise ValueError(f'form: must be one of {", ".join(FORMATS)}: {form!r}')
    if unit not in (None, 'pixels', 'fractions'):
        raise ValueError(f'unit: must be pixels or fractions: {unit!r}')
    if unit is not None and form not in ('csv', 'coco'):
        raise ValueError(f'unit: is for csv and coco; {form} has one unit alone')
    splits = tuple(splits) if splits else None
    if splits and (isinstance(splits, str) or len(splits) > 2 or len(set(splits)) < len(splits)):
        raise ValueError(f'splits: must be one name, or two different ones, to train and to validate with: {splits}')
    one = isinstance(directory, (str, os.PathLike))
    directories = [Path(path) for path in ([directory] if one else directory)]
    for index, path in enumerate(directories):
        if not path.is_dir():
            raise AnnotationError(f'{path}: must be the folder of the data, not a file' if path.exists() else
                                  f'{path}: no such folder')
        if path.resolve() in (other.resolve() for other in directories[:index]):
            raise AnnotationError(f'{path}: is there twice')
    reading = Reading(directories, skip_broken, splits, fractions=unit == 'fractions')
    for reading.directory in directories:
        FORMATS[form](reading)
        reading.count_files_not_read()
    return reading.result()
