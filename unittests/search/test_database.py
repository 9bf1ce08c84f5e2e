"""gluonzoo/search/database.py: files that are no study, or cannot be written."""
import os
import sqlite3
from contextlib import closing

import optuna
import pytest

from gluonzoo.search import database
from gluonzoo.search.database import file_of, open_storage


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'study.db'


def refused(path):
    """What is said of a file, which is left as it is, as all beside it."""
    before = {file: file.is_file() and file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises((ValueError, OSError)) as error:
        open_storage(path)
    assert {file: file.is_file() and file.read_bytes() for file in path.parent.iterdir()} == before
    said = str(error.value)
    assert '\n' not in said
    return said


@pytest.mark.parametrize('url, path', [('sqlite:///a.db', 'a.db'), ('sqlite:////tmp/a b.db', '/tmp/a b.db')])
def test_file_of(url, path):
    assert str(file_of(url)) == path


@pytest.mark.parametrize('url', ['', 'a.db', 'sqlite://', 'sqlite:///', 'sqlite:///:memory:', 'mysql://h/db',
                                 'sqlite:///a?mode=ro', 'sqlite:///a%20b', 'sqlite:///a\0b'])
def test_other_urls(url):
    with pytest.raises(ValueError, match=r'^--study: must be sqlite:///FILE, '):
        file_of(url)


def test_new_and_again(tmp_path):
    path = tmp_path / 'new' / 'a b#.db'
    for _ in range(2):
        optuna.create_study(storage=open_storage(path), study_name='a', load_if_exists=True)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    (tmp_path / 'empty.db').touch()
    open_storage(tmp_path / 'empty.db')


def test_what_is_no_database(path):
    path.write_text('step,name,value\n')
    assert refused(path) == f'{path}: is no SQLite database'
    path.write_bytes(b'SQLite format 3\0' + bytes(4000))
    assert refused(path).startswith(f'{path}: the database cannot be used: ')


def test_what_is_no_file(path):
    path.mkdir()
    assert refused(path) == f'{path}: is a folder; must be an ordinary file'
    path.rmdir()
    os.mkfifo(path)
    assert refused(path) == f'{path}: is a pipe; must be an ordinary file'


def test_a_database_of_another_program(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute('CREATE TABLE birds (name TEXT)')
        other.execute('CREATE TABLE studies (name TEXT)')
    assert refused(path) == f'{path}: is a database of another program, with the tables birds, studies'


def test_a_database_of_another_version_of_optuna(path):
    optuna.create_study(storage=open_storage(path))
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE alembic_version SET version_num = 'v9.9.9.a'")
        other.execute('UPDATE version_info SET schema_version = 3')
        other.commit()
    assert refused(path).startswith(f'{path}: ')


def test_a_locked_database(path, monkeypatch):
    monkeypatch.setattr(database, 'WAIT', .1)
    optuna.create_study(storage=open_storage(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for how in 'EXCLUSIVE', 'IMMEDIATE':
            other.execute(f'BEGIN {how}')
            said = refused_while_locked(path)
            other.execute('ROLLBACK')
            assert said == f'{path}: the database is locked by another program'
    open_storage(path)


def refused_while_locked(path):
    with pytest.raises(ValueError) as error:
        open_storage(path)
    return str(error.value)


def test_a_read_only_database(path, monkeypatch):
    optuna.create_study(storage=open_storage(path))
    path.chmod(0o444)
    assert refused(path) == f'{path}: the database is read-only'
    path.chmod(0o644)
    # As on a file system that is read-only: SQLite itself says so.
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, 'connect', lambda name, **how: connect(name.replace('mode=rw', 'mode=ro'), **how))
    assert refused(path) == f'{path}: the database is read-only, or its folder is'


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError) as error:
        open_storage(tmp_path / 'file' / 'study.db')
    assert error.value.filename == str(tmp_path / 'file' / 'study.db') or 'file' in str(error.value)


def test_a_failure_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(optuna.storages, 'RDBStorage', raising)
    with pytest.raises(ValueError, match='the database cannot be opened; is its folder writable?'):
        open_storage(tmp_path / 'a' / 'b' / 'study.db')
    assert not list(tmp_path.iterdir())


def raising(*_, **__):
    raise sqlite3.OperationalError('unable to open database file')
