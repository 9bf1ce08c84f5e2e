"""gluonzoo/data/annotations/voc.py: XML files as tools leave them, and everything that can be wrong with them."""
import os
import re
import shutil

import pytest
from annotation_cases import (
    CAT,
    CAT_XML,
    DOG,
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


# -- lists -----------------------------------------------------------------------------------------------------------

def make_lists(root, names='abcd', **lists):
    """A VOC directory with pictures of these names, and lists: train='ab', val='c' ..."""
    for name in names:
        picture(root / 'JPEGImages' / f'{name}.jpg')
        write(root / 'Annotations' / f'{name}.xml', xml(f'{name}.jpg', CAT_XML))
    for name, pictures in lists.items():
        write(root / 'ImageSets' / 'Main' / f'{name}.txt', ''.join(f'{one}\n' for one in pictures))
    return root


def stems(annotations):
    return {split: ''.join(one.image.stem for one in found) for split, found in annotations.splits.items()}


@pytest.mark.parametrize('lists, found', [
    (dict(train='a', val='b', trainval='ab', test='cd'), {'train': 'a', 'val': 'b'}),
    (dict(trainval='ab', test='cd'), {'train': 'ab', 'val': 'cd'}),
    (dict(train='ab', test='cd'), {'train': 'ab', 'val': 'cd'}),
    (dict(train='ab', valid='d'), {'train': 'ab', 'val': 'd'}),
    (dict(trainval='abc'), {'all': 'abc'}), (dict(default='dab'), {'all': 'dab'}),
    (dict(trainval='ab', test='cd', cat_trainval='ab', cat_test='cd', cat_val='c'), {'train': 'ab', 'val': 'cd'})])
def test_lists_of_its_own(tmp_path, lists, found):
    """Pictures of the test set are never trained on."""
    annotations = read_annotations('voc', make_lists(tmp_path, **lists))
    assert stems(annotations) == found
    missing = 4 - sum(map(len, found.values()))
    counts = {what: count for what, count in annotations.counts.items() if what.startswith('pictures ')}
    assert list(counts.values()) == ([missing] if missing else [])


@pytest.mark.parametrize('splits, found', [
    (['trainval', 'test'], {'train': 'ab', 'val': 'cd'}), (['test', 'val'], {'train': 'cd', 'val': 'b'}),
    (['test'], {'all': 'cd'}), (['cat_train', 'test'], {'train': 'a', 'val': 'cd'})])
def test_lists_that_the_user_names(tmp_path, splits, found):
    make_lists(tmp_path, train='a', val='b', trainval='ab', test='cd', cat_train='a')
    assert stems(read_annotations('voc', tmp_path, splits=splits)) == found
    with pytest.raises(AnnotationError, match='Main: no split nothing; there are: test, train, trainval, val'):
        read_annotations('voc', tmp_path, splits=['train', 'nothing'])


def test_lists_of_unknown_names(tmp_path):
    make_lists(tmp_path, fold1='ab', fold2='cd')
    with pytest.raises(AnnotationError, match=r'none to train with .* --splits fold1 fold2 \(there are fold1, fold2\)'):
        read_annotations('voc', tmp_path)
    assert stems(read_annotations('voc', tmp_path, splits=['fold2', 'fold1'])) == {'train': 'cd', 'val': 'ab'}


@pytest.mark.parametrize('lists', [dict(test='ab'), dict(val='ab'), dict(train='a')])
def test_a_list_alone_that_is_of_a_part(tmp_path, lists):
    make_lists(tmp_path, **lists)
    with pytest.raises(AnnotationError, match='is there, .* is not; to use it alone, .* by --splits'):
        read_annotations('voc', tmp_path)


def test_a_picture_in_both_lists(tmp_path):
    make_lists(tmp_path, train='ab', val='bc')
    with pytest.raises(AnnotationError, match='b.jpg has been listed before'):
        read_annotations('voc', tmp_path)


# -- two directories -------------------------------------------------------------------------------------------------

def make_2007_and_2012(root):
    """As they are published: 2012 has no test set. 2012 has a class that 2007 has not."""
    first = make_lists(root / 'VOC2007', train='a', val='b', trainval='ab', test='cd')
    second = make_lists(root / 'VOC2012', 'abe', train='a', val='e', trainval='ae')
    change(second / 'Annotations' / 'e.xml', '<name>cat<', '<name>ant<')
    return [first, second]


def test_2007_and_2012_together(tmp_path):
    """The recipe of DSOD: both trainval to train, and the test set of 2007."""
    both = make_2007_and_2012(tmp_path)
    annotations = read_annotations('voc', both, splits=['trainval', 'test'])
    assert stems(annotations) == {'train': 'abae', 'val': 'cd'} and annotations.class_names == ['ant', 'cat']
    assert [one.image.parent.parent.name for one in annotations.splits['train']] == ['VOC2007'] * 2 + ['VOC2012'] * 2
    assert annotations.splits['train'][3].labels.tolist() == [0]
    assert annotations.counts == {'directories without test.txt': 1, 'pictures in neither trainval.txt nor test.txt': 1,
                                  'files not read, JPEGImages/*.jpg': 1}
    assert stems(read_annotations('voc', both)) == {'train': 'aa', 'val': 'be'}
    for name in ('train', 'val'):
        (both[0] / 'ImageSets' / 'Main' / f'{name}.txt').unlink()
    assert stems(read_annotations('voc', both)) == {'train': 'abae', 'val': 'cd'}   # since only these are in both


def test_the_folder_above_is_none_of_them(tmp_path):
    first, second = make_2007_and_2012(tmp_path)
    with pytest.raises(AnnotationError, match=f'Annotations itself; name those that have: --data {first} {second}$'):
        read_annotations('voc', tmp_path)


def test_directories_that_do_not_go_together(tmp_path):
    both = make_2007_and_2012(tmp_path)
    with pytest.raises(AnnotationError, match='VOC2012: has no list test.txt, and .*VOC2007.*test.txt is there'):
        read_annotations('voc', both, splits=['test', 'val'])
    with pytest.raises(AnnotationError, match='VOC2007: is there twice'):
        read_annotations('voc', [both[0], tmp_path / 'VOC2012' / '..' / 'VOC2007'])
    with pytest.raises(AnnotationError, match='VOC2017: no such folder'):
        read_annotations('voc', [both[0], tmp_path / 'VOC2017'])
    write(both[0] / 'classes.txt', 'cat\n')
    with pytest.raises(AnnotationError, match="VOC2012/Annotations/e.xml: object 1: unknown class 'ant'"):
        read_annotations('voc', both, splits=['trainval', 'test'])
    (both[0] / 'classes.txt').rename(both[1] / 'classes.txt')
    with pytest.raises(AnnotationError, match='2012/classes.txt: names the classes, and nothing does so in .*VOC2007'):
        read_annotations('voc', both, splits=['trainval', 'test'])
    shutil.rmtree(both[1] / 'ImageSets')
    (both[1] / 'classes.txt').unlink()
    with pytest.raises(AnnotationError, match='VOC2012: has no list train'):
        read_annotations('voc', both, splits=['train', 'val'])


# -- hostile files ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text', [
    '<a>' * 100_000, '<annotation' + ' ' * 10_000, '<html/>', '<annotation><' + 'x' * 100_000 + '></annotation>', '\0',
    '', ' \n', '<annotation><size><width>' + '9' * 5000 + '</width><height>7</height></size></annotation>',
    '<annotation><object><name>' + 'x' * 200_000 + '</name></object></annotation>'])
def test_documents_that_are_hostile(tmp_path, text):
    """An error in a short line, whatever is in them."""
    root = make('voc', tmp_path / 'data')
    write(root / 'Annotations' / 'a.xml', text)
    with pytest.raises(AnnotationError, match='Annotations/a.xml: ') as caught:
        read_annotations('voc', root)
    assert len(str(caught.value)) < 500 and '\n' not in str(caught.value)


def test_a_document_that_is_deep(tmp_path):
    root = make('voc', tmp_path / 'data')
    change(root / 'Annotations' / 'a.xml', '</annotation>', '<a>' * 100_000 + '</a>' * 100_000 + '</annotation>')
    assert plain(read_annotations('voc', root))[0][1] == [DOG, CAT]


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-8-sig', 'latin-1'])
def test_documents_in_other_encodings(tmp_path, encoding):
    root = make('voc', tmp_path / 'data')
    text = xml('a.jpg', CAT_XML.replace('cat', 'Kätzchen'))
    declaration = f'<?xml version="1.0" encoding="{encoding.replace("-sig", "")}"?>\r\n'
    (root / 'Annotations' / 'a.xml').write_bytes((declaration + text).encode(encoding))
    assert read_annotations('voc', root).class_names == ['Kätzchen']


def test_what_is_no_file(tmp_path):
    """A pipe is not waited for, and a folder is named."""
    root = make('voc', tmp_path / 'data')
    os.mkfifo(root / 'Annotations' / 'c.xml')
    with pytest.raises(AnnotationError, match='c.xml: is a pipe'):
        read_annotations('voc', root)
    (root / 'Annotations' / 'c.xml').unlink()
    (root / 'JPEGImages' / 'a.jpg').unlink()
    (root / 'JPEGImages' / 'a.jpg').mkdir()
    with pytest.raises(AnnotationError, match='cannot read the picture .*a.jpg: .* is a folder'):
        read_annotations('voc', root)


@pytest.mark.parametrize('place, document, named', [
    ('a.png', 'Annotations/a.xml', 'a.png'),               # pictures above their documents
    ('images/a.png', 'a.xml', 'images/a.png'),             # with their folder in their name
    ('images/a.png', 'Annotations/a.xml', 'images/a.png'),
    ('images/b/a.png', 'Annotations/b/a.xml', 'a.png'), ('JPEGImages/a.png', 'a.xml', 'a.png')])
def test_where_pictures_are_found(tmp_path, place, document, named):
    picture(tmp_path / place)
    write(tmp_path / document, xml(named, CAT_XML))
    assert [one.image for one in read_annotations('voc', tmp_path).splits['all']] == [tmp_path / place]
