"""CSV: a table with a row about each object."""
import csv
import io
from collections import Counter

from ...reading import quoted, read_text
from .base import EDGES, AnnotationError, Object, few, file_errors, first_file, spellings
from .flags import flag
from .listing import with_suffix
from .splits import choose

MAX_BYTES = 1 << 32   # of a table; that of Open Images has 2.3 GB


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.boxes_are = f'xmin, ymin, xmax, ymax in {reading.unit}'
    reading.read_class_names_if_there()
    for split, path in _files(reading).items():
        reading.mark_read(path)
        own = str(path.parent.relative_to(reading.directory))
        folders = ['.'] if own == '.' else [own, '.']
        for image, rows in _rows_by_image(reading, path).items():
            where = rows[0][0]
            with reading.or_skip():
                objects = _objects(reading, rows)
                pictures = [reading.inside(where, folder, name) for name in spellings(image) for folder in folders]
                reading.add(split, where, first_file(pictures), objects, lambda box, width, height: box)


def _files(reading):
    """split -> table. Tables of splits stand in the directory, or each is the only one of its folder."""
    tables = with_suffix(reading.files(), '.csv')
    here = {path.stem: path for path in tables if path.parent == reading.directory}
    below = Counter(path.parent for path in tables)
    folders = {path.parent.name: path for path in tables
               if path.parent.parent == reading.directory and below[path.parent] == 1}
    if reading.wanted_splits:
        return choose({**folders, **here}, reading.wanted_splits, reading.directory)
    found = choose(here, None, reading.directory)
    if found is None and not here:
        found = choose(folders, None, reading.directory)
    single = list(here.values()) or tables
    if found is None and len(single) == 1:
        found = {'all': single[0]}
    if found is None:
        raise AnnotationError(f'{reading.directory}: must have one CSV file, or train.csv and val.csv: '
                              + (few(str(path.relative_to(reading.directory)) for path in tables) or 'none'))
    return found


def _objects(reading, rows):
    objects = []
    for where, row in rows:
        if any(row[column].strip() for column in (*EDGES, 'class')):
            difficult = flag(row.get('difficult'))
            if difficult is not None:
                box = row['xmin'], row['ymin'], row['xmax'], row['ymax']
                objects.append(Object(where, box, row['class'], difficult))
                continue
            with reading.or_skip():
                raise AnnotationError(f'{where}: difficult must be 0 or 1 (or false, true, no, yes): '
                                      f'{quoted(row["difficult"])}')
    return objects


def _rows_by_image(reading, path):
    """image -> [(file and line, row as a dict)], in the order of the file."""
    pictures = {}
    with file_errors(path):
        text = read_text(path, MAX_BYTES)
    rows = csv.reader(io.StringIO(text, newline=''), strict=True)
    header = None
    try:
        for fields in rows:
            where = f'{path}:{rows.line_num}'
            if not any(field.strip() for field in fields):   # a line that is blank, or has commas alone
                continue
            if header is None:
                header = _header(where, fields)
                continue
            with reading.or_skip():
                if len(fields) != len(header):
                    raise AnnotationError(f'{where}: must have {len(header)} fields, as the header')
                row = dict(zip(header, fields))
                pictures.setdefault(row['image'].strip(), []).append((where, row))
    except csv.Error as error:
        raise AnnotationError(f'{path}: {error}') from error
    if header is None:
        raise AnnotationError(f'{path}: is empty; must begin with a header')
    return pictures


def _header(where, fields):
    """The names of the columns in lower case. That of the picture is 'image', also where it is called filename."""
    header = [field.strip().lower() for field in fields]
    if 'image' not in header and 'filename' in header:
        header[header.index('filename')] = 'image'
    missing = [column for column in ('image', *EDGES, 'class') if column not in header]
    if missing:
        raise AnnotationError(f'{where}: the header has no column {", ".join(missing)}: {few(fields)}')
    twice = [column for column in ('image', *EDGES, 'class', 'difficult') if header.count(column) > 1]
    if twice:
        raise AnnotationError(f'{where}: the header has the column {twice[0]} twice')
    return header
