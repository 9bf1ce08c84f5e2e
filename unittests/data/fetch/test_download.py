"""gluonzoo.data.fetch.download, against a server that does what servers do."""
import fcntl
import hashlib
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import requests
from file_server import serve

from gluonzoo.data.fetch import download as module
from gluonzoo.data.fetch.download import (
    ChecksumError,
    DownloadError,
    download,
    download_first,
    md5_of,
    sha1_of,
    sha256_of,
)

CONTENT = np.random.RandomState(0).bytes(700_001)   # more than one chunk
SHA1 = hashlib.sha1(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = 300_000


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    monkeypatch.setattr(module, '_WAIT', 0)
    with serve({'/file.bin': CONTENT}) as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    """Downloads the file of the server to out/file.bin."""
    def fetch(sha1=SHA1, name='/file.bin', **options):
        return download(server.url + name, tmp_path / 'out' / 'file.bin', sha1, progress=False, **options)
    fetch.path = tmp_path / 'out' / 'file.bin'
    fetch.part = tmp_path / 'out' / 'file.bin.part'
    return fetch


def ranges(server):
    return [headers.get('Range') for _, headers in server.requests]


def left(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


# -- downloading -----------------------------------------------------------------------------------------------------

def test_checksums(tmp_path):
    (tmp_path / 'abc').write_bytes(b'abc')
    assert sha1_of(tmp_path / 'abc') == 'a9993e364706816aba3e25717850c26c9cd0d89d'
    assert md5_of(tmp_path / 'abc') == '900150983cd24fb0d6963f7d28e17f72'
    assert sha256_of(tmp_path / 'abc') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'


@pytest.mark.parametrize('sha1', [SHA1, None])
def test_a_file_is_fetched_once(fetch, server, tmp_path, sha1):
    assert fetch(sha1) == fetch.path and fetch.path.read_bytes() == CONTENT
    assert fetch(sha1) == fetch.path
    assert ranges(server) == [None] and left(tmp_path) == ['file.bin']


def test_a_bar_is_shown_unless_it_is_not_wanted(fetch, server, capsys):
    fetch()
    assert capsys.readouterr().err == ''
    fetch.path.unlink()
    download(server.url + '/file.bin', fetch.path, SHA1)
    assert 'file.bin: 100%' in capsys.readouterr().err


def test_a_file_without_checksum_is_kept_unseen(fetch, server):
    fetch.path.parent.mkdir()
    fetch.path.write_bytes(b'mine')
    fetch(None)
    assert fetch.path.read_bytes() == b'mine' and server.requests == []


def test_a_wrong_file_is_replaced_once_the_right_one_is_there(fetch, server):
    fetch.path.parent.mkdir()
    fetch.path.write_bytes(b'wrong')
    server.statuses = [404]
    with pytest.raises(DownloadError):
        fetch()
    assert fetch.path.read_bytes() == b'wrong'
    fetch()
    assert fetch.path.read_bytes() == CONTENT


def test_a_broken_connection_is_made_again_where_it_broke_off(fetch, server, tmp_path):
    server.break_after = [HALF, 5]
    fetch()
    assert fetch.path.read_bytes() == CONTENT
    assert ranges(server) == [None, f'bytes={HALF}-', f'bytes={HALF + 5}-'] and left(tmp_path) == ['file.bin']


def test_the_next_call_goes_on(fetch, server, tmp_path):
    server.break_after = [HALF, 0, 0]
    with pytest.raises(DownloadError, match='connection'):
        fetch(attempts=3)
    assert left(tmp_path) == ['file.bin.part'] and fetch.part.read_bytes() == CONTENT[:HALF]
    fetch()
    assert fetch.path.read_bytes() == CONTENT and ranges(server)[-1] == f'bytes={HALF}-'


def test_attempts_are_those_in_a_row_that_bring_nothing(fetch, server):
    server.break_after = [1] * 10
    fetch(attempts=2)
    assert fetch.path.read_bytes() == CONTENT and len(server.requests) == 11


@pytest.mark.parametrize('there', [b'of another file', CONTENT + b'too long', CONTENT[:-1] + b'?'])
def test_a_part_that_does_not_fit_is_fetched_anew(fetch, server, there):
    fetch.path.parent.mkdir()
    fetch.part.write_bytes(there)
    fetch()
    assert fetch.path.read_bytes() == CONTENT and ranges(server)[-1] is None


def test_a_part_that_is_the_whole(fetch, server):
    """As a kill leaves it between the last byte and the check."""
    fetch.path.parent.mkdir()
    fetch.part.write_bytes(CONTENT)
    fetch()
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [f'bytes={len(CONTENT)}-']


def test_a_server_that_knows_no_ranges(fetch, server):
    server.ranges, server.break_after = False, [HALF]
    fetch()
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [None, f'bytes={HALF}-']


def test_a_server_that_sends_another_part_than_asked_for(fetch, server):
    server.shift, server.break_after = 7, [HALF]
    fetch()
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [None, f'bytes={HALF}-', None]


def test_a_wrong_checksum_leaves_nothing(fetch, tmp_path):
    with pytest.raises(ChecksumError, match=f'/file.bin: its SHA-1 must be {"0" * 40}: {SHA1}'):
        fetch('0' * 40)
    assert left(tmp_path) == []


@pytest.mark.parametrize('name, keyword, digest', [('MD5', 'md5', MD5), ('SHA-256', 'sha256', SHA256)])
def test_another_checksum_does_as_well(name, keyword, digest, fetch, server, tmp_path):
    server.break_after = [HALF, 0, 0]
    with pytest.raises(DownloadError, match='connection'):
        fetch(None, **{keyword: digest}, attempts=3)
    assert fetch.part.read_bytes() == CONTENT[:HALF]
    fetch(None, **{keyword: digest})
    assert fetch.path.read_bytes() == CONTENT and ranges(server)[-1] == f'bytes={HALF}-'
    asked = len(server.requests)
    fetch(None, **{keyword: digest})
    assert len(server.requests) == asked
    with pytest.raises(ChecksumError, match=f'/file.bin: its {name} must be {"0" * len(digest)}: {digest}'):
        fetch(None, **{keyword: '0' * len(digest)})
    assert left(tmp_path) == ['file.bin'] and fetch.path.read_bytes() == CONTENT   # what was there before


def test_a_file_that_is_not_there(fetch, server, tmp_path):
    with pytest.raises(DownloadError, match='/other: HTTP status 404 Not Found'):
        fetch(name='/other')
    assert len(server.requests) == 1 and left(tmp_path) == []


def test_a_server_in_trouble_is_asked_again(fetch, server, tmp_path):
    server.statuses = [500, 503]
    fetch()
    assert fetch.path.read_bytes() == CONTENT and len(server.requests) == 3
    fetch.path.unlink()
    server.statuses = [500] * 9
    with pytest.raises(DownloadError, match='HTTP status 500'):
        fetch(attempts=4)
    assert len(server.requests) == 3 + 4 and left(tmp_path) == []


def test_without_checksum_the_server_says_whether_parts_fit(fetch, server):
    server.break_after = [HALF]
    fetch(None)
    assert fetch.path.read_bytes() == CONTENT
    assert server.requests[1][1]['If-Range'] == f'"{SHA1}"' and ranges(server)[1] == f'bytes={HALF}-'


@pytest.mark.parametrize('validators', [[], [('ETag', 'W/"weak"')]])
def test_without_checksum_and_word_of_the_server_all_is_fetched_again(fetch, server, validators):
    server.validators, server.break_after = validators, [HALF]
    fetch(None)
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [None, None]


def test_without_checksum_a_file_that_changed_on_the_server(fetch, server, monkeypatch):
    server.break_after = [HALF]
    newer = CONTENT[::-1]
    monkeypatch.setattr(module.time, 'sleep', lambda seconds: server.files.update({'/file.bin': newer}))
    fetch(None)
    assert fetch.path.read_bytes() == newer


def test_without_checksum_nothing_is_left_for_the_next_call(fetch, server, tmp_path):
    server.break_after = [HALF, 0, 0, 0, 0]
    with pytest.raises(DownloadError):
        fetch(None)
    assert left(tmp_path) == []


def test_without_checksum_what_an_earlier_call_left_is_not_used(fetch, server):
    fetch.path.parent.mkdir()
    fetch.part.write_bytes(b'of another file')
    fetch(None)
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [None]


def test_a_connection_that_ends_early_without_an_error(fetch, server, monkeypatch):
    """As urllib3 1 leaves it."""
    def get(*args, **kwargs):
        response = requests.get(*args, **kwargs)
        response.raw.enforce_content_length = False
        return response

    monkeypatch.setattr(module, 'requests', SimpleNamespace(get=get, RequestException=requests.RequestException))
    server.break_after = [HALF] * 2
    fetch(attempts=4)
    assert fetch.path.read_bytes() == CONTENT and ranges(server) == [None, f'bytes={HALF}-', f'bytes={2 * HALF}-']
    fetch.path.unlink()
    server.break_after = [HALF, 0]
    with pytest.raises(DownloadError, match=f'the connection ended after {HALF} of {len(CONTENT)} bytes'):
        fetch(attempts=2)


def test_a_silent_server(fetch, server):
    server.silent = threading.Event()
    try:
        with pytest.raises(DownloadError, match='timed out'):
            fetch(timeout=.2, attempts=1)
    finally:
        server.silent.set()


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    with serve() as gone:
        pass
    with pytest.raises(DownloadError, match='the connection failed: .*refused'):
        download(gone.url + '/file.bin', tmp_path / 'file.bin', attempts=1, progress=False)
    assert left(tmp_path) == []


@pytest.mark.parametrize('url', ['file.bin', 'file:///etc/hostname', 'http://'])
def test_an_address_that_is_none(tmp_path, url):
    with pytest.raises(DownloadError):
        download(url, tmp_path / 'file.bin', attempts=1, progress=False)
    assert left(tmp_path) == []


@pytest.mark.parametrize('says', [True, False], ids=['it says so', 'it does not say so'])
def test_a_file_that_is_larger_than_any_that_is_wanted(fetch, monkeypatch, says):
    if not says:   # so that only the bytes tell
        def get(*args, **kwargs):
            response = requests.get(*args, **kwargs)
            del response.headers['Content-Length']
            return response

        monkeypatch.setattr(module, 'requests', SimpleNamespace(get=get, RequestException=requests.RequestException))
    with pytest.raises(DownloadError, match=f'file.bin: more than {len(CONTENT) - 1} bytes'):
        fetch(max_bytes=len(CONTENT) - 1)
    assert left(fetch.path.parent) == []
    fetch(max_bytes=len(CONTENT))


@pytest.mark.parametrize('sha1', [SHA1, None])
def test_a_disk_that_is_full(fetch, full_disk, sha1):
    """What is there is of use later, if it can be checked then."""
    with full_disk(500_000), pytest.raises(OSError, match=f"too large: '{fetch.path}'") as caught:
        fetch(sha1)
    assert not isinstance(caught.value, DownloadError)
    assert left(fetch.path.parent) == (['file.bin.part'] if sha1 else [])
    fetch(sha1)
    assert fetch.path.read_bytes() == CONTENT


def test_two_at_once(fetch):
    fetch.path.parent.mkdir()
    with open(fetch.part, 'ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match='another process is downloading it'):
            fetch()
    fetch()


# -- several addresses -----------------------------------------------------------------------------------------------

def test_the_first_address_that_has_it(server, tmp_path):
    urls = [f'{server.url}/{name}' for name in ('gone.bin', 'file.bin', 'never.bin')]
    assert download_first(urls, tmp_path / 'file', SHA1) == tmp_path / 'file'
    assert (tmp_path / 'file').read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ['/gone.bin', '/file.bin']


def test_no_address_has_it(server, tmp_path):
    with pytest.raises(DownloadError) as error:
        download_first([f'{server.url}/{name}' for name in 'ab'], tmp_path / 'file', SHA1)
    assert [line.split(': ')[0] for line in str(error.value).split('\n')] == [f'{server.url}/a', f'{server.url}/b']
    assert left(tmp_path) == []


def test_an_address_that_has_another_file(server, tmp_path):
    """No other address is asked: somebody offers what is not the file."""
    server.files['/other.bin'] = b'?'
    with pytest.raises(ChecksumError, match='/other.bin: its MD5 must be'):
        download_first([f'{server.url}/{name}.bin' for name in ('other', 'file')], tmp_path / 'file',
                       md5=hashlib.md5(CONTENT).hexdigest())
    assert [path for path, _ in server.requests] == ['/other.bin'] and left(tmp_path) == []
