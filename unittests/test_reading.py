"""gluonzoo/reading.py: the same text however a program wrote it, and nothing but ordinary files of a bounded size."""
import os
import socket
import tracemalloc

import pytest

from gluonzoo.reading import (
    FileError,
    last_line,
    open_ordinary,
    parse_json,
    quoted,
    read_bytes,
    read_json,
    read_lines,
    read_names,
    read_text,
    without_controls,
)

TEXT = 'Löwe\nalte Katze'
WRITTEN = {
    'plain': TEXT.encode(), 'end': f'{TEXT}\n'.encode(), 'mark': TEXT.encode('utf-8-sig'),
    'CRLF': TEXT.replace('\n', '\r\n').encode() + b'\r\n', 'CR': TEXT.replace('\n', '\r').encode(),
    'UTF-16': TEXT.encode('utf-16'), 'UTF-16 BE': b'\xfe\xff' + TEXT.encode('utf-16-be'),
    'blanks': TEXT.replace('\n', ' \t\n ').encode() + b' ', 'blank lines at the end': TEXT.encode() + b'\n\r\n  \n',
}


@pytest.fixture(params=WRITTEN)
def file(request, tmp_path):
    path = tmp_path / 'file.txt'
    path.write_bytes(WRITTEN[request.param])
    return path


def test_lines_and_names_however_they_are_written(file):
    assert read_lines(file) == [(1, 'Löwe'), (2, 'alte Katze')]
    assert read_names(file) == ['Löwe', 'alte Katze']


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_json_however_it_is_written(tmp_path, encoding):
    path = tmp_path / 'a.json'
    path.write_bytes('\r\n{"a":\r\n ["ü"]}\r\n'.encode(encoding))
    assert read_json(path) == {'a': ['ü']} and read_json(path, object_hook=len) == 1


def test_a_blank_line_within_keeps_the_numbers_of_lines(tmp_path):
    (tmp_path / 'a').write_text('\none\n\ntwo\x0bthree\n')   # a vertical tab ends no line
    assert read_lines(tmp_path / 'a') == [(2, 'one'), (4, 'two\x0bthree')]


@pytest.mark.parametrize('text, message', [
    ('', 'a: must have one or more names'), ('\n \n', 'a: must have one or more names'),
    ('one\n\ntwo', 'a:2: is blank'), ('\none', 'a:1: is blank'), ('one\r\n \r\ntwo', 'a:2: is blank'),
    ('one\ntwo\none ', "a:3: the name 'one' is there twice, first in line 1"),
    ('o\x1bne', r"a:1: a name must be printable: 'o\\x1bne'"), ('one\ntw\0o', 'a:2: a name must be printable')])
def test_names_whose_numbers_would_be_in_doubt(tmp_path, text, message):
    (tmp_path / 'a').write_text(text)
    with pytest.raises(FileError, match=message) as caught:
        read_names(tmp_path / 'a')
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize('data, message', [(b'a\xff', 'not a text in UTF-8: invalid start byte at byte 1'),
                                           (b'\xff\xfea', 'not a text in UTF-8: truncated data'),
                                           (b'a' * 11, 'has more than 10 bytes')])
def test_no_text(tmp_path, data, message):
    (tmp_path / 'a').write_bytes(data)
    with pytest.raises(FileError, match=f'{tmp_path}/a: {message}'):
        read_text(tmp_path / 'a', max_bytes=10)


def test_a_bound_is_kept_exactly(tmp_path):
    (tmp_path / 'a').write_bytes(b'0123456789')
    assert read_bytes(tmp_path / 'a', 10) == b'0123456789'


@pytest.mark.parametrize('text, message', [
    ('{', 'a: not JSON, or cut short: Expecting'), ('[' * 100_000, 'a: .*nested too deeply'),
    ('{"a":' * 100_000, 'a: .*nested too deeply'), ('9' * 5000, 'a: not JSON'), ('', 'a: not JSON, or cut short')])
def test_no_json(tmp_path, text, message):
    (tmp_path / 'a').write_text(text)
    with pytest.raises(FileError, match=message) as caught:
        read_json(tmp_path / 'a')
    assert len(str(caught.value)) < 300
    with pytest.raises(FileError, match='^there: '):
        parse_json(text, 'there')


def test_nothing_but_ordinary_files(tmp_path):
    os.mkfifo(tmp_path / 'pipe')   # opened as usual, it would wait for a writer
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / 'socket'))
    (tmp_path / 'link').symlink_to(tmp_path / 'pipe')
    for path, kind in ((tmp_path / 'pipe', 'pipe'), (tmp_path / 'link', 'pipe'), (tmp_path / 'socket', 'socket'),
                       (tmp_path, 'folder'), ('/dev/zero', 'device'), ('/dev/null', 'device')):
        for read in (open_ordinary, read_bytes, read_text, read_lines, read_names, read_json):
            with pytest.raises(FileError, match=f'^{path}: is a {kind}; must be an ordinary file'):
                read(path)


def test_what_is_not_there(tmp_path):
    for read in (open_ordinary, read_bytes, read_text, read_lines, read_names, read_json):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / 'a')


def test_a_file_that_never_ends(tmp_path):
    """/proc has ordinary files of size 0 that can be read; a bound holds for them too."""
    assert len(read_bytes('/proc/self/stat')) > 10
    with pytest.raises(FileError, match='has more than 5 bytes'):
        read_bytes('/proc/self/stat', 5)


def test_no_more_memory_is_asked_for_than_the_file_has(tmp_path):
    (tmp_path / 'some').write_bytes(b'12345')
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / 'some', 1 << 50) == b'12345'
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_ends_are_for_who_reads_tables(tmp_path):
    (tmp_path / 'a').write_bytes(b'a\r\n"b\nc"')
    assert read_text(tmp_path / 'a') == 'a\r\n"b\nc"'


@pytest.mark.parametrize('value, said', [
    ('a', "'a'"), (None, 'None'), ([1, 'a'], "[1, 'a']"), ({'a': [1.5]}, "{'a': [1.5]}"), ('a\n\x1b', r"'a\n\x1b'")])
def test_short_values_are_quoted_whole(value, said):
    assert quoted(value) == said


def test_at_most_100_characters_are_quoted():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for value in ('a' * 1_000_000, 'a' * 99, 10 ** 4000, list(range(1_000_000)), {'a' * 10_000: 1}, b'a' * 10_000, deep,
                  ['a' * 1000] * 1000, ('\x1b' * 1000,)):
        assert len(quoted(value)) <= 100
    assert quoted('a' * 98) == repr('a' * 98) and quoted('a' * 200) == "'" + 'a' * 96 + '...'
    while deep:   # a list so deep must be taken apart, too
        deep = deep.pop()


@pytest.mark.parametrize('error, line', [
    (ValueError('one'), 'one'), (RuntimeError('Traceback:\n  a\nreason \n'), 'reason'), (KeyError(), 'KeyError')])
def test_the_last_line_of_an_error(error, line):
    assert last_line(error) == line


def test_control_characters():
    assert without_controls('ä b\n\0\x1b[1m\u202e\ud800') == 'ä b\n\\x00\\x1b[1m\\u202e\\ud800'
