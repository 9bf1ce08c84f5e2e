"""scripts/bench/bench_augmentation.py: what it calls wrong, and a short run."""
import json

import bench_augmentation
import numpy as np
import pytest


class Array:
    def __init__(self, array):
        self.array = np.array(array, np.float32)

    def asnumpy(self):
        return self.array


IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 3, 8, 8))
FRACTIONS = [[[2, 0, .1, .5, 1, 0], [-1] * 6]] * 2
PIXELS = [[[0, 1, 4, 8, 2], [-1] * 5]] * 2


def side(name, images, labels):
    return {name: lambda: iter([(Array(images), Array(labels))])}


def test_wrong_results_are_told():
    bench_augmentation.check(side('ssd_train', IMAGES, FRACTIONS), 2, 8)
    bench_augmentation.check(side('gluoncv, 2 processes', IMAGES, PIXELS), 2, 8)
    for name, images, labels, words in (
            ('ssd_train', IMAGES[:1], FRACTIONS[:1], 'ssd_train: 1 of 2 pictures at 8'),
            ('ssd_train', IMAGES[:, :, 1:], FRACTIONS, r'float32 \(2, 3, 7, 8\)'),
            ('ssd_train', IMAGES, FRACTIONS[:1], r'labels \(1, 2, 6\)'),
            ('ssd_train', IMAGES * 9, FRACTIONS, 'values from '), ('ssd_train', IMAGES * np.nan, FRACTIONS, 'values'),
            ('ssd_train', np.zeros((2, 3, 8, 8)), FRACTIONS, 'values from 0 to 0'),
            ('ssd_train', IMAGES, [[[0, .5, 0, .4, 1, 0]]] * 2, 'pictures 0 to 1 at 8: boxes'),
            ('ssd_train', IMAGES, [[[0, .5, 0, 1.1, 1, 0]]] * 2, 'boxes'),
            ('gluoncv', IMAGES, [[[0, 0, 9, 8, 2]]] * 2, 'gluoncv: .* boxes')):
        with pytest.raises(bench_augmentation.WrongResultError, match=words):
            bench_augmentation.check(side(name, images, labels), 2, 8)


def test_quick_run(tmp_path, capsys):
    file = tmp_path / 'bench.json'
    assert bench_augmentation.main(['--quick', '--workers', '1', '--json', str(file)]) == 0
    report = json.loads(file.read_text())
    sides = ['darknet_train', 'ssd_train', 'letterbox', 'resize', 'gluoncv', 'gluoncv, 1 processes']
    assert [(row['size'], row['side']) for row in report['rates']] == [(48, name) for name in sides]
    rates = {row['side']: row['images_per_second']['median'] for row in report['rates']}
    ratio, = report['ratios']
    assert rates[ratio['against']] == max(rates[name] for name in sides[4:])
    assert ratio['faster']['median'] == pytest.approx(rates['darknet_train'] / rates[ratio['against']])
    said = capsys.readouterr().out
    assert all(name in said for name in sides)
