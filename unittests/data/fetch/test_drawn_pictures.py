"""Drawn pictures as files: which, where, and under which names."""
import numpy as np

from gluonzoo.data.fetch.drawn_pictures import write_drawn
from gluonzoo.pictures.decode import read_image


def test_parts(tmp_path):
    def draw(name, number):
        return np.full((4, 5, 3), number + 100 * (name == 'b'), 'uint8')

    assert write_drawn(tmp_path / 'drawn', (('a', 0, 2), ('b', 7, 1)), 'pictures', draw) == tmp_path / 'drawn'
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.png'))
    assert files == ['drawn/a/00000.png', 'drawn/a/00001.png', 'drawn/b/00000.png']
    assert [read_image(tmp_path / file)[0, 0, 0] for file in files] == [0, 1, 107]
