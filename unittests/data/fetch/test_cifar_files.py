"""gluonzoo.data.fetch.cifar_files: the bytes."""
import numpy as np
import pytest

from gluonzoo.data.fetch.cifar_files import FILES, TRAIN, VAL, write_cifar


def numbered(count):
    """Pictures whose pixels say where they are: red the column, green the row, blue the number of the picture."""
    for number in range(count):
        rows, columns = np.indices((32, 32), np.uint8)
        yield np.stack((columns, rows, np.full_like(rows, number)), -1), number % 3


def test_the_bytes(tmp_path):
    write_cifar(tmp_path, ['a', 'b', 'c'], numbered(6), 5, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    row = bytes(range(32))
    for number, name in enumerate((*TRAIN, VAL)):
        content = (tmp_path / name).read_bytes()
        assert content == (bytes([number % 3]) + row * 32 + b''.join(bytes([y]) * 32 for y in range(32))
                           + bytes([number]) * 1024)
    assert (tmp_path / 'batches.meta.txt').read_text() == 'a\nb\nc\n'


@pytest.mark.parametrize('train, counts', [(5, [1, 1, 1, 1, 1]), (10, [2, 2, 2, 2, 2]), (13, [3, 3, 3, 2, 2])])
def test_files_to_train_on_are_as_long_as_each_other(tmp_path, train, counts):
    write_cifar(tmp_path, ['a', 'b', 'c'], numbered(train + 4), train, 4)
    assert [(tmp_path / name).stat().st_size / 3073 for name in (*TRAIN, VAL)] == [*counts, 4]
    written = b''.join((tmp_path / name).read_bytes() for name in (*TRAIN, VAL))
    assert [written[3073 * number + 3072] for number in range(train + 4)] == list(range(train + 4))   # in their order
