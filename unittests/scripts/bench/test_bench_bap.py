"""scripts/bench/bench_bap.py: its FFT and its errors by hand, what it calls wrong, and a short run."""
import json

import bench_bap
import numpy as np
import pytest

rng = np.random.default_rng(0)


def test_count_sketch():
    """Each number of a vector goes to one place, with its sign."""
    sketch = bench_bap.CountSketch(6, 4, 0)
    x = rng.normal(size=(6, 3))
    wanted = np.zeros((3, 4))
    for number, (place, sign) in enumerate(zip(sketch.places, sketch.signs)):
        wanted[:, place] += sign * x[number]
    np.testing.assert_allclose(sketch(x), wanted, atol=1e-6)


@pytest.mark.parametrize('sums_first', [False, True])
def test_fft_is_a_sketch_of_all_products(sums_first):
    """Pair by pair: the product of map m and channel c goes to the place h(m) + h(c), around the end."""
    features, attention = rng.normal(size=(5, 6)), rng.normal(size=(3, 6))
    of_channels, of_maps = bench_bap.CountSketch(5, 8, 1), bench_bap.CountSketch(3, 8, 2)
    wanted = np.zeros(8)
    for m in range(3):
        for c in range(5):
            sign = of_maps.signs[m] * of_channels.signs[c]
            wanted[(of_maps.places[m] + of_channels.places[c]) % 8] += sign * (attention[m] * features[c]).mean()
    np.testing.assert_allclose(bench_bap.by_fft(features, attention, of_channels, of_maps, sums_first), wanted,
                               atol=1e-6)
    sums = attention @ features.T / 6
    np.testing.assert_allclose(bench_bap.sketch_of_sums(sums, of_channels, of_maps), wanted, atol=1e-6)


def test_error_of_products():
    """The inner product is 0, that of the compact vectors 6; lengths are 2 and 3."""
    whole, compact = np.array([[2., 0], [0, 3]]), np.array([[2.], [3.]])
    assert bench_bap.error_of_products(whole, compact) == pytest.approx(1)
    assert bench_bap.error_of_products(whole, whole) == 0


def test_wrong_fft_is_told(monkeypatch, capsys):
    monkeypatch.setattr(bench_bap, 'sketch_of_sums', lambda sums, *_: np.ones(128))
    assert bench_bap.main(['--quick']) == 1
    assert capsys.readouterr().err.startswith('WRONG: quick, FFT: differs by')


def test_wrong_loop_is_told(monkeypatch, capsys):
    class Wrong(bench_bap.Loop):
        def hybrid_forward(self, F, features, attention):
            return super().hybrid_forward(F, features + 1, attention)

    monkeypatch.setattr(bench_bap, 'Loop', Wrong)
    assert bench_bap.main(['--quick']) == 1
    assert capsys.readouterr().err.startswith('WRONG: quick, loop: differs by')


def test_quick_run(tmp_path, capsys):
    file = tmp_path / 'bench.json'
    assert bench_bap.main(['--quick', '--json', str(file)]) == 0
    rows = json.loads(file.read_text())['rows']
    assert [(row['way'], row['length']) for row in rows] == [
        ('loop', 1024), ('batch_dot', 1024), ('sketch', 128), ('FFT', 128), ('FFT of sums', 128)]
    assert all(row['forward_ms']['median'] > 0 for row in rows)
    assert [bool(row['both_ms']) for row in rows] == [True, True, True, False, False]
    assert [row['error'] > 0 for row in rows] == [False, False, True, True, True]
    assert 'forward and backward' in capsys.readouterr().out


def test_arguments(capsys):
    for words, said in ((['--batch', '1'], '--batch: must be at least 2: 1'),
                        (['--maps', '0'], '--maps: must be at least 1: 0'),
                        (['--length', '100'], '--length: must be a multiple of the 32 maps, up to 24576: 100')):
        with pytest.raises(SystemExit):
            bench_bap.parse(words)
        assert said in capsys.readouterr().err
