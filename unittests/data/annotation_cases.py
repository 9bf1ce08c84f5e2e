"""Small data in each format of annotations, and what the tests of every reader ask."""
import json

import cv2
import numpy as np
import pytest

from gluonzoo.data.annotations import AnnotationError, read_annotations

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


def make_yolo(root):
    for name in ('a', 'b'):
        picture(root / f'{name}.jpg')
    write(root / 'classes.txt', 'cat\ndog\n')
    write(root / 'a.txt', '1 0.35 0.4166667 0.5 0.5\n\n0 0.5 0.6666667 1 0.6666667\n')
    write(root / 'b.txt', '')


MAKE = {'voc': make_voc, 'coco': make_coco, 'csv': make_csv, 'yolo': make_yolo}


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


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def make(form, root):
    """Good data of a format in a new directory."""
    root.mkdir()
    MAKE[form](root)
    return root


def check_broken(form, root, spoil, message, whole_picture):
    """What `spoil` does to good data is an error or, if that is wanted, left out and listed: the object or the picture.
    """
    make(form, root)
    objects = sum(len(one.boxes) for one in read_annotations(form, root).splits['all'])
    spoil(root)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_annotations(form, root)
    assert str(caught.value).startswith(str(root))
    annotations = read_annotations(form, root, skip_broken=True)
    assert annotations.skipped == [str(caught.value)]
    left = sum(len(one.boxes) for one in annotations.splits['all'])
    assert left == (0 if whole_picture else objects - 1)


def check_not_of_the_format(form, root, spoil, message):
    """What `spoil` does to good data is an error, whether or not what is broken shall be left out."""
    make(form, root)
    spoil(root)
    for skip_broken in (False, True):
        with pytest.raises(AnnotationError, match=message):
            read_annotations(form, root, skip_broken)
