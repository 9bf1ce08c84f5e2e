"""gluonzoo/data/transforms/pictures.py: the middle square, in colours or grey."""
import numpy as np
import pytest
from coloured_boxes import apply, rng_of
from PIL import Image

from gluonzoo.data import CIFAR, Labelled, Picture
from gluonzoo.data.fetch.cifar_files import write_cifar
from gluonzoo.data.transforms.pictures import PictureMiddle, PictureTrain


def ramp(height=8, width=12):
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 10, x * 10, np.full_like(x, 200)], 2).astype(np.uint8)


def test_the_middle_square():
    array, = apply(PictureMiddle(8), Picture(ramp(), 0), None)
    assert array.shape == (3, 8, 8) and array.dtype == np.float32
    np.testing.assert_allclose(array, ramp()[:, 2:10].transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    array, = apply(PictureMiddle(4), Picture(ramp(), 0), None)
    halves = ramp().reshape(4, 2, 6, 2, 3).mean((1, 3))[:, 1:5]
    np.testing.assert_allclose(array, halves.transpose(2, 0, 1) / 127.5 - 1, atol=1.01 / 127.5)
    array, = apply(PictureMiddle(16), Picture(ramp(), 0), None)   # what is smaller is enlarged
    assert array.shape == (3, 16, 16) and abs(array[2].mean() - (200 / 127.5 - 1)) < .01


def test_grey_is_as_bright_as_pillow_says():
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    array, = apply(PictureMiddle(8, channels=1), Picture(noise, 0), None)
    assert array.shape == (1, 8, 8)
    np.testing.assert_allclose((array[0] + 1) * 127.5, noise @ [.299, .587, .114], atol=.51)
    np.testing.assert_allclose((array[0] + 1) * 127.5, np.asarray(Image.fromarray(noise).convert('L')), atol=1.01)


@pytest.mark.parametrize('channels', [1, 3])
def test_range(channels):
    for value, wanted in ((0, -1), (255, 1)):
        array, = apply(PictureMiddle(4, channels), Picture(np.full((4, 4, 3), value, np.uint8), 0), None)
        assert (array == wanted).all()


@pytest.mark.parametrize('channels', [1, 3])
def test_one_in_two_is_mirrored(channels):
    train, sample = PictureTrain(8, channels), Picture(ramp(), 0)
    plain, = apply(PictureMiddle(8, channels), sample, None)
    mirrored = 0
    for seed in range(200):
        array, = apply(train, sample, rng_of(seed))
        same = np.array_equal(array, plain)
        assert same or np.array_equal(array, plain[..., ::-1])
        mirrored += not same
    assert 70 < mirrored < 130
    train = PictureTrain(8, channels, flip=False)
    assert all(np.array_equal(apply(train, sample, rng_of(seed))[0], plain) for seed in range(20))


def test_pictures_with_a_label_will_do(tmp_path):
    """Those of CIFAR-10, too, whose planes lie apart in memory."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for channels in (1, 3):
        wanted, = apply(PictureMiddle(32, channels), Picture(noise, 0), None)
        write_cifar(tmp_path, ['a', 'b'], [(noise, 1)] * 6, 5, 1)
        for sample in (Labelled(noise, 3, 0), CIFAR(tmp_path).sample(0)):
            np.testing.assert_array_equal(apply(PictureMiddle(32, channels), sample, None)[0], wanted)
            for flip in (0, 1):
                np.testing.assert_array_equal(np.sort(apply(PictureTrain(32, channels), sample, rng_of(flip))[0]),
                                              np.sort(wanted))


@pytest.mark.parametrize('make, words', [
    (lambda: PictureMiddle(0), '^size: must be a whole number of pixels, at least 1: 0'),
    (lambda: PictureMiddle(8, 2), 'channels: must be 1 or 3: 2'),
    (lambda: PictureMiddle(8, True), 'channels: must be 1 or 3: True'),
    (lambda: PictureMiddle(8, '3'), "channels: must be 1 or 3: '3'"),
    (lambda: PictureTrain(65500), 'size: a picture of 65500 pixels: must fit in the memory'),
    (lambda: PictureTrain(8, flip=1), 'flip: must be true or false: 1')])
def test_arguments_are_checked(make, words, monkeypatch):
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: 1 << 30)
    with pytest.raises(ValueError, match=words):
        make()
