"""gluonzoo.data.drawn.photographed: what it may do to a picture, by pictures of one grey."""
import numpy as np
import pytest

from gluonzoo.data.drawn.photographed import photographed


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize('size', [16, 64, 100])
def test_a_picture_stays_one(size):
    image = generator(9).integers(0, 256, (size, size, 3)).astype(np.uint8)
    before = image.copy()
    first = photographed(generator(3), image)
    assert first.shape == image.shape and first.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(photographed(generator(3), image), first)   # a function of the generator
    assert (photographed(generator(4), image) != first).any()


def test_light_and_grain():
    """Each picture has other light, half of them a falloff, two in five grain: nothing else changes an even grey."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    taken = np.stack([photographed(generator(seed), grey) for seed in range(300)]).astype(float)
    brightness = taken.mean((1, 2, 3))
    assert brightness.min() > 40 and brightness.max() < 190 and brightness.std() > 10
    fine = np.diff(taken, axis=2).std((1, 2, 3)) / np.sqrt(2)   # what differs from pixel to pixel: its deviation
    grainy = fine > 1.5
    assert .3 < grainy.mean() < .5 and fine[grainy].max() < 10
    even = taken[~grainy]
    falloff = np.ptp(even.mean(3).reshape(len(even), -1), axis=1) > 6
    assert .35 < falloff.mean() < .65


def test_more_blur_and_grain():
    """Stripes of one pixel: a quarter of the pictures is blurred, and the stripes fade more with a wider blur."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200

    def contrast(blur, grain):
        taken = [photographed(generator(seed), stripes, blur, grain).astype(float) for seed in range(200)]
        return np.array([(each[:, ::2].mean() - each[:, 1::2].mean()) / each.mean() for each in taken])

    sharp, wide = contrast((0.0001, 0.0002), (0, 0)), contrast((.02, .03), (0, 0))
    assert (sharp > 1.8).mean() > .95
    assert .15 < (wide < .5).mean() < .35 and (np.abs(wide[wide >= .5] - sharp[wide >= .5]) < 1e-9).all()
    grey = np.full((64, 64, 3), 128, np.uint8)
    fine = [np.diff(photographed(generator(seed), grey, grain=(20, 21)).astype(float), axis=1).std() / np.sqrt(2)
            for seed in range(50)]
    assert 15 < max(fine) < 26
