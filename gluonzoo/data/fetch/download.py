"""Fetches files; the only downloader of this package.

Under its name there is either the whole result or nothing; unfinished files lie beside it. Everything from outside is
treated as hostile until it has been checked.
"""
import fcntl
import hashlib
import os
import time
from pathlib import Path

import requests
import urllib3
from tqdm import tqdm

from ...files import naming

__all__ = ['download', 'download_first', 'md5_of', 'sha1_of', 'sha256_of', 'DownloadError', 'ChecksumError']

_CHUNK = 1 << 18
_WAIT = 1.   # seconds before another attempt; twice as long before the one after it


class DownloadError(OSError):
    """A file could not be fetched."""


class ChecksumError(DownloadError):
    """A file was fetched and is not what it should be."""


class _Interrupted(Exception):
    """Another attempt may go better."""


def sha1_of(path):
    """The SHA-1 of a file, 40 hexadecimal digits."""
    return _digest_of(path, hashlib.sha1())


def md5_of(path):
    """The MD5 of a file, 32 hexadecimal digits: what some who offer files tell of them."""
    return _digest_of(path, hashlib.md5())


def sha256_of(path):
    """The SHA-256 of a file, 64 hexadecimal digits."""
    return _digest_of(path, hashlib.sha256())


def _digest_of(path, digest):
    with open(path, 'rb') as file:
        for chunk in iter(lambda: file.read(_CHUNK), b''):
            digest.update(chunk)
    return digest.hexdigest()


# -- downloading -----------------------------------------------------------------------------------------------------

def download(url, path, sha1=None, *, md5=None, sha256=None, max_bytes=64 << 30, timeout=30, attempts=4,
             progress=True):
    """Fetches `url` to `path`, unless it is there already.

    After a lost connection, the download goes on where it was. With a checksum, the next call goes on too, from the
    file ``path.part`` of this call; the checksum tells whether the parts belong together. Without a checksum, an
    existing file is taken for the right one.

    Parameters
    ----------
    url : str
        http or https.
    path : str or Path
        The file; its folder is made. A file with another checksum is replaced, once the right one is there.
    sha1, md5, sha256 : str, optional
        What its SHA-1, or else its MD5, or else its SHA-256, must be.
    max_bytes : int
        How large the file may be. A server that sends more does not fill the disk.
    timeout : float
        Seconds that the other side may be silent.
    attempts : int
        How many connections in a row may bring nothing.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Path
        `path`

    Raises
    ------
    DownloadError
        if it cannot be fetched, or is larger than `max_bytes`.
    ChecksumError
        if its checksum is another one; nothing of it is kept.
    OSError
        if it cannot be written. With a checksum, the next call goes on from what is there.
    """
    path = Path(path)
    checksums = ('SHA-1', sha1, sha1_of), ('MD5', md5, md5_of), ('SHA-256', sha256, sha256_of)
    name, wanted, checksum_of = next((one for one in checksums if one[1] is not None), checksums[0])
    if path.exists() and (wanted is None or checksum_of(path) == wanted):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + '.part')
    with naming(path), open(part, 'ab') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(f'{path}: another process is downloading it') from None
        try:
            if wanted is None:
                file.truncate(0)
            transfer = _Transfer(url, file, timeout, max_bytes, checked=wanted is not None)
            resumed = transfer.have > 0
            transfer.finish(attempts, progress)
            found = checksum_of(part)
            if resumed and found != wanted:   # perhaps only what was there is wrong
                transfer.restart()
                transfer.finish(attempts, progress)
                found = checksum_of(part)
            if wanted not in (None, found):
                transfer.restart()
                raise ChecksumError(f'{url}: its {name} must be {wanted}: {found}')
            os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            # What still has this name is incomplete, and of use only to a next call that can check the whole.
            if part.exists() and (wanted is None or part.stat().st_size == 0):
                part.unlink()
    return path


def download_first(urls, path, sha1=None, **more):
    """As :func:`download`, from the first of some addresses of the same file that has it.

    A file with another checksum is an error at once: who offers it offers another file.
    """
    failures = []
    for url in urls:
        try:
            return download(url, path, sha1, attempts=3, **more)
        except ChecksumError:
            raise
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError('\n'.join(failures))


class _Transfer:
    """Appends what is missing of `url` to an open file, over as many connections as it takes."""

    def __init__(self, url, file, timeout, max_bytes, checked):
        self.url, self.file, self.timeout, self.max_bytes = url, file, timeout, max_bytes
        self.checked = checked   # whether the whole will be checked; if not, only the server can say what fits together
        self.validator = None    # the server's name for this version of the file
        self.have = file.seek(0, os.SEEK_END)

    def restart(self):
        self.file.truncate(0)
        self.have = 0

    def finish(self, attempts, progress):
        """Connects until the file is complete; DownloadError after so many `attempts` in a row without a byte."""
        failures = 0
        with tqdm(desc=self.url.rsplit('/', 1)[-1], unit='B', unit_scale=True, disable=not progress) as bar:
            while True:
                before = self.have
                try:
                    self._connect(bar)
                    return
                except _Interrupted as error:
                    failures = 1 if self.have > before else failures + 1
                    if failures >= attempts:
                        raise DownloadError(f'{self.url}: {error}') from error
                    time.sleep(_WAIT * 2 ** (failures - 1))

    def _connect(self, bar):
        if not self.checked and not self.validator:
            self.restart()
        headers = {'Accept-Encoding': 'identity'}   # offsets are those of the file, not of a compressed stream
        if self.have:
            headers['Range'] = f'bytes={self.have}-'
            if not self.checked:
                headers['If-Range'] = self.validator
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=self.timeout) as response:
                if response.status_code == 416 and response.headers.get('Content-Range') == f'bytes */{self.have}':
                    return   # all of it was there
                self._check(response)
                length = response.headers.get('Content-Length', '')
                total = self.have + int(length) if length.isdigit() else None
                bar.reset(total)
                bar.update(self.have)
                self._require_room(total or 0)
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    self._require_room(self.have + len(chunk))
                    self.file.write(chunk)
                    self.have += len(chunk)
                    bar.update(len(chunk))
                if total not in (None, self.have):
                    raise _Interrupted(f'the connection ended after {self.have} of {total} bytes')
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if isinstance(error, ValueError):   # a faulty URL stays faulty
                raise DownloadError(f'{self.url}: {error}') from error
            cause = error
            while cause.__cause__ or cause.__context__:
                cause = cause.__cause__ or cause.__context__
            raise _Interrupted(f'the connection failed: {cause or type(cause).__name__}') from error
        finally:
            self.file.flush()

    def _require_room(self, size):
        if size > self.max_bytes:
            self.restart()   # it is not what is wanted
            raise DownloadError(f'{self.url}: more than {self.max_bytes} bytes')

    def _check(self, response):
        """Goes on only if the body of the response continues the file, which may mean to begin it anew."""
        status, headers = response.status_code, response.headers
        said = f'HTTP status {status} {response.reason}'
        if status >= 500 or status in (408, 429):
            raise _Interrupted(said)
        if self.have and (status == 416 or status == 206 and not headers.get('Content-Range', '').startswith(
                f'bytes {self.have}-')):
            self.restart()
            raise _Interrupted(f'{said} when asked for what is missing')
        if status == 200:
            self.restart()
        elif status != 206 or not self.have:
            raise DownloadError(f'{self.url}: {said}')
        etag = headers.get('ETag', '')
        self.validator = headers.get('Last-Modified') if etag.startswith('W/') or not etag else etag
