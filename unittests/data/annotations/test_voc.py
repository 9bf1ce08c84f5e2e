"""gluonzoo/data/annotations/voc.py: XML files as tools leave them, and everything that can be wrong with them."""
import re
import shutil

import pytest
from annotation_cases import (
    CAT,
    CAT_XML,
    change,
    check_broken,
    check_not_of_the_format,
    make,
    make_splits,
    picture,
    plain,
    write,
    xml,
)

from gluonzoo.data.annotations import AnnotationError, read_annotations


def test_one_folder_with_other_suffixes(tmp_path):
    """As tools leave it. Also the XML file's own name finds the picture, if the one in it is of elsewhere."""
    picture(tmp_path / 'a.png')
    picture(tmp_path / 'b.jpeg')
    write(tmp_path / 'a.xml', xml('a.png', CAT_XML, size=(0, 0)))
    write(tmp_path / 'b.xml', xml('IMG_1234.jpg', size=None))
    assert plain(read_annotations('voc', tmp_path)) == [('a.png', [CAT], [0], [False]), ('b.jpeg', [], [], [])]


def voc_change(old, new):
    return lambda root: change(root / 'Annotations' / 'a.xml', old, new)


BROKEN = {
    'xml': (voc_change('</annotation>', ''), 'a.xml: no element found: line 1', True),
    'dtd': (voc_change('<annotation>', '<!DOCTYPE annotation><annotation>'), 'a.xml: DTDForbidden', True),
    'entities': (voc_change('<annotation>', '<!DOCTYPE a [<!ENTITY b "bb">]><annotation>'), 'a.xml: DTD', True),
    'encoding': (voc_change('<annotation>', '<?xml version="1.0" encoding="x-none"?><annotation>'), 'a.xml: ', True),
    'no picture': (lambda root: (root / 'JPEGImages' / 'a.jpg').unlink(), 'a.xml: no picture .*a.jpg', True),
    'size': (voc_change('<width>40<', '<width>30<'), 'a.xml: says 30 x 30 pixels, but .*a.jpg has 40 x 30', True),
    'no size': (voc_change('<width>40<', '<width>wide<'), 'a.xml: its size must be whole numbers', True),
    'absolute': (voc_change('a.jpg', '/etc/a.jpg'), "a.xml: '/etc/a.jpg' is no path inside of ", True),
    'parent': (voc_change('a.jpg', '../JPEGImages/a.jpg'), 'a.xml: .* is no path inside of ', True),
    'outside': (voc_change('<xmax>24<', '<xmax>42<'), 'a.xml: object 1: .* outside of the picture of 40 x 30', False),
    'empty': (voc_change('<xmax>24<', '<xmax>4<'), 'a.xml: object 1: the box .* is empty', False),
    'field': (voc_change('<xmax>24</xmax>', ''), 'a.xml: object 1: a box must be four numbers: .*None', False),
    'text': (voc_change('<xmax>24<', '<xmax>wide<'), 'a.xml: object 1: a box must be four numbers', False),
    'nan': (voc_change('<xmax>24<', '<xmax>nan<'), 'a.xml: object 1: a box must be four numbers', False),
    'no class': (voc_change('<name>dog<', '<name> <'), 'a.xml: object 1: the name of a class must be', False),
    'difficult': (voc_change('<difficult>1<', '<difficult>2<'), 'object 1: difficult must be 0 or 1', False),
    'class': (lambda root: write(root / 'classes.txt', 'cat'), "object 1: unknown class 'dog'; known: cat", False),
}

DIRECTORIES = {
    'none': (lambda root: shutil.rmtree(root), 'no such folder'),
    'empty': (lambda root: [shutil.rmtree(root), root.mkdir()], 'no annotated pictures'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_broken_is_an_error_or_is_skipped_and_listed(tmp_path, name):
    check_broken('voc', tmp_path / 'data', *BROKEN[name])


@pytest.mark.parametrize('name', DIRECTORIES)
def test_a_directory_that_is_not_of_the_format(tmp_path, name):
    check_not_of_the_format('voc', tmp_path / 'data', *DIRECTORIES[name])


def test_a_picture_that_is_listed_twice(tmp_path):
    root = make('voc', tmp_path / 'data')
    change(root / 'Annotations' / 'a.xml', 'a.jpg', 'b.jpg')
    with pytest.raises(AnnotationError, match='Annotations/b.xml: .*b.jpg has been listed before'):
        read_annotations('voc', root)
    annotations = read_annotations('voc', root, skip_broken=True)
    assert len(annotations.skipped) == 1 and len(annotations.splits['all'][0].boxes) == 2


def test_a_list_that_leads_out(tmp_path):
    make_splits('voc', tmp_path)
    write(tmp_path / 'ImageSets' / 'Main' / 'val.txt', '../../v\nv\nmissing\nt\n')
    annotations = read_annotations('voc', tmp_path, skip_broken=True)
    assert [one.image.stem for one in annotations.splits['val']] == ['v']
    assert len(annotations.skipped) == 3
    messages = 'val.txt:1: .* is no path', 'missing.xml: No such file', 'listed before'
    for line, message in zip(annotations.skipped, messages):
        assert re.search(message, line)
