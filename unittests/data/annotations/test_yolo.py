"""gluonzoo/data/annotations/yolo.py: text files beside the pictures, and everything that can be wrong with them."""
import pytest
from annotation_cases import (
    HEIGHT,
    WIDTH,
    change,
    check_broken,
    check_not_of_the_format,
    make_splits,
    plain,
    write,
)
from PIL import Image

from gluonzoo.data.annotations import AnnotationError, read_annotations


def test_boxes_are_of_the_upright_picture(tmp_path):
    """A photo that was stored lying: 40 x 30, to be turned by a quarter, so 30 x 40."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (WIDTH, HEIGHT)).save(tmp_path / 'a.jpg', exif=exif)
    write(tmp_path / 'classes.txt', 'cat')
    write(tmp_path / 'a.txt', '0 .5 .5 1 1')
    assert plain(read_annotations('yolo', tmp_path))[0][1] == [[0, 0, 30, 40]]


def yolo_change(old, new):
    return lambda root: change(root / 'a.txt', old, new)


BROKEN = {
    'no picture': (lambda root: (root / 'a.jpg').unlink(), 'a.txt: no picture of this name', True),
    'no text': (lambda root: (root / 'a.txt').unlink(), 'a.txt: No such file', True),
    'no UTF-8': (lambda root: (root / 'a.txt').write_bytes(b'0 \xff'), 'a.txt: not a text in UTF-8', True),
    'class': (yolo_change('1 0.35', '2 0.35'), 'a.txt:1: unknown class 2; known: 0 to 1', False),
    'negative': (yolo_change('1 0.35', '-1 0.35'), 'a.txt:1: unknown class -1', False),
    'huge class': (yolo_change('1 0.35', '9' * 5000 + ' 0.35'), 'a.txt:1: unknown class 999', False),
    'name': (yolo_change('1 0.35', 'dog 0.35'), 'a.txt:1: unknown class dog', False),
    'fields': (yolo_change('1 0.35', '1 0.9 0.35'), 'a.txt:1: must be a class and four numbers', False),
    'text': (yolo_change('1 0.35', '1 wide'), 'a.txt:1: a box must be four numbers', False),
    'line': (yolo_change('0 0.5', '0 1.5'), 'a.txt:3: the box .* outside of the picture', False),
    'class of a terminal': (yolo_change('1 0.35', '1\x1b[2J 0.35'), r"a.txt:1: unknown class '1.x1b\[2J'; ", False),
    'class nan': (yolo_change('1 0.35', 'nan 0.35'), 'a.txt:1: unknown class nan; known: 0 to 1', False),
    'endless class': (yolo_change('1 0.35', '1e999 0.35'), 'a.txt:1: unknown class 1e999; known: 0 to 1', False),
    'half a class': (yolo_change('1 0.35', '0.5 0.35'), 'a.txt:1: unknown class 0.5; known: 0 to 1', False),
    'nan': (yolo_change('1 0.35', '1 nan'), "a.txt:1: a box must be four numbers: .'nan'", False),
    'inf': (yolo_change('0.4166667 0.5 0.5', '0.4166667 inf 0.5'), 'a.txt:1: a box must be four numbers', False),
    'huge': (yolo_change('1 0.35', '1 1e300'), 'a.txt:1: the box .* outside of the picture', False),
    'narrow': (yolo_change('0.5 0.5', '-0.5 0.5'), 'a.txt:1: the box .* is empty', False),
    'pixels': (yolo_change('1 0.35 0.4166667 0.5 0.5', '1 14 12.5 20 15'), 'a.txt:1: the box .* outside of the picture '
               'of 40 x 30 pixels; boxes must be x and y of the centre, .* fractions', False),
    'no height': (yolo_change('0.5 0.5', '0.5 0'), 'a.txt:1: the box .* is empty', False),
    'empty': (yolo_change('0.5 0.5', '0 0.5'), 'a.txt:1: the box .* is empty', False),
}

DIRECTORIES = {
    'no classes': (lambda root: (root / 'classes.txt').unlink(), 'classes.txt: No such file'),
    'empty classes': (lambda root: write(root / 'classes.txt', '\n'), 'classes.txt: must have one or more'),
    'class twice': (lambda root: write(root / 'classes.txt', 'dog\ndog'),
                    "classes.txt:2: the name 'dog' is there twice"),
    'odd class': (lambda root: write(root / 'classes.txt', 'cat\ndog\x07'), 'classes.txt:2: a name must be printable'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_broken_is_an_error_or_is_skipped_and_listed(tmp_path, name):
    check_broken('yolo', tmp_path / 'data', *BROKEN[name])


@pytest.mark.parametrize('name', DIRECTORIES)
def test_a_directory_that_is_not_of_the_format(tmp_path, name):
    check_not_of_the_format('yolo', tmp_path / 'data', *DIRECTORIES[name])


def test_a_split_of_which_nothing_is_left(tmp_path):
    make_splits('yolo', tmp_path)
    (tmp_path / 'val' / 'v.png').write_bytes(b'')
    with pytest.raises(AnnotationError, match='no annotated pictures in val\n.*cannot read the picture .*v.png'):
        read_annotations('yolo', tmp_path, skip_broken=True)
