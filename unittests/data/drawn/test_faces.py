"""Drawn faces: repeatable, all different, of much variety, in few colours."""
import numpy as np
import pytest

from gluonzoo.data.drawn.faces import BACKGROUNDS, HAIRS, SHIRTS, SKINS, face

SIZE = 64
COUNT = 400


@pytest.fixture(scope='module')
def faces():
    return np.stack([face(3, index, SIZE) for index in range(COUNT)])


def nearest(colours, palette):
    """[N, 3] -> the number of the nearest colour of a palette, and how far it is."""
    apart = np.abs(colours.astype(float)[:, None] - np.array(palette)).max(-1)
    return apart.argmin(1), apart.min(1)


def test_repeatable_and_different(faces):
    np.testing.assert_array_equal(faces[5], face(3, 5, SIZE))
    assert len({picture.tobytes() for picture in faces} | {face(4, 5, SIZE).tobytes()}) == COUNT + 1


@pytest.mark.parametrize('size', [32, 100, 256])
def test_sizes(size):
    picture = face(0, 0, size)
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    for wrong in (31, 2049, 64.5, '64', None):
        with pytest.raises(ValueError, match=f'size: must be a whole number from 32 to 2048: {wrong!r}'):
            face(0, 0, wrong)
    for seed, index in ((-1, 0), (0, -1)):
        with pytest.raises(ValueError):
            face(seed, index)


@pytest.mark.parametrize('size', [32, 64, 128])
def test_a_small_picture_shows_the_same(size):
    """Shrunk by area, a large one is the small one, but for the width of lines."""
    large, small = face(1, 2, 256).astype(float), face(1, 2, size).astype(float)
    factor = 256 // size
    shrunk = large.reshape(size, factor, size, factor, 3).mean((1, 3))
    assert np.abs(shrunk - small).mean() < 4


def test_all_combinations_of_background_skin_and_shirt_occur(faces):
    """At places that tell: a corner, the cheeks' height beside the nose, the lower edge."""
    background, error = nearest(faces[:, 1, 1], BACKGROUNDS)
    assert (error <= 1).all()
    shirt, far = nearest(faces[:, -1, SIZE // 2], SHIRTS)
    assert (far <= 1).all()
    skin, error = nearest(np.median(faces[:, 36:40, 24:40].reshape(COUNT, -1, 3), 1), SKINS)
    clear = error <= 1
    assert clear.mean() > .7
    for part, count in ((background, len(BACKGROUNDS)), (shirt, len(SHIRTS)), (skin[clear], len(SKINS))):
        shares = np.bincount(part, minlength=count) / len(part)
        assert (shares > .6 / count).all() and (shares < 1.4 / count).all()
    assert len(set(zip(background, shirt))) == len(BACKGROUNDS) * len(SHIRTS)
    assert len(set(zip(background[clear], skin[clear]))) == len(BACKGROUNDS) * len(SKINS)


def of_colour(faces, colour):
    """bool [N, H, W]: where a colour is seen that shares the pixel with no other."""
    return (np.abs(faces.astype(int) - colour) <= 1).all(-1)


def test_hair_of_all_colours_or_none(faces):
    """Nine of ten have hair above the forehead; a third has it down to the shoulders."""
    areas = np.stack([of_colour(faces, hair).sum((1, 2)) for hair in HAIRS], 1)   # [N, colours]
    haired = areas.max(1) > 40
    assert abs(haired.mean() - .9) < .06
    shares = np.bincount(areas[haired].argmax(1), minlength=len(HAIRS)) / haired.sum()
    assert (shares > .6 / len(HAIRS)).all() and (shares < 1.4 / len(HAIRS)).all()
    low = slice(int(.66 * SIZE), None)   # beside the chin
    long = np.stack([of_colour(faces[:, low], hair).sum((1, 2)) for hair in HAIRS], 1).max(1) > 10
    assert abs(long.mean() - .35) < .12


def test_three_of_ten_wear_glasses(faces):
    rims = of_colour(faces[:, SIZE // 4:3 * SIZE // 4], (35, 35, 35)).sum((1, 2))
    assert abs((rims > 15).mean() - .3) < .1


def test_the_same_person_is_not_drawn_twice(faces):
    """However near the nearest other face is, features and pose tell them apart."""
    flat = faces.reshape(COUNT, -1).astype(np.float32)
    squares = (flat ** 2).sum(1)
    apart = squares[:, None] + squares - 2 * flat @ flat.T + 1e12 * np.eye(COUNT)
    assert np.sqrt(apart.min() / flat.shape[1]) > 5   # levels of 255


def test_few_colours(faces):
    """Eight of ten pixels have one of the ten most frequent colours of a picture: it is flat."""
    for picture in faces[:40]:
        _, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        assert np.sort(counts)[-10:].sum() > .8 * SIZE ** 2
