"""gluonzoo/files.py: a file is whole or absent, and only ordinary files are replaced."""
import os
from pathlib import Path

import pytest

from gluonzoo.files import naming, replacing, require_replaceable


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
