"""gluonzoo/data/annotations/csv.py: tables as spreadsheets write them, and everything that can be wrong with them."""
import shutil

import pytest
from annotation_cases import DOG, change, check_broken, check_not_of_the_format, make, make_splits, plain, write

from gluonzoo.data.annotations import read_annotations


def test_classes_of_a_split_alone_are_classes_of_both(tmp_path):
    make_splits('csv', tmp_path)
    with open(tmp_path / 'val.csv', 'a') as file:
        file.write('v.jpg,0,0,5,5,ape\n')
    annotations = read_annotations('csv', tmp_path)
    assert annotations.class_names == ['ape', 'cat']
    assert [plain(annotations, split)[0][2] for split in ('train', 'val')] == [[1], [1, 0]]


@pytest.mark.parametrize('box, fitted', [('-1,-0.5,40.9,31', [0, 0, 40, 30]), ('0,0,40.2,3', [0, 0, 40, 3]),
                                         ('1.5,2,3.25,4', [1.5, 2, 3.25, 4])])
def test_a_pixel_beyond_the_edge_is_cut_off_and_counted(tmp_path, box, fitted):
    root = make('csv', tmp_path / 'data')
    write(root / 'boxes.csv', f'image,xmin,ymin,xmax,ymax,class\npictures/a.jpg,{box},cat\n')
    annotations = read_annotations('csv', root)
    assert plain(annotations)[0][1] == [fitted]
    assert annotations.counts['boxes cut off by a pixel at most'] == (not box.startswith('1.5'))


def test_a_table_as_spreadsheets_write_it(tmp_path):
    """With a mark of its encoding, quotes, spaces and other ends of lines."""
    root = make('csv', tmp_path / 'data')
    table = '\ufeffimage, xmin,ymin,xmax,ymax,"class"\r\n"pictures/a.jpg", 4,5,24,20,"Löwe, alt"\r\n'
    (root / 'boxes.csv').write_bytes(table.encode())
    annotations = read_annotations('csv', root)
    assert annotations.class_names == ['Löwe, alt'] and plain(annotations)[0][1] == [DOG]


def csv_change(old, new):
    return lambda root: change(root / 'boxes.csv', old, new)


BROKEN = {
    'no picture': (csv_change('pictures/a.jpg', 'pictures/c.jpg'), 'boxes.csv:2: no picture .*c.jpg', False),
    'no image': (csv_change('pictures/a.jpg,4', ',4'), "boxes.csv:2: '' is no path inside", False),
    'absolute': (csv_change('pictures/a.jpg,4', '/pictures/a.jpg,4'), 'boxes.csv:2: .* is no path inside', False),
    'parent': (csv_change('pictures/a.jpg,4', '../data/pictures/a.jpg,4'), 'csv:2: .* is no path inside', False),
    'outside': (csv_change('4,5,24,20', '4,-5,24,20'), 'boxes.csv:2: the box .* outside of the picture', False),
    'empty': (csv_change('4,5,24,20', '24,5,4,20'), 'boxes.csv:2: the box .* is empty', False),
    'text': (csv_change('4,5,24,20', '4,5,x,20'), "boxes.csv:2: a box must be four numbers: .*'x'", False),
    'infinite': (csv_change('4,5,24,20', '4,5,inf,20'), 'boxes.csv:2: a box must be four numbers', False),
    'blank': (csv_change('4,5,24,20', '4,5,,20'), 'boxes.csv:2: a box must be four numbers', False),
    'no class': (csv_change('20,dog', '20,'), 'boxes.csv:2: the name of a class', False),
    'fewer fields': (csv_change('20,dog,', '20'), 'boxes.csv:2: must have 7 fields', False),
    'more fields': (csv_change('20,dog,', '20,dog,,,,'), 'boxes.csv:2: must have 7 fields', False),
    'class': (lambda root: write(root / 'classes.txt', 'cat'), "boxes.csv:2: unknown class 'dog'", False),
}

DIRECTORIES = {
    'no csv': (lambda root: (root / 'boxes.csv').unlink(), 'must have one CSV file.*: none'),
    'two csv': (lambda root: write(root / 'more.csv', ''), 'must have one CSV file.*: boxes.csv, more.csv'),
    'no header': (csv_change('image,xmin,ymin,xmax,ymax,class,remark\n', ''), 'csv:1: the header has no column image,'),
    'no column': (csv_change('class,', 'label,'), 'boxes.csv:1: the header has no column class: image, xmin'),
    'empty csv': (lambda root: write(root / 'boxes.csv', ''), 'boxes.csv: is empty; must begin with a header'),
    'quotes': (csv_change(',dog', ',"dog'), 'boxes.csv: unexpected end of data'),
    'no UTF-8': (lambda root: (root / 'boxes.csv').write_bytes(b'image\xff'), 'boxes.csv: not a text in UTF-8'),
    'all broken': (lambda root: shutil.rmtree(root / 'pictures'), 'boxes.csv:2: no picture'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_broken_is_an_error_or_is_skipped_and_listed(tmp_path, name):
    check_broken('csv', tmp_path / 'data', *BROKEN[name])


@pytest.mark.parametrize('name', DIRECTORIES)
def test_a_directory_that_is_not_of_the_format(tmp_path, name):
    check_not_of_the_format('csv', tmp_path / 'data', *DIRECTORIES[name])
