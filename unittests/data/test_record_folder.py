"""train.rec, val.rec and classes.txt in a folder."""
import pytest

from gluonzoo.data import RecordError
from gluonzoo.data.record_folder import class_names_beside, part_of


def test_parts(tmp_path):
    (tmp_path / 'val.rec').touch()
    assert part_of(tmp_path, 'val') == {'path': str(tmp_path / 'val.rec')} == part_of(str(tmp_path), 'val')
    with pytest.raises(FileNotFoundError, match='train.rec: no such file'):
        part_of(tmp_path, 'train')


def test_names(tmp_path):
    assert class_names_beside(tmp_path / 'val.rec') is None
    (tmp_path / 'classes.txt').write_text('cat\ndog \n\n')
    assert class_names_beside(str(tmp_path / 'val.rec')) == ['cat', 'dog']
    (tmp_path / 'classes.txt').write_text('')
    with pytest.raises(RecordError, match='classes.txt: must have one or more names'):
        class_names_beside(tmp_path / 'val.rec')
