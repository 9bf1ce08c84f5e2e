"""gluonzoo/files.py: a file is whole or absent, and only ordinary files are replaced."""
import os
from pathlib import Path

import pytest

from gluonzoo.files import folder_for, naming, replacing, require_replaceable


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


def test_an_error_names_the_file_that_was_to_appear(tmp_path):
    for named, said in ((None, 'a'), (tmp_path / 'a.partial', 'a'), (tmp_path / 'b', 'b')):
        with pytest.raises(OSError, match='No space left') as raised, replacing(tmp_path / 'a'):
            raise OSError(28, 'No space left', named and str(named))
        assert str(raised.value.filename) == str(tmp_path / said)
    with pytest.raises(OSError, match='No space left') as raised, replacing(tmp_path / 'a', tmp_path / 'b'):
        raise OSError(28, 'No space left')   # of either
    assert raised.value.filename is None


def test_a_name_as_long_as_they_can_be(tmp_path):
    for letter in ('x', 'ä'):
        path = tmp_path / (255 // len(letter.encode()) * letter)
        with replacing(path) as (partial,):
            partial.write_text(letter)
        assert path.read_text() == letter
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_is_made_for_a_file(tmp_path):
    path = tmp_path / 'x' / 'y' / 'a'
    with pytest.raises(KeyError), folder_for(path):
        assert path.parent.is_dir()
        raise KeyError
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError), folder_for(path):
        (tmp_path / 'x' / 'other').write_text('of somebody else')
        raise KeyError
    assert [file.name for file in (tmp_path / 'x').iterdir()] == ['other']
    with folder_for(path):
        path.write_text('a')
    with pytest.raises(KeyError), folder_for(path):
        raise KeyError
    assert path.read_text() == 'a'


def test_long_names_have_temporary_names_of_their_own(tmp_path):
    paths = [tmp_path / (240 * 'n' + end) for end in ('-symbol.json', '-0000.params')]
    with replacing(*paths) as partial:
        for number, path in enumerate(partial):
            path.write_text(str(number))
    assert [path.read_text() for path in paths] == ['0', '1']
