"""CIFAR's binary form: both kinds, where the files are, and files that are not as they must be."""
import numpy as np
import pytest

from gluonzoo.data import CIFAR, Loader, RecordError


def records(rng, count, classes, label_bytes=1):
    """uint8 [count, label_bytes + 3072]; the last label byte is the fine one."""
    found = rng.integers(0, 256, (count, label_bytes + 3072), dtype='uint8')
    found[:, label_bytes - 1] = np.arange(count) % classes
    if label_bytes == 2:
        found[:, 0] = found[:, 1] // 5
    return found


def write10(folder, counts=(3, 2, 1, 1, 1), classes=10, val=4):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    parts = [records(rng, count, classes) for count in counts]
    for number, part in enumerate(parts, 1):
        part.tofile(folder / f'data_batch_{number}.bin')
    test = records(rng, val, classes)
    test.tofile(folder / 'test_batch.bin')
    (folder / 'batches.meta.txt').write_text('\n'.join(f'class {i}' for i in range(classes)) + '\n\n')
    return np.concatenate(parts), test


def write100(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    parts = {name: records(rng, count, 100, 2) for name, count in (('train', 120), ('test', 7))}
    for name, part in parts.items():
        part.tofile(folder / f'{name}.bin')
    (folder / 'fine_label_names.txt').write_text(''.join(f'fine {i}\n' for i in range(100)))
    (folder / 'coarse_label_names.txt').write_text(''.join(f'coarse {i}\n' for i in range(20)))
    return parts


@pytest.mark.parametrize('inner', ['', 'cifar-10-batches-bin'])
def test_cifar10(tmp_path, inner):
    """Files in order of their numbers; red, green and blue planes; the folder itself or the one around it."""
    train, test = write10(tmp_path / 'data' / inner)
    for split, wanted in (('train', train), ('val', test)):
        data = CIFAR(**CIFAR.in_folder(tmp_path / 'data', split))
        assert len(data) == len(wanted) and data.class_names == [f'class {i}' for i in range(10)]
        for record, row in enumerate(wanted):
            image, label, number = data.sample(record)
            assert (label, number) == (row[0], record) and image.shape == (32, 32, 3) and image.dtype == np.uint8
            assert image[1, 2].tolist() == [row[1 + 34], row[1 + 1024 + 34], row[1 + 2048 + 34]]
    for record in (-1, 4):
        with pytest.raises(IndexError, match=f'record {record} of 4'):
            data.sample(record)


@pytest.mark.parametrize('labels, count', [('fine', 100), ('coarse', 20)])
def test_cifar100(tmp_path, labels, count):
    parts = write100(tmp_path / 'cifar-100-binary')
    for split, name in (('train', 'train'), ('val', 'test')):
        data = CIFAR(tmp_path, split, labels)
        assert len(data) == len(parts[name]) and len(data.class_names) == count
        assert data.class_names[3] == f'{labels} 3'
        for record in (0, 6):
            sample, row = data.sample(record), parts[name][record]
            assert sample.label == row[int(labels == 'fine')]
            assert sample.image[0, 0].tolist() == row[[2, 1026, 2050]].tolist()


def test_batches(tmp_path):
    train, _ = write10(tmp_path / 'x')
    data = CIFAR(tmp_path / 'x', transform={'name': 'cifar_train', 'mean': [0, 0, 0], 'std': [1, 1, 1], 'pad': 0,
                                            'flip': False})
    batch = next(Loader(data, 8, shuffle=False, seed=0, workers=1).epoch(0))
    assert np.array_equal(batch.arrays[0].asnumpy().reshape(8, -1), train[:, 1:])
    assert np.array_equal(batch.arrays[1].asnumpy(), train[:, :1])


def test_fingerprint(tmp_path):
    """The same elsewhere; another if one pixel is."""
    train, _ = write10(tmp_path / 'a')
    write10(tmp_path / 'b')
    prints = [CIFAR(tmp_path / name).fingerprint() for name in 'ab']
    assert prints[0] == prints[1] and prints[0]['count'] == 8
    train[4, 3000] ^= 1
    train[3:5].tofile(tmp_path / 'b' / 'data_batch_2.bin')
    assert CIFAR(tmp_path / 'b').fingerprint() != prints[0]
    assert CIFAR(tmp_path / 'b', 'val').fingerprint() == CIFAR(tmp_path / 'a', 'val').fingerprint()


def change(folder, what):
    if what == 'cut':
        path = folder / 'data_batch_2.bin'
        path.write_bytes(path.read_bytes()[:-1])
    elif what == 'empty':
        (folder / 'data_batch_1.bin').write_bytes(b'')
    elif what == 'label':
        row = np.fromfile(folder / 'data_batch_1.bin', 'uint8')
        row[3073] = row[2 * 3073] = 10
        row.tofile(folder / 'data_batch_1.bin')
    elif what == 'no names':
        (folder / 'batches.meta.txt').unlink()
    elif what == 'blank name':
        (folder / 'batches.meta.txt').write_text('a\n\nb\n')
    elif what == 'gap':
        (folder / 'data_batch_3.bin').rename(folder / 'data_batch_1 (copy).bin')
    elif what == 'no train':
        for path in folder.glob('data_batch_*'):
            path.unlink()
    elif what == 'folder':
        (folder / 'data_batch_1.bin').unlink()
        (folder / 'data_batch_1.bin').mkdir()


@pytest.mark.parametrize('what, kind, message', [
    ('cut', RecordError, r'data_batch_2\.bin: must have records of 3073 bytes each; has 6145 bytes, which is 3072 more '
                         r'than a multiple\. Fetch the file again'),
    ('empty', RecordError, r'data_batch_1\.bin: must have records of 3073 bytes each; has 0 bytes, which is none'),
    ('label', RecordError, r'data_batch_1\.bin: record 1: label 10 is beyond the 10 classes, 0 to 9; so are those of'),
    ('no names', FileNotFoundError, r'batches\.meta\.txt'),
    ('blank name', ValueError, r'batches\.meta\.txt:2: is blank'),
    ('gap', FileNotFoundError, r'data_batch_3\.bin: no such file; to train, CIFAR-10 has data_batch_1\.bin, data'),
    ('no train', FileNotFoundError, r'data_batch_1\.bin: no such file; to train, CIFAR-10 has data_batch_1\.bin, data'),
    ('folder', RecordError, r'data_batch_1\.bin: is a folder')])
def test_damaged_files(tmp_path, what, kind, message):
    write10(tmp_path / 'x')
    change(tmp_path / 'x', what)
    with pytest.raises(kind, match=message) as raised:
        CIFAR(tmp_path / 'x')
    assert '\n' not in str(raised.value)


def test_what_is_no_such_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='none: no such folder'):
        CIFAR(tmp_path / 'none')
    with pytest.raises(FileNotFoundError, match=r"no pictures in CIFAR's binary form: data_batch_1\.bin and the "
                                                r'others of CIFAR-10, or train\.bin and the others of CIFAR-100'):
        CIFAR.in_folder(tmp_path, 'train')
    write10(tmp_path / 'x')
    for keywords, message in (({'split': 'test'}, "split: must be 'train' or 'val': 'test'"),
                              ({'labels': 'coarse'}, "labels: CIFAR-10 has fine labels: 'coarse'")):
        with pytest.raises(ValueError, match=message):
            CIFAR(tmp_path / 'x', **keywords)
