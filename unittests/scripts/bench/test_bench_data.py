"""scripts/bench/bench_data.py: how it reads the labels of each reader, and what it does with a reader that is wrong."""
import json

import bench_data
import numpy as np
import pytest


@pytest.mark.parametrize('name, labels', [
    ('gluonzoo, 3 workers', [[2, .1, .2, .3, .4, 0], [0, 0, 0, 1, 1, 1], [-1] * 6]),
    ('ImageDetIter', [[2, .1, .2, .3, .4], [0, 0, 0, 1, 1], [-1] * 5]),
    ('ImageDetRecordIter, 1 threads', [3, 50, 50, 14, 4, 5, 50, 50, 2, .1, .2, .3, .4, 0, 0, 0, 1, 1, -1, -1, -1]),
    ('RecordFileDetection', [[5, 10, 15, 20, 2], [0, 0, 50, 50, 0], [-1] * 5]),
])
def test_labels_of_each_reader(name, labels):
    np.testing.assert_allclose(bench_data.rows_of(name, np.array(labels), 50),
                               [[2, .1, .2, .3, .4], [0, 0, 0, 1, 1]])


class Array:
    def __init__(self, array):
        self.array = array

    def asnumpy(self):
        return self.array


def side(images, labels):
    """A reader that gives one batch."""
    return {'ImageDetIter': lambda: iter([(Array(np.array(images, np.float32)), Array(np.array(labels)))])}


def test_wrong_results_are_told():
    image, label = np.ones((3, 4, 4)), np.array([[0, 0, 0, .5, 1]])
    wanted = [(image, label)] * 2
    bench_data.check(side([image] * 2, [label] * 2), wanted, 4)
    for images, labels, words in (
            ([image], [label], '1 of 2 pictures'), ([image] * 3, [label] * 3, 'more than 2'),
            ([image, image + 0.1], [label] * 2, 'picture 1 at 4: float32, off by 5'),
            ([image * np.nan, image], [label] * 2, 'picture 0'),
            ([image] * 2, [label, label[:, [0, 1, 2, 4, 3]]], 'picture 1 at 4: boxes'),
            ([image] * 2, [-label - 1, label - [1, 0, 0, 0, 0]], 'picture 0 at 4: boxes')):
        with pytest.raises(bench_data.WrongResultError, match=words):
            bench_data.check(side(images, labels), wanted, 4)


def test_quick_run(tmp_path, capsys):
    file = tmp_path / 'bench.json'
    assert bench_data.main(['--quick', '--workers', '1', '--sizes', '64', '48', '--json', str(file)]) == 0
    report = json.loads(file.read_text())
    for key in ('date', 'cpu', 'workers', 'mxnet_threads', 'mxnet', 'opencv', 'pictures', 'bytes_per_picture', 'side'):
        assert report['conditions'][key]
    readers = ['gluonzoo, 1 workers', 'ImageDetRecordIter, 1 threads', 'ImageDetIter', 'RecordFileDetection',
               'RecordFileDetection, 1 processes']
    assert [(row['size'], row['reader']) for row in report['rates']] == [(size, reader) for size in (64, 48)
                                                                        for reader in readers]
    assert [row['size'] for row in report['ratios']] == [64, 48]
    for row in report['ratios']:
        rates = {each['reader']: each['images_per_second']['median'] for each in report['rates']
                 if each['size'] == row['size']}
        assert rates[row['against']] == max(rates[reader] for reader in readers[1:])
        assert row['faster']['median'] == pytest.approx(rates[readers[0]] / rates[row['against']])
    said = capsys.readouterr().out
    assert all(reader in said for reader in readers)


def test_a_wrong_reader_gives_no_number(tmp_path, monkeypatch, capsys):
    file = tmp_path / 'bench.json'
    loader = bench_data.Loader
    monkeypatch.setattr(bench_data, 'Loader', lambda dataset, size, **keywords: loader(
        dataset, size, **{**keywords, 'shuffle': True}))
    assert bench_data.main(['--quick', '--workers', '1', '--json', str(file)]) == 1
    said = capsys.readouterr()
    assert 'WRONG: gluonzoo, 1 workers: picture 0 at 48' in said.err
    assert said.out == '' and not file.exists()


def test_arguments_are_checked():
    for arguments in (['--sizes', '8', '0'], ['--workers', '0'], ['--rounds', '-1'], ['--rounds', 'x']):
        with pytest.raises(SystemExit) as stop:
            bench_data.parse(arguments)
        assert stop.value.code == 2
