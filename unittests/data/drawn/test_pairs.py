"""Drawn houses: repeatable, all different, and the picture follows from the map."""
import numpy as np
import pytest

from gluonzoo.data.drawn.pairs import COLOURS, pair

SIZE = 128


@pytest.fixture(scope='module')
def houses():
    return [pair(3, index, SIZE) for index in range(40)]


def kinds(labels):
    """[H, W] numbers of the colours of a map; every pixel has one."""
    flat = (labels[..., None, :] == np.array(list(COLOURS.values()))).all(-1)
    assert (flat.sum(-1) == 1).all()
    return flat.argmax(-1)


def test_repeatable_and_different(houses):
    for array, again in zip(houses[5], pair(3, 5, SIZE)):
        np.testing.assert_array_equal(array, again)
    maps = {labels.tobytes() for labels, _ in houses} | {pair(4, 5, SIZE)[0].tobytes()}
    assert len(maps) == 41


@pytest.mark.parametrize('size', [32, 100, 256])
def test_sizes(size):
    labels, picture = pair(0, 0, size)
    assert labels.shape == picture.shape == (size, size, 3) and labels.dtype == picture.dtype == np.uint8
    with pytest.raises(ValueError, match='size: must be at least 32: 31'):
        pair(0, 0, 31)


def test_every_part_occurs_and_no_other_colour(houses):
    seen = [set(np.unique(kinds(labels))) for labels, _ in houses]
    always = {list(COLOURS).index(kind) for kind in ('sky', 'wall', 'roof', 'cornice', 'window', 'door', 'street')}
    assert all(always <= found for found in seen)
    assert set.union(*seen) == set(range(len(COLOURS)))
    assert not all(found == set(range(len(COLOURS))) for found in seen)


def test_picture_follows_from_the_map(houses):
    """The mean colour of each part, over all houses, explains more than half of it, and is not the map's colour."""
    numbers = np.stack([kinds(labels) for labels, _ in houses])
    pictures = np.stack([picture for _, picture in houses]).astype(float)
    means = np.stack([pictures[numbers == number].mean(0) for number in range(len(COLOURS))])
    rest = pictures - means[numbers]
    assert (rest ** 2).mean() < .5 * pictures.var((0, 1, 2)).mean()
    assert np.abs(means - np.array(list(COLOURS.values()))).mean() > 50


def test_picture_shows_more_than_the_map(houses):
    """Glass within frames: within a window there are light and dark pixels in all pictures."""
    window = list(COLOURS).index('window')
    for labels, picture in houses:
        inside = picture[kinds(labels) == window].mean(-1)
        assert np.percentile(inside, 95) - np.percentile(inside, 5) > 60


def test_light_changes_a_little(houses):
    street = list(COLOURS).index('street')
    brightness = np.array([picture[kinds(labels) == street].mean(0) for labels, picture in houses])
    assert (brightness.std(0) > 1).all() and (brightness.std(0) < 12).all()
