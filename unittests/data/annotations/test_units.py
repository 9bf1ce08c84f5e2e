"""gluonzoo/data/annotations: boxes in another unit than that of the format."""
import json

import pytest
from annotation_cases import CAT_XML, DOG, DOG_XML, HEIGHT, WIDTH, coco, picture, plain, write, xml

from gluonzoo.data.annotations import AnnotationError, read_annotations

FRACTIONS = [DOG[0] / WIDTH, DOG[1] / HEIGHT, DOG[2] / WIDTH, DOG[3] / HEIGHT]


def make(form, root, box):
    """One picture with one object; the box as edges."""
    picture(root / 'a.jpg')
    if form == 'csv':
        write(root / 'all.csv', 'image,xmin,ymin,xmax,ymax,class\na.jpg,%r,%r,%r,%r,dog\n' % tuple(box))
        return
    data = coco(['a.jpg'])
    xmin, ymin, xmax, ymax = box
    data['annotations'] = [{**data['annotations'][0], 'bbox': [xmin, ymin, xmax - xmin, ymax - ymin]}]
    write(root / 'all.json', json.dumps(data))


@pytest.mark.parametrize('form', ['csv', 'coco'])
def test_fractions_are_asked_for(tmp_path, form):
    make(form, tmp_path, FRACTIONS)
    with pytest.raises(AnnotationError, match='all 1 boxes are smaller than a pixel; boxes must be .* in pixels '
                                              r'\(or say that they are fractions: --unit fractions\)'):
        read_annotations(form, tmp_path)
    annotations = read_annotations(form, tmp_path, unit='fractions')
    assert plain(annotations)[0][1] == [pytest.approx(DOG, abs=1e-3)]


@pytest.mark.parametrize('form', ['csv', 'coco'])
@pytest.mark.parametrize('box', [[0, 0, 1, 1], [4, 5, 24, 5.9]])
def test_boxes_that_are_too_small_to_be_pixels(tmp_path, form, box):
    make(form, tmp_path, box)
    with pytest.raises(AnnotationError, match='all 1 boxes are smaller than a pixel'):
        read_annotations(form, tmp_path)


@pytest.mark.parametrize('form', ['csv', 'coco'])
def test_pixels_taken_for_fractions(tmp_path, form):
    make(form, tmp_path, DOG)
    assert plain(read_annotations(form, tmp_path, unit='pixels'))[0][1] == [DOG]
    with pytest.raises(AnnotationError, match='is outside of the picture .* boxes must be .* in fractions of the '
                                              "picture's width and height"):
        read_annotations(form, tmp_path, unit='fractions')


def test_corners_where_coco_has_width_and_height(tmp_path):
    make('coco', tmp_path, [24, 20, 24 + 34, 20 + 28])
    with pytest.raises(AnnotationError, match='annotation 1: .* outside .*; boxes must be x, y, width, height in '):
        read_annotations('coco', tmp_path)


def test_exchanged_corners(tmp_path):
    make('csv', tmp_path, DOG[2:] + DOG[:2])
    with pytest.raises(AnnotationError, match='all.csv:2: the box .* is empty; boxes must be xmin, ymin, xmax, ymax'):
        read_annotations('csv', tmp_path)


def test_pixels_in_text_files_of_yolo(tmp_path):
    write(tmp_path / 'classes.txt', 'cat')
    picture(tmp_path / 'a.jpg')
    write(tmp_path / 'a.txt', '0 14 12 20 15')
    with pytest.raises(AnnotationError, match='outside of the picture .* as fractions of the picture from 0 to 1'):
        read_annotations('yolo', tmp_path)


def test_fractions_in_xml(tmp_path):
    picture(tmp_path / 'a.jpg')
    box = DOG_XML.replace('>24<', '>.6<').replace('>20<', '>.7<').replace('>5<', '>.1<').replace('>6<', '>.2<')
    write(tmp_path / 'a.xml', xml('a.jpg', box))
    with pytest.raises(AnnotationError, match='all 1 boxes are smaller than a pixel; boxes must be .*counted from 1$'):
        read_annotations('voc', tmp_path)
    write(tmp_path / 'a.xml', xml('a.jpg', CAT_XML))
    assert read_annotations('voc', tmp_path).class_names == ['cat']


@pytest.mark.parametrize('unit, form, message', [('inches', 'csv', "unit: must be pixels or fractions: 'inches'"),
                                                 ('fractions', 'voc', 'unit: is for csv and coco; voc has one'),
                                                 ('pixels', 'yolo', 'unit: is for csv and coco; yolo has one')])
def test_units_that_there_are_not(tmp_path, unit, form, message):
    with pytest.raises(ValueError, match=message):
        read_annotations(form, tmp_path, unit=unit)
