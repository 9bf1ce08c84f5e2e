"""gluonzoo/data/annotations/flags.py: a flag in any spelling, in any format, and never the opposite."""
import json

import pytest
from annotation_cases import change, coco, make, plain, write

from gluonzoo.data.annotations import AnnotationError, read_annotations
from gluonzoo.data.annotations.flags import flag

SET = [1, 1.0, True, '1', '1.0', ' 1 ', '01', 'true', 'True', 'TRUE', 'yes', 'Y', 't', 'on']
NOT_SET = [0, 0.0, -0.0, False, '0', '0.0', '00', 'false', 'False', 'FALSE', 'no', 'N', 'f', 'off', None, '', ' \n']
NO_FLAG = [2, -1, .5, '2', '-1', 'maybe', 'Unspecified', '1 1', 'nan', float('nan'), float('inf'), [], [1], {},
           10 ** 400]


def test_what_is_set_and_what_is_not():
    assert [flag(value) for value in SET] == [True] * len(SET)
    assert [flag(value) for value in NOT_SET] == [False] * len(NOT_SET)
    assert [flag(value) for value in NO_FLAG] == [None] * len(NO_FLAG)


TEXTS = [(value, is_set) for values, is_set in ((SET, True), (NOT_SET, False)) for value in values
         if isinstance(value, str)]


@pytest.mark.parametrize('value, is_set', TEXTS)
def test_difficult_in_xml_and_csv(tmp_path, value, is_set):
    root = make('voc', tmp_path / 'voc')
    change(root / 'Annotations' / 'a.xml', '<difficult>1<', f'<difficult>{value}<')
    assert plain(read_annotations('voc', root))[0][3] == [is_set, False]
    root = make('csv', tmp_path / 'csv')
    write(root / 'boxes.csv', f'image,xmin,ymin,xmax,ymax,class,Difficult\npictures/a.jpg,4,5,24,20,dog,"{value}"\n')
    assert plain(read_annotations('csv', root))[0][3] == [is_set]


@pytest.mark.parametrize('value', [value for value in NO_FLAG if isinstance(value, str)])
def test_no_flag_in_xml_and_csv(tmp_path, value):
    root = make('voc', tmp_path / 'voc')
    change(root / 'Annotations' / 'a.xml', '<difficult>1<', f'<difficult>{value}<')
    with pytest.raises(AnnotationError, match=rf"a.xml: object 1: difficult must be 0 or 1 .*: '{value}'"):
        read_annotations('voc', root)
    root = make('csv', tmp_path / 'csv')
    write(root / 'boxes.csv', f'image,xmin,ymin,xmax,ymax,class,difficult\npictures/a.jpg,4,5,24,20,dog,{value}\n')
    with pytest.raises(AnnotationError, match=rf"boxes.csv:2: difficult must be 0 or 1 .*: '{value}'"):
        read_annotations('csv', root)


@pytest.mark.parametrize('value, is_set', [(value, is_set) for values, is_set in ((SET, True), (NOT_SET, False))
                                           for value in values])
def test_iscrowd(tmp_path, value, is_set):
    root = make('coco', tmp_path / 'coco')
    data = coco()
    data['annotations'][0]['iscrowd'] = value
    write(root / 'annotations' / 'instances_all.json', json.dumps(data))
    annotations = read_annotations('coco', root)
    assert annotations.counts['crowds left out'] == 1 + is_set and len(annotations.splits['all'][0].boxes) == 2 - is_set


@pytest.mark.parametrize('value', NO_FLAG)
def test_no_iscrowd(tmp_path, value):
    root = make('coco', tmp_path / 'coco')
    data = coco()
    data['annotations'][0]['iscrowd'] = value
    write(root / 'annotations' / 'instances_all.json', json.dumps(data))
    with pytest.raises(AnnotationError, match='annotation 1: iscrowd must be 0 or 1'):
        read_annotations('coco', root)


def test_xml_with_a_namespace_and_capitals(tmp_path):
    """As a default namespace or a prefix, elements and flags are the same."""
    root = make('voc', tmp_path / 'voc')
    wanted = plain(read_annotations('voc', root))
    path = root / 'Annotations' / 'a.xml'
    text = path.read_text()
    write(path, text.replace('<annotation>', '<annotation xmlns="http://example.org/voc">'))
    assert plain(read_annotations('voc', root)) == wanted
    write(path, text.replace('<difficult>1</difficult>', '<v:Difficult>TRUE</v:Difficult>').replace(
        '<annotation>', '<annotation xmlns:v="http://example.org/voc">'))
    assert plain(read_annotations('voc', root)) == wanted and wanted[0][3] == [True, False]
