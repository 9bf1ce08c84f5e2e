"""The middle of a photo whose sides are made equal."""
import numpy as np
import pytest

from gluonzoo.pictures.resize import resize
from gluonzoo.pictures.squeezed_middle import check_crop, squeezed, squeezed_middle


@pytest.mark.parametrize('height, width, size, crop, side, corner', [
    (40, 60, 28, .875, 32, 2), (32, 32, 28, .875, 32, 2), (3, 90, 8, .5, 16, 4), (8, 8, 8, 1, 8, 0),
    (50, 30, 96, .875, 109, 6),    # 109.7 and 6.5, which torchvision rounds so, too
    (1, 1, 7, .875, 8, 0),         # 0.5 is rounded to the even
    (30, 50, 21, .875, 24, 2)])    # 1.5, too
def test_by_hand(height, width, size, crop, side, corner):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype='uint8')
    whole = resize(photo, side, side)
    assert np.array_equal(squeezed(photo, size, crop), whole)
    middle = squeezed_middle(photo, size, crop)
    assert middle.shape == (size, size, 3) and middle.dtype == np.uint8
    assert np.array_equal(middle, whole[corner:corner + size, corner:corner + size])


def test_beside_pillow():
    """As torchvision does it with Pillow, but for another filter."""
    from PIL import Image
    smooth = np.add.outer(np.arange(60) * 3, np.arange(80) * 1.)[..., None] * [.8, .5, .9]
    photo = smooth.astype('uint8')
    wanted = np.asarray(Image.fromarray(photo).resize((32, 32), Image.BILINEAR))[2:30, 2:30]
    assert np.abs(squeezed_middle(photo, 28).astype(int) - wanted).max() <= 2


def test_a_strip():
    strip = np.zeros((1, 65500, 3), 'uint8')
    strip[:, 30000:36000] = 200
    middle = squeezed_middle(strip, 224)
    assert middle[:, 112].min() > 190 and middle[:, :80].max() == 0


@pytest.mark.parametrize('crop', [0, .49, 1.01, 1.5, -1, float('nan'), float('inf'), True, '1', None])
def test_a_crop_that_makes_no_sense(crop):
    """The picture would be smaller than it is said to be, or take all memory."""
    photo = np.zeros((4, 4, 3), 'uint8')
    for call in (lambda: check_crop(crop), lambda: squeezed(photo, 16, crop), lambda: squeezed_middle(photo, 16, crop)):
        with pytest.raises(ValueError, match='^crop: must be from 0.5 to 1: ') as raised:
            call()
        assert '\n' not in str(raised.value)


@pytest.mark.parametrize('crop', [.5, .75, 1, np.float32(.875)])
def test_crops_that_are_taken(crop):
    check_crop(crop)
    assert squeezed_middle(np.zeros((4, 4, 3), 'uint8'), 16, crop).shape == (16, 16, 3)
