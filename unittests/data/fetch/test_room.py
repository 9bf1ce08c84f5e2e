"""gluonzoo/data/fetch/room.py: what still has to come onto the disk, by hand."""
from collections import namedtuple

import pytest

from gluonzoo.data.fetch import room

File, Usage = namedtuple('File', 'bytes unpacked'), namedtuple('Usage', 'total used free')


@pytest.mark.parametrize('there, needed', [({}, 1300), ({'a.tgz.part': 400}, 900), ({'a.tgz': 1000}, 300),
                                           ({'other.tgz': 1000}, 1300)])
def test_by_hand(there, needed, tmp_path, monkeypatch):
    for name, size in there.items():
        (tmp_path / name).write_bytes(bytes(size))
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda path: Usage(9, 9, free))
    free = needed
    room.check_room(tmp_path, File(1000, 300), tmp_path / 'a.tgz')
    free = needed - 1
    with pytest.raises(room.DatasetError, match='a.tgz takes .* GB on the way, and 0.0 GB are free on the disk'):
        room.check_room(tmp_path, File(1000, 300), tmp_path / 'a.tgz')
