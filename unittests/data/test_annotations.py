"""gluonzoo.data.annotations: hand-made data in each format, and everything that can be wrong with it."""
import json
import re
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from gluonzoo.data.annotations import FORMATS, AnnotationError, read_annotations

WIDTH, HEIGHT = 40, 30


def picture(path, width=WIDTH, height=HEIGHT):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 128, np.uint8))
    return path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def plain(annotations, split='all'):
    """[(name of the picture, boxes, labels, difficult)] in lists."""
    return [(one.image.name, one.boxes.tolist(), one.labels.tolist(), one.difficult.tolist())
            for one in annotations.splits[split]]


# The same two pictures in each format: a has a dog and a cat, b has nothing.
DOG, CAT = [4, 5, 24, 20], [0, 10, 40, 30]   # edges in pixels
OBJECT = ('<object><name>%s</name>%s'
          '<bndbox><xmin>%s</xmin><ymin>%s</ymin><xmax>%s</xmax><ymax>%s</ymax></bndbox></object>')


def xml(name, *objects, size=(WIDTH, HEIGHT)):
    size = '<size><width>%s</width><height>%s</height></size>' % size if size else ''
    return f'<annotation><filename>{name}</filename>{size}{"".join(objects)}</annotation>'


DOG_XML = OBJECT % ('dog', '<difficult>1</difficult>', 5, 6, 24, 20)   # counted from 1, the last pixel included
CAT_XML = OBJECT % ('cat', '', 1, 11, 40, 30)


def make_voc(root):
    for name in ('a', 'b'):
        picture(root / 'JPEGImages' / f'{name}.jpg')
    write(root / 'Annotations' / 'a.xml', xml('a.jpg', DOG_XML, CAT_XML))
    write(root / 'Annotations' / 'b.xml', xml('b.jpg'))


def coco(names=('a.jpg', 'b.jpg'), **changes):
    image = [dict(id=10 + k, file_name=name, width=WIDTH, height=HEIGHT) for k, name in enumerate(names)]
    return {'images': image, 'categories': [dict(id=7, name='cat'), dict(id=3, name='dog')],
            'annotations': [dict(id=1, image_id=10, category_id=3, bbox=[4, 5, 20, 15], iscrowd=0),
                            dict(id=2, image_id=10, category_id=7, bbox=[0, 10, 40, 20], iscrowd=0),
                            dict(id=3, image_id=10, category_id=7, bbox=[0, 0, 40, 30], iscrowd=1)], **changes}


def make_coco(root):
    for name in ('a', 'b'):
        picture(root / 'images' / f'{name}.jpg')
    write(root / 'annotations' / 'instances_all.json', json.dumps(coco()))


def make_csv(root):
    for name in ('a', 'b'):
        picture(root / 'pictures' / f'{name}.jpg')
    write(root / 'boxes.csv', 'image,xmin,ymin,xmax,ymax,class,remark\npictures/a.jpg,4,5,24,20,dog,\n'
                              'pictures/b.jpg,,,,,,empty\npictures/a.jpg,0,10,40,30,cat,large\n')


def make_folder(root):
    for name in ('a', 'b'):
        picture(root / f'{name}.jpg')
    write(root / 'classes.txt', 'cat\ndog\n')
    write(root / 'a.txt', '1 0.35 0.4166667 0.5 0.5\n\n0 0.5 0.6666667 1 0.6666667\n')
    write(root / 'b.txt', '')


MAKE = {'voc': make_voc, 'coco': make_coco, 'csv': make_csv, 'folder': make_folder}


@pytest.fixture(params=FORMATS)
def data(request, tmp_path):
    """(format, directory) of good data."""
    root = tmp_path / 'data'
    root.mkdir()
    MAKE[request.param](root)
    return request.param, root


@pytest.fixture
def make(tmp_path):
    def make(form):
        root = tmp_path / 'data'
        root.mkdir()
        MAKE[form](root)
        return root
    return make


# -- what is right ---------------------------------------------------------------------------------------------------

def test_every_format_says_the_same(data):
    form, root = data
    annotations = read_annotations(form, root)
    assert annotations.class_names == (['dog', 'cat'] if form == 'coco' else ['cat', 'dog'])
    dog, cat = map(annotations.class_names.index, ('dog', 'cat'))
    assert list(annotations.splits) == ['all'] and annotations.skipped == []
    first, second = annotations.splits['all']
    assert (first.image.name, second.image.name) == ('a.jpg', 'b.jpg') and first.image.is_file()
    np.testing.assert_allclose(first.boxes, [DOG, CAT], atol=1e-4)
    assert first.labels.tolist() == [dog, cat] and first.difficult.tolist() == [form == 'voc', False]
    assert second.boxes.shape == (0, 4) and second.labels.shape == second.difficult.shape == (0,)
    for one in (first, second):
        assert (one.boxes.dtype, one.labels.dtype, one.difficult.dtype) == (np.float32, np.int32, bool)
    assert annotations.counts == ({'crowds left out': 1} if form == 'coco' else {})


def make_splits(form, root):
    """A training picture t and one to validate, v."""
    if form == 'voc':
        for name in 'tvx':   # x is in no list
            picture(root / 'JPEGImages' / f'{name}.jpg')
            write(root / 'Annotations' / f'{name}.xml', xml(f'{name}.jpg', CAT_XML))
        write(root / 'ImageSets' / 'Main' / 'train.txt', 't\n')
        write(root / 'ImageSets' / 'Main' / 'val.txt', 'v\n')
    elif form == 'coco':
        for split in ('train2017', 'val2017'):
            picture(root / split / f'{split[0]}.jpg')
            write(root / 'annotations' / f'instances_{split}.json', json.dumps(coco([f'{split[0]}.jpg'])))
            write(root / 'annotations' / f'captions_{split}.json', '{}')
    elif form == 'csv':
        for split in ('train', 'val'):
            picture(root / f'{split[0]}.jpg')
            write(root / f'{split}.csv', f'image,xmin,ymin,xmax,ymax,class\n{split[0]}.jpg,0,10,40,30,cat\n')
    else:
        write(root / 'classes.txt', 'cat')
        for split in ('train', 'val'):
            picture(root / split / f'{split[0]}.png')
            write(root / split / f'{split[0]}.txt', '0 .5 .5 1 1')


@pytest.mark.parametrize('form', FORMATS)
def test_splits_of_the_data(tmp_path, form):
    make_splits(form, tmp_path)
    annotations = read_annotations(form, tmp_path)
    assert list(annotations.splits) == ['train', 'val']
    assert [[one.image.stem for one in split] for split in annotations.splits.values()] == [['t'], ['v']]
    assert annotations.counts['pictures in neither train.txt nor val.txt'] == (form == 'voc')


@pytest.mark.parametrize('form, gone', [('voc', 'ImageSets/Main/val.txt'), ('csv', 'train.csv'), ('folder', 'val')])
def test_one_split_alone(tmp_path, form, gone):
    make_splits(form, tmp_path)
    shutil.rmtree(tmp_path / gone) if (tmp_path / gone).is_dir() else (tmp_path / gone).unlink()
    with pytest.raises(AnnotationError, match=f'is there, .*{gone} is not'):
        read_annotations(form, tmp_path)


def test_classes_of_a_split_alone_are_classes_of_both(tmp_path):
    make_splits('csv', tmp_path)
    with open(tmp_path / 'val.csv', 'a') as file:
        file.write('v.jpg,0,0,5,5,ape\n')
    annotations = read_annotations('csv', tmp_path)
    assert annotations.class_names == ['ape', 'cat']
    assert [plain(annotations, split)[0][2] for split in ('train', 'val')] == [[1], [1, 0]]


@pytest.mark.parametrize('form', ['voc', 'csv'])
def test_a_file_of_class_names_gives_their_order(make, form):
    root = make(form)
    write(root / 'classes.txt', 'dog\nbird\ncat\n')
    annotations = read_annotations(form, root)
    assert annotations.class_names == ['dog', 'bird', 'cat'] and plain(annotations)[0][2] == [0, 2]


def test_voc_in_one_folder_with_other_suffixes(tmp_path):
    """As tools leave it. Also the XML file's own name finds the picture, if the one in it is of elsewhere."""
    picture(tmp_path / 'a.png')
    picture(tmp_path / 'b.jpeg')
    write(tmp_path / 'a.xml', xml('a.png', CAT_XML, size=(0, 0)))
    write(tmp_path / 'b.xml', xml('IMG_1234.jpg', size=None))
    assert plain(read_annotations('voc', tmp_path)) == [('a.png', [CAT], [0], [False]), ('b.jpeg', [], [], [])]


def test_boxes_are_of_the_upright_picture(tmp_path):
    """A photo that was stored lying: 40 x 30, to be turned by a quarter, so 30 x 40."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (WIDTH, HEIGHT)).save(tmp_path / 'a.jpg', exif=exif)
    write(tmp_path / 'classes.txt', 'cat')
    write(tmp_path / 'a.txt', '0 .5 .5 1 1')
    assert plain(read_annotations('folder', tmp_path))[0][1] == [[0, 0, 30, 40]]


@pytest.mark.parametrize('box, fitted', [('-1,-0.5,40.9,31', [0, 0, 40, 30]), ('0,0,40.2,3', [0, 0, 40, 3]),
                                         ('1.5,2,3.25,4', [1.5, 2, 3.25, 4])])
def test_a_pixel_beyond_the_edge_is_cut_off_and_counted(make, box, fitted):
    root = make('csv')
    write(root / 'boxes.csv', f'image,xmin,ymin,xmax,ymax,class\npictures/a.jpg,{box},cat\n')
    annotations = read_annotations('csv', root)
    assert plain(annotations)[0][1] == [fitted]
    assert annotations.counts == ({} if box.startswith('1.5') else {'boxes cut off by a pixel at most': 1})


def test_a_table_as_spreadsheets_write_it(make):
    """With a mark of its encoding, quotes, spaces and other ends of lines."""
    root = make('csv')
    table = '\ufeffimage, xmin,ymin,xmax,ymax,"class"\r\n"pictures/a.jpg", 4,5,24,20,"Löwe, alt"\r\n'
    (root / 'boxes.csv').write_bytes(table.encode())
    annotations = read_annotations('csv', root)
    assert annotations.class_names == ['Löwe, alt'] and plain(annotations)[0][1] == [DOG]


# -- what is wrong ---------------------------------------------------------------------------------------------------

def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def change_coco(root, edit):
    path = root / 'annotations' / 'instances_all.json'
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def voc_change(old, new):
    return lambda root: change(root / 'Annotations' / 'a.xml', old, new)


def csv_change(old, new):
    return lambda root: change(root / 'boxes.csv', old, new)


def folder_change(old, new):
    return lambda root: change(root / 'a.txt', old, new)


def coco_change(edit):
    return lambda root: change_coco(root, edit)


# format, name -> (what is done to the good data, what the error says, whether all of the picture is lost)
BROKEN = {
    ('voc', 'xml'): (voc_change('</annotation>', ''), 'a.xml: no element found: line 1', True),
    ('voc', 'dtd'): (voc_change('<annotation>', '<!DOCTYPE annotation><annotation>'), 'a.xml: DTDForbidden', True),
    ('voc', 'entities'): (voc_change('<annotation>', '<!DOCTYPE a [<!ENTITY b "bb">]><annotation>'),
                          'a.xml: DTD', True),
    ('voc', 'encoding'): (voc_change('<annotation>', '<?xml version="1.0" encoding="x-none"?><annotation>'),
                          'a.xml: ', True),
    ('voc', 'no picture'): (lambda root: (root / 'JPEGImages' / 'a.jpg').unlink(), 'a.xml: no picture .*a.jpg', True),
    ('voc', 'size'): (voc_change('<width>40<', '<width>30<'),
                      'a.xml: says 30 x 30 pixels, but .*a.jpg has 40 x 30', True),
    ('voc', 'no size'): (voc_change('<width>40<', '<width>wide<'), 'a.xml: its size must be whole numbers', True),
    ('voc', 'absolute'): (voc_change('a.jpg', '/etc/a.jpg'), "a.xml: '/etc/a.jpg' is no path inside of ", True),
    ('voc', 'parent'): (voc_change('a.jpg', '../JPEGImages/a.jpg'), 'a.xml: .* is no path inside of ', True),
    ('voc', 'outside'): (voc_change('<xmax>24<', '<xmax>42<'),
                         'a.xml: object 1: .* outside of the picture of 40 x 30', False),
    ('voc', 'empty'): (voc_change('<xmax>24<', '<xmax>4<'), 'a.xml: object 1: the box .* is empty', False),
    ('voc', 'field'): (voc_change('<xmax>24</xmax>', ''), 'a.xml: object 1: a box must be four numbers: .*None', False),
    ('voc', 'text'): (voc_change('<xmax>24<', '<xmax>wide<'), 'a.xml: object 1: a box must be four numbers', False),
    ('voc', 'nan'): (voc_change('<xmax>24<', '<xmax>nan<'), 'a.xml: object 1: a box must be four numbers', False),
    ('voc', 'no class'): (voc_change('<name>dog<', '<name> <'), 'a.xml: object 1: the name of a class must be', False),
    ('voc', 'difficult'): (voc_change('<difficult>1<', '<difficult>2<'), 'object 1: difficult must be 0 or 1', False),
    ('voc', 'class'): (lambda root: write(root / 'classes.txt', 'cat'),
                       "object 1: unknown class 'dog'; known: cat", False),

    ('coco', 'no picture'): (lambda root: (root / 'images' / 'a.jpg').unlink(),
                             'image 10: no picture .*images/a.jpg', True),
    ('coco', 'size'): (coco_change(lambda data: data['images'][0].update(height=31)), 'image 10: says 40 x 31', True),
    ('coco', 'absolute'): (coco_change(lambda data: data['images'][0].update(file_name='/a.jpg')),
                           'image 10: .* is no path',
                           True),
    ('coco', 'parent'): (coco_change(lambda data: data['images'][0].update(file_name='../a.jpg')),
                         'image 10: .* is no path',
                         True),
    ('coco', 'outside'): (coco_change(lambda data: data['annotations'][0].update(bbox=[30, 5, 20, 15])),
                          'annotation 1: .* is outside', False),
    ('coco', 'empty'): (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 0, 15])),
                        'annotation 1: .* is empty', False),
    ('coco', 'negative'): (coco_change(lambda data: data['annotations'][0].update(bbox=[24, 5, -20, 15])),
                           'annotation 1: .* is empty', False),
    ('coco', 'bbox'): (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 20])),
                       'annotation 1: a box must be four numbers', False),
    ('coco', 'huge'): (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 20, 10 ** 400])),
                       'annotation 1: a box must be four numbers', False),
    ('coco', 'no bbox'): (coco_change(lambda data: data['annotations'][0].pop('bbox')),
                          'annotation 1: a box must be four numbers: None', False),
    ('coco', 'class'): (coco_change(lambda data: data['annotations'][0].update(category_id=99)),
                        'annotation 1: unknown category 99', False),
    ('coco', 'orphan'): (coco_change(lambda data: data['annotations'][0].update(image_id=99)),
                         'annotation 1: no image 99', False),

    ('csv', 'no picture'): (csv_change('pictures/a.jpg', 'pictures/c.jpg'), 'boxes.csv:2: no picture .*c.jpg', False),
    ('csv', 'no image'): (csv_change('pictures/a.jpg,4', ',4'), "boxes.csv:2: '' is no path inside", False),
    ('csv', 'absolute'): (csv_change('pictures/a.jpg,4', '/pictures/a.jpg,4'),
                          'boxes.csv:2: .* is no path inside', False),
    ('csv', 'parent'): (csv_change('pictures/a.jpg,4', '../data/pictures/a.jpg,4'),
                        'csv:2: .* is no path inside', False),
    ('csv', 'outside'): (csv_change('4,5,24,20', '4,-5,24,20'),
                         'boxes.csv:2: the box .* outside of the picture', False),
    ('csv', 'empty'): (csv_change('4,5,24,20', '24,5,4,20'), 'boxes.csv:2: the box .* is empty', False),
    ('csv', 'text'): (csv_change('4,5,24,20', '4,5,x,20'), "boxes.csv:2: a box must be four numbers: .*'x'", False),
    ('csv', 'infinite'): (csv_change('4,5,24,20', '4,5,inf,20'), 'boxes.csv:2: a box must be four numbers', False),
    ('csv', 'blank'): (csv_change('4,5,24,20', '4,5,,20'), 'boxes.csv:2: a box must be four numbers', False),
    ('csv', 'no class'): (csv_change('20,dog', '20,'), 'boxes.csv:2: the name of a class', False),
    ('csv', 'fewer fields'): (csv_change('20,dog,', '20'), 'boxes.csv:2: must have 7 fields', False),
    ('csv', 'more fields'): (csv_change('20,dog,', '20,dog,,,,'), 'boxes.csv:2: must have 7 fields', False),
    ('csv', 'class'): (lambda root: write(root / 'classes.txt', 'cat'), "boxes.csv:2: unknown class 'dog'", False),

    ('folder', 'no picture'): (lambda root: (root / 'a.jpg').unlink(), 'a.txt: no picture of this name', True),
    ('folder', 'no text'): (lambda root: (root / 'a.txt').unlink(), 'a.txt: No such file', True),
    ('folder', 'no UTF-8'): (lambda root: (root / 'a.txt').write_bytes(b'0 \xff'), 'a.txt: not UTF-8', True),
    ('folder', 'class'): (folder_change('1 0.35', '2 0.35'), 'a.txt:1: unknown class 2; known: 0 to 1', False),
    ('folder', 'negative'): (folder_change('1 0.35', '-1 0.35'), 'a.txt:1: unknown class -1', False),
    ('folder', 'huge class'): (folder_change('1 0.35', '9' * 5000 + ' 0.35'), 'a.txt:1: unknown class 999', False),
    ('folder', 'name'): (folder_change('1 0.35', 'dog 0.35'), 'a.txt:1: unknown class dog', False),
    ('folder', 'fields'): (folder_change('1 0.35', '1 0.9 0.35'), 'a.txt:1: must be a class and four numbers', False),
    ('folder', 'text'): (folder_change('1 0.35', '1 wide'), 'a.txt:1: a box must be four numbers', False),
    ('folder', 'line'): (folder_change('0 0.5', '0 1.5'), 'a.txt:3: the box .* outside of the picture', False),
    ('folder', 'empty'): (folder_change('0.5 0.5', '0 0.5'), 'a.txt:1: the box .* is empty', False),
    **{(form, 'broken picture'): (lambda root: next(root.rglob('a.jpg')).write_bytes(b'no picture'),
                                  'cannot read the picture .*a.jpg', True) for form in FORMATS},
}


@pytest.mark.parametrize('case', BROKEN, ids=' '.join)
def test_what_is_broken_is_an_error_or_is_skipped_and_listed(make, case):
    form, _ = case
    spoil, message, whole_picture = BROKEN[case]
    root = make(form)
    objects = sum(len(one.boxes) for one in read_annotations(form, root).splits['all'])
    spoil(root)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_annotations(form, root)
    assert str(caught.value).startswith(str(root))
    annotations = read_annotations(form, root, skip_broken=True)
    assert annotations.skipped == [str(caught.value)]
    left = sum(len(one.boxes) for one in annotations.splits['all'])
    assert left == (0 if whole_picture else objects - 1)


DIRECTORIES = {
    'none': ('voc', lambda root: shutil.rmtree(root), 'no such folder'),
    'empty': ('voc', lambda root: [shutil.rmtree(root), root.mkdir()], 'no annotated pictures in'),
    'no json': ('coco', lambda root: shutil.rmtree(root / 'annotations'), 'must have one JSON file.*: none'),
    'two json': ('coco', lambda root: write(root / 'annotations' / 'instances_more.json', '{}'),
                 'must have one JSON file'),
    'no JSON': ('coco', lambda root: write(root / 'annotations' / 'instances_all.json', '{'),
                'instances_all.json: Expecting'),
    'deep': ('coco', lambda root: write(root / 'annotations' / 'instances_all.json', '[' * 100_000),
             'instances_all.json: '),
    'a list': ('coco', lambda root: write(root / 'annotations' / 'instances_all.json', '[]'),
               'not in the form of COCO'),
    'no images': ('coco', coco_change(lambda data: data.pop('images')), "not in the form of COCO: KeyError: 'images'"),
    'no annotations': ('coco', coco_change(lambda data: data.pop('annotations')), 'not in the form of COCO'),
    'no file_name': ('coco', coco_change(lambda data: data['images'][0].pop('file_name')), 'not in the form of COCO'),
    'same id': ('coco', coco_change(lambda data: data['images'][1].update(id=10)), 'images: the id 10 is there twice'),
    'same name': ('coco', coco_change(lambda data: data['categories'][0].update(name='dog')),
                  'have the same name: dog, dog'),
    'no csv': ('csv', lambda root: (root / 'boxes.csv').unlink(), 'must have one CSV file.*: none'),
    'two csv': ('csv', lambda root: write(root / 'more.csv', ''), 'must have one CSV file.*: boxes.csv, more.csv'),
    'no header': ('csv', csv_change('image,xmin,ymin,xmax,ymax,class,remark\n', ''),
                  'csv:1: the header has no column image,'),
    'no column': ('csv', csv_change('class,', 'label,'), 'boxes.csv:1: the header has no column class: image,xmin'),
    'empty csv': ('csv', lambda root: write(root / 'boxes.csv', ''), 'boxes.csv:1: the header has no column'),
    'quotes': ('csv', csv_change(',dog', ',"dog'), 'boxes.csv: unexpected end of data'),
    'no UTF-8': ('csv', lambda root: (root / 'boxes.csv').write_bytes(b'image\xff'), 'boxes.csv: .*utf-8'),
    'no classes': ('folder', lambda root: (root / 'classes.txt').unlink(), 'classes.txt: No such file'),
    'empty classes': ('folder', lambda root: write(root / 'classes.txt', '\n'), 'classes.txt: must have one or more'),
    'class twice': ('folder', lambda root: write(root / 'classes.txt', 'dog\ndog'),
                    'classes.txt: must have one or more'),
    'odd class': ('folder', lambda root: write(root / 'classes.txt', 'cat\ndog\x07'),
                  'classes.txt:2: the name of a class'),
    'all broken': ('csv', lambda root: shutil.rmtree(root / 'pictures'), 'boxes.csv:2: no picture'),
}


@pytest.mark.parametrize('skip_broken', [False, True])
@pytest.mark.parametrize('name', DIRECTORIES)
def test_a_directory_that_is_not_of_the_format(make, name, skip_broken):
    form, spoil, message = DIRECTORIES[name]
    root = make(form)
    spoil(root)
    with pytest.raises(AnnotationError, match=message):
        read_annotations(form, root, skip_broken)


def test_a_picture_that_is_listed_twice(make):
    root = make('voc')
    change(root / 'Annotations' / 'a.xml', 'a.jpg', 'b.jpg')
    with pytest.raises(AnnotationError, match='Annotations/b.xml: .*b.jpg has been listed before'):
        read_annotations('voc', root)
    annotations = read_annotations('voc', root, skip_broken=True)
    assert len(annotations.skipped) == 1 and len(annotations.splits['all'][0].boxes) == 2


def test_coco_splits_with_other_categories(tmp_path):
    make_splits('coco', tmp_path)
    change(tmp_path / 'annotations' / 'instances_val2017.json', '"dog"', '"wolf"')
    with pytest.raises(AnnotationError, match='instances_val2017.json: its categories must be those of .*train2017'):
        read_annotations('coco', tmp_path)


def test_a_list_of_voc_that_leads_out(tmp_path):
    make_splits('voc', tmp_path)
    write(tmp_path / 'ImageSets' / 'Main' / 'val.txt', '../../v\nv\nmissing\nt\n')
    annotations = read_annotations('voc', tmp_path, skip_broken=True)
    assert [one.image.stem for one in annotations.splits['val']] == ['v']
    assert len(annotations.skipped) == 3
    messages = 'val.txt:1: .* is no path', 'missing.xml: no such file', 'listed before'
    for line, message in zip(annotations.skipped, messages):
        assert re.search(message, line)


def test_a_split_of_which_nothing_is_left(tmp_path):
    make_splits('folder', tmp_path)
    (tmp_path / 'val' / 'v.png').write_bytes(b'')
    with pytest.raises(AnnotationError, match='no annotated pictures in val\n.*cannot read the picture .*v.png'):
        read_annotations('folder', tmp_path, skip_broken=True)


def test_an_unknown_format(tmp_path):
    with pytest.raises(ValueError, match="form: must be one of voc, coco, csv, folder: 'yolo'"):
        read_annotations('yolo', tmp_path)
