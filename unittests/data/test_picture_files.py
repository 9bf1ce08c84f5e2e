"""gluonzoo/data/picture_files.py: what is found, and from what part of a file a size is known."""
import numpy as np
import pytest
from PIL import Image

from gluonzoo.data import picture_files
from gluonzoo.data.dataset import CARD
from gluonzoo.data.picture_files import pictures_below, size_said, sizes_of, tell_others


def save(path, width=5, height=3, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path, **options)
    return path


@pytest.mark.filterwarnings('error')
def test_pictures_below(tmp_path):
    first, second = save(tmp_path / 'x' / 'b.png'), save(tmp_path / 'x' / 'a' / 'c.JPG')
    (tmp_path / 'x' / CARD).write_text('{}')   # which is no news
    assert pictures_below(tmp_path / 'x') == [second, first]
    (tmp_path / 'x' / 'notes.txt').write_text('x')
    with pytest.warns(RuntimeWarning, match=r'x: 1 files are left out, being none of \.jpg, .*: \.txt 1'):
        pictures_below(tmp_path / 'x')
    with pytest.raises(FileNotFoundError, match='y: no such folder'):
        pictures_below(tmp_path / 'y')


def test_sizes(tmp_path, monkeypatch):
    files = [save(tmp_path / f'{width}.jpg', width, 20, exif=bytes(30)) for width in (7, 9)]
    (tmp_path / 'bad.png').write_bytes(b'x')
    (tmp_path / 'gone.png').symlink_to('nothing')
    files += [tmp_path / 'bad.png', tmp_path / 'gone.png']
    wanted = [(7, 20), (9, 20), None, None]
    assert sizes_of(files) == wanted
    monkeypatch.setattr(picture_files, 'HEAD', 10)   # too little: the rest is read, too
    assert sizes_of(files) == wanted


def test_size_said(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'xyz')
    assert (size_said(tmp_path / 'a.png'), size_said(tmp_path / 'b.png')) == (b'3', b'gone')


def test_tell_others(tmp_path, recwarn):
    save(tmp_path / 'train' / 'A' / 'x.png')
    tell_others(tmp_path / 'train', [tmp_path / 'train' / 'A'], 'things')
    tell_others(tmp_path / 'nowhere', [], 'things')
    assert not recwarn
    save(tmp_path / 'train' / 'B' / 'y.png')
    with pytest.warns(RuntimeWarning, match='train: things are read from .*A; 1 pictures beside these are left out, '
                                            'such as .*y.png'):
        tell_others(tmp_path / 'train', [tmp_path / 'train' / 'A'], 'things')
