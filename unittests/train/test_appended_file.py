"""Files that grow by whole pieces, whatever fails."""
import pytest

from gluonzoo.train.appended_file import AppendedFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'folder' / 'file'


def test_pieces(path):
    file = AppendedFile(path, b'heading ', lambda: b'kept ')
    file.add()
    assert path.read_bytes() == b'heading kept '
    for step, piece in enumerate((b'one ', b'two ')):
        file.add(piece, step)
    assert path.read_bytes() == b'heading kept one two ' and file.waits_since is None


def test_full_disk(path, full):
    """What did not fit is in the file once, as soon as there is room, and no part of it before."""
    file = AppendedFile(path, b'heading ')
    file.add(b'first ', 1)
    with full(size=20):
        for step in (2, 3):
            with pytest.raises(OSError, match='File too large'):
                file.add(b'piece %d ' % step, step)
            assert path.read_bytes() == b'heading first ' and file.waits_since == 2
    file.add(b'last', 4)
    assert path.read_bytes() == b'heading first piece 2 piece 3 last' and file.waits_since is None


def test_part_that_could_not_be_cut_off(path, full, monkeypatch):
    file = AppendedFile(path)
    file.add(b'first ', 1)
    with path.open('ab') as other:
        other.write(b'pie')
    file.add(b'piece', 2)
    assert path.read_bytes() == b'first piece'


def test_full_disk_at_the_start(path, full):
    """The former file is replaced when it can be; what it keeps is asked for once."""
    asked = []
    path.parent.mkdir()
    path.write_bytes(b'former')
    file = AppendedFile(path, b'heading ', lambda: asked.append(1) or b'kept ')
    with full(size=8):
        for piece in (b'', b'one '):
            with pytest.raises(Exception, match='File too large'):
                file.add(piece, 1)
    assert path.read_bytes() == b'former' and [*path.parent.iterdir()] == [path]
    file.add()
    assert path.read_bytes() == b'heading kept one ' and asked == [1]


def test_removed_file(path):
    """Begins anew."""
    file = AppendedFile(path, b'heading ')
    file.add(b'one ', 1)
    path.unlink()
    file.add(b'two', 2)
    assert path.read_bytes() == b'heading two'


def test_folder_in_its_place(path):
    path.mkdir(parents=True)
    file = AppendedFile(path)
    for step in (1, 2):
        with pytest.raises(ValueError, match='is a folder'):
            file.add(b'piece ', step)
    path.rmdir()
    file.add()
    assert path.read_bytes() == b'piece piece '
