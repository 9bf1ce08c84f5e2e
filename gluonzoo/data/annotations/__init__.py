"""Reads detection annotations in other people's formats: PASCAL VOC, COCO, CSV, and YOLO's text files.

========  ========================================================================================================
format    what is read from the directory
========  ========================================================================================================
voc       ``Annotations/*.xml`` about ``JPEGImages/*`` (or both in the directory itself). Boxes are pixels counted
          from 1, the last one included. The picture is the one that the XML file names, or else the one with the name
          of the XML file. Splits: ``ImageSets/Main/train.txt`` and ``val.txt``.
coco      ``annotations/instances_*.json``, else ``annotations/*.json``, else ``*.json``; pictures in the folder
          named as the split, in ``images`` or in the directory. Boxes are x, y, width, height in pixels. Objects
          marked as crowds are left out and counted. Splits: a file whose name, after ``instances_``, begins with
          ``train`` and one with ``val``.
csv       a file with a header and the columns image, xmin, ymin, xmax, ymax, class (others are not read); image is
          a path from the directory, boxes are edges in pixels. A row with an image alone says that it has no object.
          Splits: ``train.csv`` and ``val.csv``.
yolo      pictures, each with a text file of its name, a line an object: number of the class (from 0), then x and y
          of the centre, width and height as fractions of the picture; an empty file says that there is no object.
          ``classes.txt`` has a class name a line. Splits: folders ``train`` and ``val``, below ``classes.txt``.
========  ========================================================================================================

Without the two splits there is one, ``all``. For coco, classes have the order of the category ids. For the others they
have that of ``classes.txt`` in the directory, which must then name all of them; without it, that of the alphabet (which
is VOC's own).

Boxes relate to the picture as it is looked at, turned as its EXIF orientation says. What sticks out by a pixel at most
is cut off and counted, since tools round. Everything else that is wrong is an error, or is left out and listed.
"""
from pathlib import Path

from . import coco, csv, voc, yolo
from .base import Annotated, AnnotationError, Annotations, Reading

__all__ = ['FORMATS', 'read_annotations', 'Annotations', 'Annotated', 'AnnotationError']

FORMATS = {'voc': voc.read, 'coco': coco.read, 'csv': csv.read, 'yolo': yolo.read}


def read_annotations(form, directory, skip_broken=False):
    """Reads what a directory holds.

    Parameters
    ----------
    form : 'voc', 'coco', 'csv' or 'yolo'
        The format; see :mod:`gluonzoo.data.annotations`.
    directory : str or Path
    skip_broken : bool
        Leave out what is broken, and list it in `skipped`: an object alone if the fault is the object's, else the
        picture.

    Returns
    -------
    Annotations

    Raises
    ------
    AnnotationError
        unless `skip_broken`, at the first that is broken: a picture that is missing, no picture, of another size than
        stated or listed twice; a path that leads out of the directory; an XML or text file that cannot be read; an
        object of an unknown class, without one of its fields, or with a box that is outside of the picture or empty.
        Always, if the directory as a whole is not of this format.
    """
    if form not in FORMATS:
        raise ValueError(f'form: must be one of {", ".join(FORMATS)}: {form!r}')
    directory = Path(directory)
    if not directory.is_dir():
        raise AnnotationError(f'{directory}: no such folder')
    reading = Reading(directory, skip_broken)
    FORMATS[form](reading)
    return reading.result()
