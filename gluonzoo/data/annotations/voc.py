"""PASCAL VOC: an XML file about each picture."""
import re
from pathlib import Path

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ...pictures.decode import SUFFIXES
from ...reading import quoted, read_bytes
from .base import EDGES, AnnotationError, Object, few, file_errors, first_file, leads_inside, lines
from .flags import flag
from .listing import files_below, with_suffix
from .splits import choose, require_none_below

# Lists of single classes, such as dog_train.txt, stand beside those of all pictures.
_LIST_OF_A_CLASS = re.compile(r'.*_(train|val|trainval|test)', re.IGNORECASE)


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.boxes_are = 'xmin, ymin, xmax, ymax in pixels, counted from 1'
    reading.read_class_names_if_there()
    folder = _first_folder(reading, 'Annotations', 'annotations') or reading.directory
    documents = with_suffix(reading.files(folder), '.xml')
    lists = _lists(reading)
    if lists:
        _read_lists(reading, lists, folder, documents)
        return
    folders = {path.name: path for path in sorted({folder / document.relative_to(folder).parts[0]
                                                   for document in documents}) if path.is_dir()}
    split_folders = choose(folders, reading.wanted_splits, folder)
    if split_folders is None:
        _require_none_below(folder, documents)
        split_folders = {'all': folder}
    for split, below in split_folders.items():
        for document in documents:
            if below in document.parents:
                with reading.or_skip():
                    _add(reading, split, document, folder)


def _require_none_below(folder, documents):
    """AnnotationError if other directories of VOC, or splits, are further below."""
    below = sorted({parent.parent for document in documents for parent in document.parents
                    if folder in parent.parents and parent.name.lower() == 'annotations'})
    if below:
        raise AnnotationError(f'{folder}: has no Annotations itself; name those that have: --data '
                              + ' '.join(map(str, below[:5])))
    require_none_below(folder, documents)


def _first_folder(reading, *names):
    return next((reading.directory / name for name in names if (reading.directory / name).is_dir()), None)


# -- lists -----------------------------------------------------------------------------------------------------------

def _lists(reading):
    """split -> name of the list of its pictures; None if there are no lists.

    It is the same for all directories. One may lack the list of pictures to validate with: VOC 2012 has no test.txt.
    """
    found = [_lists_of(directory, reading.wanted_splits) for directory in reading.directories]
    there = {name: path for lists in reversed(found) for name, path in lists.items()}
    if not there:
        return None
    everywhere = {name for name in there if all(name in lists for lists in found)}
    alone = next(iter(there)) if len(there) == 1 else None
    if alone in everywhere and not reading.wanted_splits and alone.lower() not in ('train', 'val', 'test'):
        return {'all': alone}   # such as trainval.txt, or CVAT's default.txt
    candidates = there if reading.wanted_splits else {
        name: path for name, path in there.items() if name in everywhere or name.lower() not in ('train', 'trainval')}
    chosen = choose(candidates, reading.wanted_splits, there[min(there)].parent)
    if chosen is None:
        raise AnnotationError(f'{there[min(there)].parent}: has lists, but none to train with that is known; name '
                              f'those to train and to validate with: --splits {" ".join(sorted(there)[:2])} (there '
                              f'are {few(sorted(there))})')
    names = {split: path.stem for split, path in chosen.items()}
    to_train = next(iter(names.values()))
    if to_train not in everywhere:
        lacking = next(path for path, lists in zip(reading.directories, found) if to_train not in lists)
        raise AnnotationError(f'{lacking}: has no list {to_train}.txt, and {there[to_train]} is there; name lists that '
                              'all have: --splits')
    return names


def _lists_of(directory, wanted):
    """name -> path of the lists of a directory, without those of single classes, unless they are wanted."""
    folder = directory / 'ImageSets' / 'Main'
    with file_errors(folder):
        paths = with_suffix(files_below(folder), '.txt') if folder.exists() else []
    return {path.stem: path for path in paths if path.parent == folder and (
        path.stem in (wanted or ()) or not _LIST_OF_A_CLASS.fullmatch(path.stem))}


def _read_lists(reading, lists, folder, documents):
    reading.mark_read(*(reading.directory / 'ImageSets').rglob('*'))
    listed = set()
    for split, name in lists.items():
        path = reading.directory / 'ImageSets' / 'Main' / f'{name}.txt'
        if not path.exists():   # of a second directory
            reading.counts[f'directories without {name}.txt'] += 1
            continue
        for number, line in lines(path):
            with reading.or_skip():
                document = reading.inside(f'{path}:{number}', f'{line}.xml')
                document = folder / document.relative_to(reading.directory)
                if not document.exists() and line.lower().endswith(SUFFIXES):   # the name of the picture
                    document = document.with_name(document.name[:-len('.xml')]).with_suffix('.xml')
                listed.add(document)
                _add(reading, split, document, folder)
    rest = set(documents) - listed
    reading.mark_read(*rest)
    said = ' nor '.join(f'{name}.txt' for name in lists.values())
    reading.counts[f'pictures in neither {said}' if len(lists) > 1 else f'pictures that are not in {said}'] += len(rest)


# -- a document ------------------------------------------------------------------------------------------------------

def _add(reading, split, document, folder):
    reading.mark_read(document)
    root = _parse(document)
    objects = []
    for number, element in enumerate(root.iterfind('object'), 1):
        where = f'{document}: object {number}'
        with reading.or_skip():
            difficult = element.findtext('difficult')
            is_difficult = flag(difficult)
            if is_difficult is None:
                raise AnnotationError(f'{where}: difficult must be 0 or 1 (or false, true, no, yes): '
                                      f'{quoted(difficult)}')
            box = tuple(element.findtext(f'bndbox/{edge}') for edge in EDGES)
            objects.append(Object(where, box, element.findtext('name') or '', is_difficult))
    reading.add(split, document, _picture(reading, document, folder, (root.findtext('filename') or '').strip()),
                objects, _edges, _size(document, root))


def _parse(document):
    """The root element. Names of elements are in lower case and without a namespace."""
    with file_errors(document):
        data = read_bytes(document)
    data = data[3:] if data.startswith(b'\xef\xbb\xbf') else data
    try:
        root = fromstring(data.lstrip(), forbid_dtd=True)   # blank lines may stand before the declaration
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:   # the last two: of its encoding
        raise AnnotationError(f'{document}: {error}') from error
    for element in root.iter():
        if '}' in element.tag or not element.tag.islower():
            element.tag = element.tag.rpartition('}')[2].lower()
    if root.tag != 'annotation':
        raise AnnotationError(f'{document}: must be an <annotation> of VOC: <{quoted(root.tag)[1:-1]}>')
    return root


def _picture(reading, document, folder, name):
    """The path of the picture: the one that is named, or else the one with the document's name."""
    pictures = _first_folder(reading, 'JPEGImages', 'images', 'Images') or folder
    beside = document.parent.relative_to(folder)   # pictures in folders as their documents
    names = [name or document.stem]
    if '\\' in name:   # a path of Windows
        names += [part for part in (name.replace('\\', '/'), name.rpartition('\\')[2]) if leads_inside(part)]
    base = pictures.relative_to(reading.directory)
    places = dict.fromkeys((base / beside, base, Path()))   # the last for names with their folder, and pictures above
    named = [reading.inside(document, str(place), one) for one in names for place in places]
    found = first_file(named)
    if found.is_file():
        return found
    renamed = (path.with_name(document.stem + suffix) for path in named for known in SUFFIXES
               for suffix in (known, known.upper()))   # together with its document
    return next((path for path in renamed if path.is_file()), found)


def _edges(box, width, height):
    """Pixels counted from 1, the last one included -> edges."""
    return box[0] - 1, box[1] - 1, box[2], box[3]


def _size(document, root):
    size = tuple((root.findtext(f'size/{side}') or '').strip() for side in ('width', 'height'))
    if '' in size or '0' in size:   # tools that do not know it write 0
        return None
    try:
        return int(size[0]), int(size[1])
    except ValueError:
        raise AnnotationError(f'{document}: its size must be whole numbers: {quoted(size)}') from None
