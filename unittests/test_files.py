"""gluonzoo/files.py: a file is whole or absent, and only ordinary files are replaced."""
import os
from pathlib import Path

import pytest

from gluonzoo.files import naming, read_file, replacing, require_replaceable


def test_all_appear_at_the_end(tmp_path):
    paths = [tmp_path / 'a', tmp_path / 'b']
    with replacing(*paths) as partial:
        for part, text in zip(partial, 'ab'):
            part.write_text(text)
        assert not any(path.exists() for path in paths)
    assert [path.read_text() for path in paths] == ['a', 'b'] and len(list(tmp_path.iterdir())) == 2


def test_the_former_one_stays(tmp_path):
    (tmp_path / 'a').write_text('former')
    with pytest.raises(KeyError), replacing(tmp_path / 'a') as (part,):
        part.write_text('half')
        raise KeyError
    assert (tmp_path / 'a').read_text() == 'former' and len(list(tmp_path.iterdir())) == 1


def test_what_is_no_file_stays(tmp_path):
    os.mkfifo(tmp_path / 'pipe')   # as a device is, which a test cannot make
    for path, what in ((tmp_path, 'folder'), (tmp_path / 'pipe', 'device')):
        with pytest.raises(ValueError, match=f'is a {what}; must be a file, or not there'), replacing(path):
            pass
    assert (tmp_path / 'pipe').exists()
    require_replaceable(tmp_path / 'new')


def test_an_error_gets_the_name_that_it_lacks():
    with pytest.raises(OSError, match="No space left: '/some/path'"), naming(Path('/some/path')):
        raise OSError(28, 'No space left')
    with pytest.raises(OSError, match="No space left: 'other'"), naming('/some/path'):
        raise OSError(28, 'No space left', 'other')
    with pytest.raises(OSError, match='^said$') as caught, naming('/some/path'):
        raise OSError('said')
    assert caught.value.filename is None


def test_only_ordinary_files_of_a_bounded_size_are_read(tmp_path):
    (tmp_path / 'a').write_bytes(b'12345')
    assert read_file(tmp_path / 'a', 5) == b'12345'
    with pytest.raises(ValueError, match='has more than 4 bytes'):
        read_file(tmp_path / 'a', 4)
    os.mkfifo(tmp_path / 'pipe')
    for path in (tmp_path / 'pipe', '/dev/zero'):
        with pytest.raises(ValueError, match='is no regular file'):
            read_file(path, 5)
    for path, error in ((tmp_path, IsADirectoryError), (tmp_path / 'none', FileNotFoundError)):
        with pytest.raises(error):
            read_file(path, 5)
