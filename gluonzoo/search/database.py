"""The SQLite file of a study: whether it can be used, and what is said when it cannot."""
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import optuna
import sqlalchemy.exc

from ..files import folder_for
from ..reading import last_line, open_ordinary

__all__ = ['ERRORS', 'WAIT', 'file_of', 'open_storage', 'reason_of']

WAIT = 10   # seconds until a database that another program has locked is an error

# What goes wrong with a database while it is used.
ERRORS = sqlalchemy.exc.SQLAlchemyError, sqlite3.Error, optuna.exceptions.StorageInternalError

_PREFIX = 'sqlite:///'
_MAGIC = b'SQLite format 3\0'
_OPTUNA = {'studies', 'trials', 'version_info'}   # tables


def file_of(url):
    """The path in 'sqlite:///PATH'. ValueError for another text."""
    path = url[len(_PREFIX):]
    if not url.startswith(_PREFIX) or not path or path == ':memory:' or set(path) & set('?%\0'):
        raise ValueError(f'--study: must be {_PREFIX}FILE, such as {_PREFIX}search.db, without ? and %: {url!r}')
    return Path(path)


def open_storage(path):
    """Optuna's storage in an SQLite file, which is made with its folder if it is not there.

    Raises ValueError, in one line that begins with the path, for what is no such file, is of another program, or cannot
    be written now. Nothing has been changed then.
    """
    try:
        with folder_for(path):
            _check(path)
            return optuna.storages.RDBStorage(f'{_PREFIX}{path}', engine_kwargs={'connect_args': {'timeout': WAIT}})
    except ERRORS as error:
        raise ValueError(f'{path}: {reason_of(error)}') from error
    except RuntimeError as error:   # of an Optuna with other tables
        raise ValueError(f'{path}: {last_line(error).replace("$STORAGE_URL", _PREFIX + str(path))}') from error


def reason_of(error):
    """What one of :data:`ERRORS` says, in words for a user."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = last_line(getattr(error, 'orig', None) or error)
    if 'locked' in said:
        return 'the database is locked by another program'
    if 'readonly' in said:
        return 'the database is read-only, or its folder is'
    if 'unable to open' in said:
        return 'the database cannot be opened; is its folder writable?'
    return f'the database cannot be used: {said}'


def _check(path):
    """ValueError or an error of SQLite unless a file is absent, empty, or Optuna's and can be written."""
    if not path.exists():
        return
    with open_ordinary(path) as file:
        head = file.read(len(_MAGIC))
    if head and head != _MAGIC:
        raise ValueError(f'{path}: is no SQLite database')
    if not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):   # which root would write all the same
        raise ValueError(f'{path}: the database is read-only')
    name = f'file:{quote(str(path.absolute()))}?mode=rw'
    with closing(sqlite3.connect(name, uri=True, timeout=WAIT, isolation_level=None)) as database:
        database.execute('BEGIN IMMEDIATE')
        database.execute('CREATE TABLE gluonzoo_can_write (x)')   # to begin needs no right to write
        database.execute('ROLLBACK')
        tables = {table for table, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not _OPTUNA <= tables:
        raise ValueError(f'{path}: is a database of another program, with the tables {", ".join(sorted(tables)[:5])}')
