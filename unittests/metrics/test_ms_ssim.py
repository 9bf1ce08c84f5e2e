"""MS-SSIM: identities, a slow twin with windows cut one by one, and scikit-image's SSIM."""
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from gluonzoo.metrics.ms_ssim import _ssim, ms_ssim, similarities


def draw(seed, count=4, height=32, width=32):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def slow_ssim(a, b):
    """Of one picture each, [H, W, 3]: every window by itself."""
    height, width, _ = a.shape
    size = min(11, height, width)
    row = np.exp(-(np.arange(size) - (size - 1) / 2) ** 2 / (2 * (1.5 * size / 11) ** 2))
    window = np.outer(row, row)[:, :, None] / row.sum() ** 2
    wholes, contrasts = [], []
    for y in range(height - size + 1):
        for x in range(width - size + 1):
            p, q = a[y:y + size, x:x + size], b[y:y + size, x:x + size]
            mp, mq = (window * p).sum((0, 1)), (window * q).sum((0, 1))
            vp, vq = (window * (p - mp) ** 2).sum((0, 1)), (window * (q - mq) ** 2).sum((0, 1))
            contrast = (2 * (window * (p - mp) * (q - mq)).sum((0, 1)) + 58.5225) / (vp + vq + 58.5225)
            contrasts.append(contrast)
            wholes.append(contrast * (2 * mp * mq + 6.5025) / (mp ** 2 + mq ** 2 + 6.5025))
    return np.mean(wholes), np.mean(contrasts)


def slow(a, b):
    a, b, result = a.astype('float64'), b.astype('float64'), 1
    for level, weight in enumerate((.0448, .2856, .3001, .2363, .1333)):
        result *= max(0, slow_ssim(a, b)[0 if level == 4 else 1]) ** weight
        if level < 4:
            a, b = ((x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4 for x in (a, b))
    return result


@pytest.mark.parametrize('height, width', [(32, 32), (16, 16), (48, 32)])   # of 32: the last level has 2 pixels a side
def test_beside_the_slow_twin(height, width):
    a = draw(0, 3, height, width)
    b = (a * .7 + draw(1, 3, height, width) * .3).astype('uint8')
    found = similarities(a, b)
    assert found.dtype == np.float64 and (found > .2).all() and (found < 1).all()
    np.testing.assert_allclose(found, [slow(*pair) for pair in zip(a, b)], rtol=1e-9)


def test_the_window_beside_scikit_image():
    """Its mean is over the places where the window of 11 pixels lies within the picture."""
    a, b = draw(0, 1)[0], draw(0, 1)[0] // 2 + 20
    expected = structural_similarity(a, b, channel_axis=2, gaussian_weights=True, sigma=1.5,
                                     use_sample_covariance=False, data_range=255)
    assert _ssim(a[None].astype('float64'), b[None].astype('float64'))[0][0] == pytest.approx(expected, abs=1e-9)


def test_identities():
    a, b = draw(0), draw(1)
    np.testing.assert_allclose(similarities(a, a), 1, atol=1e-9)
    np.testing.assert_allclose(similarities(a, b), similarities(b, a), rtol=1e-12)
    assert (similarities(a, 255 - a) == 0).all()   # contrary structure is below 0, and counts as 0


def test_pictures_of_one_colour_by_hand():
    """Structure and contrast are 1 on all levels; the luminance of the coarsest counts."""
    a, b = np.full((1, 16, 16, 3), 100, np.uint8), np.full((1, 16, 16, 3), 200, np.uint8)
    luminance = (2 * 100 * 200 + 6.5025) / (100 ** 2 + 200 ** 2 + 6.5025)
    assert similarities(a, b)[0] == pytest.approx(luminance ** .1333, rel=1e-9)


def test_of_a_set_that_varies_less_it_is_higher():
    varied = draw(0, 40)
    assert ms_ssim(np.repeat(varied[:1], 5, 0)) == pytest.approx(1, abs=1e-9)
    assert ms_ssim(varied) < ms_ssim((varied * .5 + varied[:1] * .5).astype('uint8')) < 1


def test_pairs(monkeypatch):
    """Each picture is in one pair at most; with more pairs than there are, all come again; none is with itself."""
    seen = []

    def look(a, b):
        seen.append(sorted(zip(a[:, 0, 0, 0].tolist(), b[:, 0, 0, 0].tolist())))
        return np.zeros(len(a))

    monkeypatch.setattr('gluonzoo.metrics.ms_ssim.similarities', look)
    pictures = np.tile(np.arange(5, dtype=np.uint8)[:, None, None, None], (1, 16, 16, 3))
    for pairs, seed in ((None, 0), (2, 0), (7, 0), (7, 1)):
        ms_ssim(pictures, pairs, seed)
    assert [len(pairs) for pairs in seen] == [2, 2, 7, 7] and seen[0] == seen[1] and seen[2] != seen[3]
    assert len({number for pair in seen[0] for number in pair}) == 4
    assert all(a != b for pairs in seen for a, b in pairs)
    assert len({number for pair in seen[2] for number in pair}) == 5


@pytest.mark.parametrize('count', [1, 100])
def test_of_large_and_many_pictures_the_parts_are_put_together(monkeypatch, count):
    a, b = draw(0, 7), draw(1, 7)
    whole = similarities(a, b)
    monkeypatch.setattr('gluonzoo.metrics.ms_ssim._AT_ONCE', count * a[0].size)
    np.testing.assert_allclose(similarities(a, b), whole, rtol=1e-12)


@pytest.mark.parametrize('call, said', [
    (lambda: ms_ssim(draw(0, 1)), 'pictures: must be at least 2 pictures: 1'),
    (lambda: ms_ssim(draw(0).astype('float32')), 'pictures: must be a uint8 array'),
    (lambda: ms_ssim(draw(0), 0), 'pairs: must be at least 1: 0'),
    (lambda: ms_ssim(draw(0, 4, 28, 28)), 'pictures: both sides must be multiples of 16 pixels, to be halved 4 times'),
    (lambda: similarities(draw(0), draw(0)[:1]), r'b: must be of the shape of a, \[4, 32, 32, 3\]: \[1, 32, 32, 3\]')])
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
