"""gluonzoo/data/staging.py: a folder that appears when it is whole, and errors that name it."""
import os

import pytest

from gluonzoo.data.staging import staging


def test_the_folder_is_gone_at_the_end(tmp_path):
    out = tmp_path / 'new' / 'out'
    with staging(out) as folder:
        (folder / 'whole').mkdir()
        assert folder.parent == out.parent and not out.exists()
        (folder / 'whole').rename(out)
    assert os.listdir(out.parent) == ['out']


@pytest.mark.parametrize('relative', [False, True])
def test_errors_name_the_folder_that_is_wanted(tmp_path, monkeypatch, relative):
    monkeypatch.chdir(tmp_path)
    out = (tmp_path / 'out').relative_to(tmp_path) if relative else tmp_path / 'out'
    for path, named in ((None, out), ('inside', out), (tmp_path / 'elsewhere', tmp_path / 'elsewhere')):
        with pytest.raises(OSError) as caught, staging(out) as folder:
            raise OSError(28, 'No space left', *([] if path is None else [str(folder / path)]))
        assert caught.value.filename == str(named), path
    assert os.listdir(tmp_path) == []


def test_where_no_folder_can_be_made(tmp_path, monkeypatch):
    def refuse(path, mode=0o777):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr(os, 'mkdir', refuse)
    with pytest.raises(PermissionError, match=f"denied: '{tmp_path / 'out'}'"), staging(tmp_path / 'out'):
        pass
