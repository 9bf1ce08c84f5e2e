"""Unpacks archives, all or nothing. They are hostile until they have been read: space and memory are bounded."""
import bz2
import errno
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ...reading import open_ordinary, quoted
from ..staging import staging

__all__ = ['extract_archive', 'ArchiveError']

_CHUNK = 1 << 18
_BLOCK = 4096           # bytes that even an empty file takes on a disk
_HEADERS = 1 << 15      # bytes that all headers of a member of a tar archive may have: long names, extended headers
_DIRECTORY = 1 << 25    # bytes that the directory of a zip archive may have; that of 118,287 pictures has 11 MB
_NAME = 1024            # characters of a name
_DEPTH = 64             # folders within folders
_OF_NAMES = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EILSEQ, errno.EINVAL)
_DECOMPRESSORS = {b'\x1f\x8b': gzip.open, b'BZh': bz2.open, b'\xfd7zXZ\0': lzma.open}

# What the readers of archives raise at a broken one.
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, MemoryError,
           OverflowError, OSError, ValueError)


class ArchiveError(ValueError):
    """An archive is broken, or holds what must not be unpacked."""


def extract_archive(path, out, *, max_bytes=64 << 30):
    """Unpacks a tar archive (plain, gzip, bzip2 or xz) or a zip archive (stored or deflated) into a folder.

    Only the contents of files and folders are unpacked, no owners, rights or times. If the folder exists already, the
    files are moved into it when all are unpacked, and replace files of the same names. If one cannot be moved, what has
    been moved is put back. The memory that is used depends neither on what the archive says of itself nor on how well
    it is compressed.

    Parameters
    ----------
    path : str or Path
        The archive; what it is tells its content, not its name.
    out : str or Path
        The folder.
    max_bytes : int
        How much space the files and folders may take together, an empty one as much as 4096 bytes.

    Returns
    -------
    list of Path
        the unpacked files, sorted

    Raises
    ------
    ArchiveError
        if it is no such archive, is broken or encrypted, is larger than `max_bytes`, has headers that are larger than
        any need, or if a name in it is absolute or has '..' in it, or if it holds a link, a device or a sparse file.
        Nothing is unpacked then.
    OSError
        if the archive cannot be read, or files cannot be written: nothing is unpacked either.
    """
    path, out = Path(path), Path(out)
    with open_ordinary(path) as raw, staging(out) as beside:
        unpacked = beside / 'unpacked'
        unpacked.mkdir()
        try:
            names = _unpack(raw, unpacked, max_bytes)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno not in (None, *_OF_NAMES):   # a full disk is no fault of it
                raise
            raise ArchiveError(f'{path}: {str(error) or type(error).__name__}') from error
        if out.exists():
            _move(unpacked, out, names, beside / 'former')
        else:
            os.rename(unpacked, out)
    return sorted(out / relative for relative in names)


def _unpack(raw, folder, max_bytes):
    """Unpacks into an empty folder. Returns the names of the files: a set of PurePosixPath."""
    names, folders, left = set(), {PurePosixPath()}, max_bytes
    for name, size, content in _members(raw, max_bytes):
        relative = _safe(name)
        new = {*relative.parents, *([relative] if content is None else [])} - folders
        folders |= new
        left -= _BLOCK * len(new) + max(size, _BLOCK)
        if left < 0:
            raise ArchiveError(f'{quoted(name)}: with it the files take more than {max_bytes} bytes')
        target = folder / relative
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, open(target, 'wb') as file:
            shutil.copyfileobj(content, file, _CHUNK)
        names.add(relative)
    return names


def _safe(name):
    relative = PurePosixPath(name)
    if relative.is_absolute() or '..' in relative.parts or '\\' in name or '\0' in name:
        raise ArchiveError(f'{quoted(name)}: a name must lead into the folder that it is unpacked to')
    if len(name) > _NAME:
        raise ArchiveError(f'{quoted(name)}: too long: {len(name)} characters')
    if len(relative.parts) > _DEPTH:
        raise ArchiveError(f'{quoted(name)}: more than {_DEPTH} folders within each other')
    return relative


def _move(unpacked, out, names, former):
    """Moves files into a folder that exists, all or none. `former`: a folder for what they replace, until all is well.
    """
    made = []
    try:
        for relative in sorted(names):
            target, kept = out / relative, former / relative
            for folder in reversed(relative.parents):
                if not (out / folder).is_dir():
                    (out / folder).mkdir()
                    made.append(out / folder)
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, 'is a folder, where the archive has a file', str(target))
            if os.path.lexists(target):
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(target, kept)
            os.replace(unpacked / relative, target)
    except BaseException:   # where the files are says what is to be undone, also after an interruption
        for relative in names:
            if os.path.lexists(former / relative):
                os.replace(former / relative, out / relative)
            elif not os.path.lexists(unpacked / relative):
                (out / relative).unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
        raise


# -- what is in an archive -------------------------------------------------------------------------------------------

class _Bounded:
    """A file that gives no more than it may: nothing after byte `end`, and no more than `may_read` bytes in all.

    Readers of archives ask for as many bytes as an archive says that a header of it has.
    """

    def __init__(self, file, end=float('inf')):
        self._file, self._end, self.may_read = file, end, 0
        self.tell, self.seekable = file.tell, file.seekable

    def read(self, size=-1):
        if not 0 <= size <= self.may_read:
            size = None if self.may_read == float('inf') else self.may_read + 1
        data = self._file.read(size)
        self.may_read -= len(data)
        if self.may_read < 0:
            raise ArchiveError('has headers that are larger than any need')
        self._check(self.tell())
        return data

    def seek(self, offset, whence=os.SEEK_SET):
        if whence == os.SEEK_SET:
            self._check(offset)
        return self._file.seek(offset, whence)

    def _check(self, position):
        if not 0 <= position <= self._end:
            raise ArchiveError('goes on after what its files may take' if position > 0 else 'damaged')


def _members(raw, max_bytes):
    """(name, size, open file or None for a folder) of each member."""
    begin = raw.read(8)
    raw.seek(0)
    decompress = next((open_ for magic, open_ in _DECOMPRESSORS.items() if begin.startswith(magic)), None)
    stream = _Bounded(decompress(raw) if decompress else raw, 2 * max_bytes + (1 << 20))
    stream.may_read = _HEADERS
    try:   # first: a tar archive may end with a zip archive
        archive = tarfile.open(fileobj=stream, mode='r:')
    except tarfile.ReadError:
        archive = None
    if archive is not None:
        yield from _tar_members(archive, stream)
    elif zipfile.is_zipfile(raw):
        yield from _zip_members(raw, max_bytes)
    else:
        raise ArchiveError('neither a tar nor a zip archive')


def _tar_members(archive, stream):
    at = 0
    while (member := archive.next()) is not None:
        if member.size < 0 or archive.offset <= at:
            raise ArchiveError(f'{quoted(member.name)}: damaged')
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise ArchiveError(f'{quoted(member.name)}: neither a file nor a folder, or a sparse file')
        at = archive.offset
        stream.may_read = float('inf')
        yield member.name, member.size, archive.extractfile(member) if member.isreg() else None
        stream.may_read = _HEADERS
        archive.members.clear()       # or they fill the memory
        archive.pax_headers.clear()
    # tarfile takes a file that is cut off within a header for complete, and does not see the checksum of a stream.
    stream.may_read = float('inf')
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise ArchiveError('cut off, or damaged')
    while stream.read(_CHUNK):
        pass


def _zip_members(raw, max_bytes):
    stream = _Bounded(raw)
    # All entries of the directory are read at once. Each takes a block of what is allowed, so there are not too many.
    stream.may_read = min(_DIRECTORY, (1 << 17) + max_bytes // _BLOCK * 1024)
    with zipfile.ZipFile(stream) as archive:
        stream.may_read = float('inf')
        for member in archive.infolist():
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveError(f'{quoted(member.filename)}: neither a file nor a folder')
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):   # zipfile bounds no others
                raise ArchiveError(f'{quoted(member.filename)}: must be stored or deflated, not compressed by method '
                                   f'{member.compress_type}')
            yield member.filename, member.file_size, None if member.is_dir() else archive.open(member)
