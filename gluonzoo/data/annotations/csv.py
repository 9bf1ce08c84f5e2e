"""CSV: a table with a row about each object."""
import csv

from .base import EDGES, AnnotationError, Object, both


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.read_class_names_if_there()
    files = {split: reading.directory / f'{split}.csv' for split in ('train', 'val')}
    if not both(*files.values()):
        found = sorted(reading.directory.glob('*.csv'))
        if len(found) != 1:
            raise AnnotationError(f'{reading.directory}: must have one CSV file, or train.csv and val.csv: '
                                  + (', '.join(path.name for path in found) or 'none'))
        files = {'all': found[0]}
    for split, path in files.items():
        for image, rows in _rows_by_image(reading, path).items():
            where = rows[0][0]
            objects = [Object(one, tuple(row[edge] for edge in EDGES), row['class']) for one, row in rows
                       if any(row[column].strip() for column in (*EDGES, 'class'))]
            with reading.or_skip():
                reading.add(split, where, reading.inside(where, image), objects, lambda box, width, height: box)


def _rows_by_image(reading, path):
    """image -> [(file and line, row as a dict)], in the order of the file."""
    pictures = {}
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = csv.DictReader(file, strict=True)
            rows.fieldnames = [column.strip() for column in rows.fieldnames or ()]
            missing = [column for column in ('image', *EDGES, 'class') if column not in rows.fieldnames]
            if missing:
                raise AnnotationError(f'{path}:1: the header has no column {", ".join(missing)}: '
                                      + ','.join(rows.fieldnames))
            for row in rows:
                where = f'{path}:{rows.line_num}'
                with reading.or_skip():
                    if None in row or None in row.values():   # DictReader's marks of more or fewer fields
                        raise AnnotationError(f'{where}: must have {len(rows.fieldnames)} fields, as the header')
                    pictures.setdefault(row['image'].strip(), []).append((where, row))
    except (csv.Error, UnicodeDecodeError) as error:
        raise AnnotationError(f'{path}: {error}') from error
    return pictures
