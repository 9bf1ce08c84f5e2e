"""Drawn landscapes: repeatable, all different, and one season follows from the other."""
import numpy as np
import pytest

from gluonzoo.data.drawn.seasons import SUMMER, WINTER, landscape, turned, turned_by_kind

SIZE = 64


@pytest.fixture(scope='module')
def landscapes():
    """(summer, winter), each uint8 [N, H, W, 3]"""
    return tuple(np.stack(season) for season in zip(*(landscape(3, index, SIZE) for index in range(60))))


def test_repeatable_and_different(landscapes):
    for array, again in zip(landscapes, landscape(3, 5, SIZE)):
        np.testing.assert_array_equal(array[5], again)
    assert len({picture.tobytes() for picture in landscapes[0]} | {landscape(4, 5, SIZE)[0].tobytes()}) == 61


@pytest.mark.parametrize('size', [32, 100, 256])
def test_sizes(size):
    for picture in landscape(0, 0, size):
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    for wrong in (31, 2049, 64.5, '64', None):
        with pytest.raises(ValueError, match=f'size: must be a whole number from 32 to 2048: {wrong!r}'):
            landscape(0, 0, wrong)
    for seed, index in ((-1, 0), (0, -1)):
        with pytest.raises(ValueError):
            landscape(seed, index)


def kinds(picture, season, light):
    """[H, W]: the number of what is seen where a pixel has the colour of one kind, else -1."""
    colours = np.array(list(season.values())) * light
    found = np.abs(picture[..., None, :] - colours).max(-1) <= 1   # [H, W, kinds]
    return np.where(found.any(-1), found.argmax(-1), -1)


def test_both_seasons_show_the_same_things(landscapes):
    """Where no two kinds share a pixel, the kind that has its colour in summer has its colour in winter."""
    seen = set()
    for summer, winter in zip(*landscapes):
        light = summer[0, 0, 2] / SUMMER['sky'][2]   # a corner of the sky
        if np.abs(summer[0, 0] - np.array(SUMMER['sky']) * light).max() > 2:
            continue   # the sun is there
        a, b = kinds(summer, SUMMER, light), kinds(winter, WINTER, light)
        both = (a >= 0) & (b >= 0)
        assert both.mean() > .8
        np.testing.assert_array_equal(a[both], b[both])
        seen |= set(a[both])
    assert seen == set(range(len(SUMMER)))


def test_no_two_kinds_are_alike():
    """Else a season would not follow from the other: 20 of 255 in one colour at least."""
    for season in (SUMMER, WINTER):
        colours = np.array(list(season.values()))
        apart = np.abs(colours[:, None] - colours).max(-1) + 255 * np.eye(len(colours))
        assert apart.min() >= 20
    assert list(SUMMER) == list(WINTER)


def test_the_light_changes_and_is_that_of_both(landscapes):
    skies = [pictures[:, 2, 2].astype(float).max(-1) for pictures in landscapes]
    assert skies[0].std() > 5
    assert np.corrcoef(*skies)[0, 1] > .9


def test_turned(landscapes):
    summer, winter = landscapes
    assert turned(summer, winter, winter) == 1
    assert turned(summer, summer, winter) == 0
    half = (summer.astype(float) + winter) / 2
    assert turned(summer, half, winter) == pytest.approx(.5, abs=1e-12)
    assert turned(summer, 255 - winter, winter) < 0
    # By hand: of 40 that were to be changed, 10 remain.
    given, made, wanted = (np.full((1, 1, 1, 3), value, np.uint8) for value in (50, 80, 90))
    assert turned(given, made, wanted) == pytest.approx(.75)


def test_turned_refuses_what_it_cannot_compare(landscapes):
    summer, winter = landscapes
    with pytest.raises(ValueError, match=r'must have the same shape: \(60, 64, 64, 3\), \(59, 64, 64, 3\), '):
        turned(summer, summer[1:], winter)
    for given in (summer, summer[:0]):
        with pytest.raises(ValueError, match='given: must differ from wanted'):
            turned(given, given, given)


def test_turned_by_kind(landscapes):
    summer, winter = landscapes
    for given, wanted in (landscapes, landscapes[::-1]):
        assert turned_by_kind(given, wanted, wanted) == dict.fromkeys(SUMMER, 1.)
        assert turned_by_kind(given, given, wanted) == dict.fromkeys(SUMMER, 0.)
    # The roofs alone are painted half way: where summer has their red, in the light of the picture.
    light = (summer[:, 0, 0, 2] / SUMMER['sky'][2])[:, None, None, None]
    roofs = (np.abs(summer - light * np.array(SUMMER['roof'])) < 2).all(-1)
    made = np.where(roofs[..., None], (summer + winter.astype(float)) / 2, summer)
    shares = turned_by_kind(summer, made, winter)
    assert shares.pop('roof') == pytest.approx(.5, abs=.02)
    assert max(shares.values()) < .02


def test_mean_colours_are_not_enough(landscapes):
    """What maps each pixel alike, the best map that is linear in its colour, leaves a seventh of the way, and of small
    things much more."""
    summer, winter = (pictures.reshape(-1, 3).astype(float) for pictures in landscapes)
    design = np.concatenate((summer, np.ones((len(summer), 1))), 1)
    made = design @ np.linalg.lstsq(design, winter, rcond=None)[0]
    made = made.reshape(landscapes[0].shape)
    assert .8 < turned(*(landscapes[0], made, landscapes[1])) < .87
    shares = turned_by_kind(landscapes[0], made, landscapes[1])
    assert min(shares.values()) < .3 and np.mean(list(shares.values())) < .7
