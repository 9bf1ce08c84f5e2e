"""gluonzoo/data/fetch/archives.py: archives that do what they must not, and what is done when files cannot be moved."""
import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from gluonzoo.data.fetch.archives import ArchiveError, extract_archive

CONTENT = np.random.RandomState(0).bytes(700_001)   # more than one chunk
FILES = {'a.txt': b'alpha', 'b/c.bin': CONTENT[:1000], 'b/d/empty': b''}


def tar(path, members, compress=bytes):
    """A tar archive of {name: content, or a TarInfo}."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as archive:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            if isinstance(content, bytes):
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    path.write_bytes(compress(raw.getvalue()))
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def special(kind, target=''):
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize('make', [tar, zipped, lambda path, files: tar(path, files, gzip.compress),
                                  lambda path, files: tar(path, files, bz2.compress),
                                  lambda path, files: tar(path, files, lzma.compress)])
def test_what_is_packed_is_unpacked(tmp_path, make):
    archive = make(tmp_path / 'archive', FILES)   # its name says nothing of its format
    out = tmp_path / 'new' / 'out'
    assert extract_archive(archive, out) == sorted(out / name for name in FILES)
    assert content(out) == FILES and os.listdir(tmp_path / 'new') == ['out']


def test_into_a_folder_that_exists(tmp_path):
    out = tmp_path / 'out'
    (out / 'b').mkdir(parents=True)
    (out / 'a.txt').write_bytes(b'old')
    (out / 'b' / 'mine').write_bytes(b'mine')
    extract_archive(zipped(tmp_path / 'archive.zip', FILES), out)
    assert content(out) == {**FILES, 'b/mine': b'mine'}


CLASHES = {   # what is in the folder, and why nothing can be moved there
    'a folder in the place of a file': (lambda out: (out / 'b' / 'c.bin').mkdir(parents=True), IsADirectoryError),
    'a file in the place of a folder': (lambda out: (out / 'b').write_bytes(b'mine'), OSError),
    'a link to a folder': (lambda out: (out / 'b').mkdir() or (out / 'b' / 'c.bin').symlink_to(out), IsADirectoryError),
}


@pytest.mark.parametrize('clash', CLASHES)
def test_all_is_moved_or_nothing(tmp_path, clash):
    make, error = CLASHES[clash]
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'a.txt').write_bytes(b'old')
    make(out)
    before = content(out), sorted(out.rglob('*'))
    with pytest.raises(error, match=str(out / 'b')):
        extract_archive(zipped(tmp_path / 'archive.zip', {**FILES, 'b/a/new': b'', '0/1/2': b''}), out)
    assert (content(out), sorted(out.rglob('*'))) == before
    assert sorted(os.listdir(tmp_path)) == ['archive.zip', 'out']


@pytest.mark.parametrize('error', [PermissionError, KeyboardInterrupt])
def test_what_has_been_moved_is_put_back_when_moving_fails(tmp_path, monkeypatch, error):
    """Whenever it is; an interruption comes after a move."""
    out, archive, replace = tmp_path / 'out', zipped(tmp_path / 'archive.zip', FILES), os.replace
    (out / 'b').mkdir(parents=True)
    for name in ('a.txt', 'b/c.bin'):
        (out / name).write_bytes(b'old')
    before = sorted(out.rglob('*'))
    left = [0]   # moves until one fails

    def fail(source, target):
        left[0] -= 1
        if left[0] or error is KeyboardInterrupt:
            replace(source, target)
        if not left[0]:
            raise error(13, 'Permission denied', str(target))

    monkeypatch.setattr(os, 'replace', fail)
    for count in range(1, 6):   # each of two is moved away and replaced, and one is new
        left[0] = count
        with pytest.raises(error):
            extract_archive(archive, out)
        assert content(out) == {'a.txt': b'old', 'b/c.bin': b'old'} and sorted(out.rglob('*')) == before
    monkeypatch.undo()
    extract_archive(archive, out)
    assert content(out) == FILES


def test_folders_and_dots(tmp_path):
    folder = special(tarfile.DIRTYPE)
    extract_archive(tar(tmp_path / 'archive.tar', {'.': special(tarfile.DIRTYPE), './x': folder, './x/y': b'1'}),
                    tmp_path / 'out')
    assert content(tmp_path / 'out') == {'x/y': b'1'}


def test_rights_are_not_taken_over(tmp_path):
    info = tarfile.TarInfo()
    info.mode = 0o7777
    extract_archive(tar(tmp_path / 'archive.tar', {'program': info}), tmp_path / 'out')
    assert not stat.S_IMODE((tmp_path / 'out' / 'program').stat().st_mode) & 0o7111


def test_a_tar_archive_that_ends_with_a_zip_archive(tmp_path):
    inner = zipped(tmp_path / 'inner.zip', {'trap': b''}).read_bytes()
    extract_archive(tar(tmp_path / 'archive.tar', {'inner.zip': inner}), tmp_path / 'out')
    assert content(tmp_path / 'out') == {'inner.zip': inner}


def zip_link(path):
    info = zipfile.ZipInfo('link')
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped(path, {**FILES, info: b'/etc/passwd'})


def zip_encrypted(path):
    data = bytearray(zipped(path, FILES).read_bytes())
    data[6] |= 1                                   # the flags of the first member, here
    data[data.index(b'PK\1\2') + 8] |= 1           # and in the directory
    path.write_bytes(data)
    return path


def damaged(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0xff
    path.write_bytes(data)
    return path


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])
    return path


HOSTILE = {
    'absolute': (lambda path: tar(path, {**FILES, '/tmp/evil': b''}), 'must lead into'),
    'parent': (lambda path: tar(path, {**FILES, '../evil': b''}), 'must lead into'),
    'parent within': (lambda path: tar(path, {**FILES, 'b/../../evil': b''}), 'must lead into'),
    'parent in zip': (lambda path: zipped(path, {**FILES, '../evil': b''}), 'must lead into'),
    'absolute in zip': (lambda path: zipped(path, {**FILES, '/tmp/evil': b''}), 'must lead into'),
    'backslashes': (lambda path: zipped(path, {**FILES, '..\\evil': b''}), 'must lead into'),
    'symbolic link': (lambda path: tar(path, {**FILES, 'l': special(tarfile.SYMTYPE, '/etc')}), 'neither a file'),
    'hard link': (lambda path: tar(path, {**FILES, 'l': special(tarfile.LNKTYPE, 'a.txt')}), 'neither a file'),
    'device': (lambda path: tar(path, {**FILES, 'd': special(tarfile.CHRTYPE)}), 'neither a file'),
    'pipe': (lambda path: tar(path, {**FILES, 'p': special(tarfile.FIFOTYPE)}), 'neither a file'),
    'link in zip': (zip_link, 'neither a file'),
    'encrypted': (zip_encrypted, 'encrypted'),
    'file below a file': (lambda path: tar(path, {'a': b'', 'a/b': b''}), None),
    'cut tar': (lambda path: cut(tar(path, FILES), 1500), None),
    'cut gzip': (lambda path: cut(tar(path, FILES, gzip.compress), 600), None),
    'cut xz': (lambda path: cut(tar(path, FILES, lzma.compress), 600), None),
    'cut bzip2': (lambda path: cut(tar(path, FILES, bz2.compress), 600), None),
    'cut zip': (lambda path: cut(zipped(path, FILES), 600), 'neither a tar nor a zip archive'),
    'damaged zip': (lambda path: damaged(zipped(path, {'noise': CONTENT}), 5000), None),
    'damaged gzip': (lambda path: damaged(tar(path, {'noise': CONTENT}, gzip.compress), -6), None),   # its checksum
    'no archive': (lambda path: cut(tar(path, FILES), 0), 'neither a tar nor a zip archive'),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_nothing_of_a_hostile_or_broken_archive_is_unpacked(tmp_path, name):
    make, message = HOSTILE[name]
    archive = make(tmp_path / 'archive')
    with pytest.raises(ArchiveError, match=message) as caught:
        extract_archive(archive, tmp_path / 'deep' / 'out')
    assert str(caught.value).startswith(str(archive))
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['archive', 'deep']


@pytest.mark.parametrize('make', [tar, zipped])
def test_no_more_is_unpacked_than_allowed(tmp_path, make):
    archive = make(tmp_path / 'archive', {'zeros': bytes(100_000), 'empty': b''})
    with pytest.raises(ArchiveError, match='more than 104000 bytes'):
        extract_archive(archive, tmp_path / 'out', max_bytes=104_000)   # an empty file counts, too
    assert os.listdir(tmp_path) == ['archive']
    extract_archive(archive, tmp_path / 'out', max_bytes=104_096)
    assert len(content(tmp_path / 'out')) == 2


def test_an_archive_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='archive'):
        extract_archive(tmp_path / 'archive', tmp_path / 'out')


# -- small archives that take much memory or space -------------------------------------------------------------------

MB = 1 << 20


def raw_header(kind, size, name='name', **more):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def packed(path, *blocks):
    """A compressed archive of these blocks, as they are."""
    with gzip.open(path, 'wb', 1) as file:
        for block in blocks:
            file.write(block)
    return path


def zeros(count):
    return (bytes(MB) for _ in range(count))


def sparse(path):
    """The map of a sparse file goes on for ever."""
    block = bytearray(raw_header(tarfile.GNUTYPE_SPARSE, 0))
    block[482] = 1   # it goes on
    block[148:156] = b'%06o\0 ' % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    on = (b'%011o ' % 5120 * 2) * 21 + b'\1' + bytes(7)
    return packed(path, bytes(block), *[on * (MB // 512)] * 64)


def sparse_in_extended_header(path):
    """A sparse file of a terabyte without a byte in it."""
    records = b''.join(b'%d %s\n' % (len(line) + 4, line) for line in (
        b'GNU.sparse.major=0', b'GNU.sparse.minor=1', b'GNU.sparse.size=9', b'GNU.sparse.map=0,0'))
    return packed(path, raw_header(tarfile.XHDTYPE, len(records)), records.ljust(512, b'\0'),
                  raw_header(tarfile.REGTYPE, 0), bytes(1024))


def global_headers(path):
    """An extended header for all that follows, of 30 KB, before each of many files."""
    def blocks():
        for number in range(900):
            line = b'30000 k%d=%s\n' % (number, b'x' * 30000)
            line = line[:29999] + b'\n'
            yield raw_header(tarfile.XGLTYPE, len(line)) + line.ljust(-(-len(line) // 512) * 512, b'\0')
            yield raw_header(tarfile.REGTYPE, 0, f'{number}')
        yield bytes(1024)
    return packed(path, *blocks())


def zip_of_another_method(path):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_BZIP2) as archive:
        archive.writestr('zeros', bytes(64 * MB))
    return path


def zip_of_many(path):
    with zipfile.ZipFile(path, 'w') as archive:
        for number in range(40_000):
            archive.writestr(f'{number:05}', b'')
    return path


BOMBS = {   # name -> what makes one, what is said, the least that it would take
    'long name': (lambda path: packed(path, raw_header(tarfile.GNUTYPE_LONGNAME, 64 * MB), *zeros(64)), 'headers'),
    'long link': (lambda path: packed(path, raw_header(tarfile.GNUTYPE_LONGLINK, 64 * MB), *zeros(64)), 'headers'),
    'extended header': (lambda path: packed(path, raw_header(tarfile.XHDTYPE, 64 * MB), *zeros(64)), 'headers'),
    'global header': (lambda path: packed(path, raw_header(tarfile.XGLTYPE, 64 * MB), *zeros(64)), 'headers'),
    'long name that is not there': (lambda path: packed(path, raw_header(tarfile.GNUTYPE_LONGNAME, 1 << 33)), None),
    'extended headers of extended headers': (
        lambda path: packed(path, *[raw_header(tarfile.XHDTYPE, 0)] * 2000), 'headers'),
    'many global headers': (global_headers, 'take more than|goes on after'),
    'sparse': (sparse, 'headers'),
    'sparse in an extended header': (sparse_in_extended_header, 'sparse file'),
    'a large file': (lambda path: packed(path, raw_header(tarfile.REGTYPE, 64 * MB), *zeros(64)), 'take more than'),
    'a size below zero': (lambda path: packed(path, raw_header(tarfile.REGTYPE, -512), bytes(2048)), 'damaged'),
    'a name of a size below zero': (
        lambda path: packed(path, raw_header(tarfile.GNUTYPE_LONGNAME, -512), *zeros(64)), 'headers'),
    'zeros after the end': (lambda path: packed(path, raw_header(tarfile.REGTYPE, 0), *zeros(64)), 'goes on after'),
    'folders in folders': (lambda path: tar(path, {'a/' * 90 + 'b': b''}), 'more than 64 folders'),
    'many folders': (lambda path: tar(path, {f'{k}/' + 'a/' * 60 + 'b': b'' for k in range(20)}), 'take more than'),
    'another method': (zip_of_another_method, 'must be stored or deflated, not compressed by method 12'),
    'many files': (zip_of_many, 'headers'),
    'zip': (lambda path: zipped(path, {'zeros': bytes(64 * MB)}), 'take more than'),
    'a very long name': (lambda path: tar(path, {'n' * 20_000: b''}), 'too long: 20000 characters'),
}


@pytest.mark.parametrize('name', BOMBS)
def test_memory_is_bounded(tmp_path, name):
    make, said = BOMBS[name]
    archive = make(tmp_path / 'archive')
    assert archive.stat().st_size < 5 * MB
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=said and f'(?i){said}') as caught:
            extract_archive(archive, tmp_path / 'out', max_bytes=4 * MB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MB and os.listdir(tmp_path) == ['archive']
    assert len(str(caught.value)) < 400


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path, full_disk):
    archive = zipped(tmp_path / 'archive.zip', {'zeros': bytes(MB)})
    with full_disk(100_000), pytest.raises(OSError, match=f'too large.*{tmp_path / "out"}'):
        extract_archive(archive, tmp_path / 'out')
    assert os.listdir(tmp_path) == ['archive.zip']


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    for name, error in (('pipe', ValueError), ('.', ValueError), ('none', FileNotFoundError)):
        with pytest.raises(error):
            extract_archive(tmp_path / name, tmp_path / 'out')
