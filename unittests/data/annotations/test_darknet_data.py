"""gluonzoo/data/annotations/darknet_data.py: what a file such as obj.data says; test_layouts has what follows of it."""
import os

import pytest
from annotation_cases import write

from gluonzoo.data.annotations import AnnotationError
from gluonzoo.data.annotations.darknet_data import read_options


@pytest.mark.parametrize('text, options', [
    ('classes= 20\ntrain  = /home/me/voc/train.txt\nvalid  = 2007_test.txt\nnames = data/voc.names\nbackup = backup\n',
     {'classes': '20', 'train': '/home/me/voc/train.txt', 'valid': '2007_test.txt', 'names': 'data/voc.names'}),
    ('\ufeff# mine\r\n\r\n;valid = old.txt\r\n  names=my names.txt  \r\neval=coco\r\n', {'names': 'my names.txt'}),
    ('train = a=b.txt\nresults = a\nresults = b', {'train': 'a=b.txt'}),
    ('classes = 3\nvalid = x\n', {}),      # neither a list to train with nor names: of something else
    ('', {}), ('5.1,3.5,setosa\n', {}), ('# train = x\n', {})])
def test_what_a_file_says(tmp_path, text, options):
    (tmp_path / 'obj.data').write_bytes(text.encode())
    assert read_options(tmp_path / 'obj.data') == options


@pytest.mark.parametrize('text, message', [
    ('names = a\ntrain\n', "obj.data:2: must be a key and a value, key = value: 'train'"),
    ('= a\nnames = b\n', "obj.data:1: must be a key and a value, key = value: '= a'"),
    ('names =\ntrain = b\n', "obj.data:1: must be a key and a value, key = value: 'names ='"),
    ('names = a\n\nnames = a\n', "obj.data:3: names is there twice: 'names = a'")])
def test_lines_that_are_wrong(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_options(write(tmp_path / 'obj.data', text))


def test_what_is_no_text_is_another_file(tmp_path):
    path = tmp_path / 'obj.data'
    for content in (b'names = \xff', b'names = a\n' + b' ' * (1 << 20), b'\0' * 99):
        path.write_bytes(content)
        assert read_options(path) == {}
    path.unlink()
    os.mkfifo(path)      # is not waited for
    assert read_options(path) == {}
    path.unlink()
    with pytest.raises(AnnotationError, match='obj.data: No such file'):
        read_options(path)
