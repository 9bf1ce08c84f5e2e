"""The pool of made images: what comes back, what is kept, and its state."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.tasks.adversarial.image_pool import ImagePool


def numbered(*numbers):
    return mx.nd.array(numbers).reshape((-1, 1, 1, 1))


def held(pool):
    return [image.asscalar() for image in pool.images]


def test_pool():
    """First everything comes back and is kept; then half is swapped for what was kept."""
    np.random.seed(0)
    pool = ImagePool(3, (1, 1, 1))
    assert pool.query(numbered(0, 1)).reshape(-1).asnumpy().tolist() == [0, 1]
    assert pool.query(numbered(2, 3))[0].asscalar() == 2
    kept, swapped = held(pool), 0
    for number in range(4, 1004):
        given = pool.query(numbered(number)).asscalar()
        if given != number:
            assert given in kept
            kept[kept.index(given)] = number
            swapped += 1
        assert held(pool) == kept
    assert 430 < swapped < 570
    images = numbered(1, 2)
    assert ImagePool(0, (1, 1, 1)).query(images) is images


def test_what_is_kept_does_not_change_with_what_was_given():
    pool, images = ImagePool(2, (1, 1, 1)), numbered(1, 2)
    pool.query(images)
    images[:] = 9
    assert held(pool) == [1, 2]


def test_devices_share_a_pool():
    """What comes back is where the question came from."""
    np.random.seed(0)
    devices, pool = [mx.cpu(0), mx.cpu(1)], ImagePool(2, (1, 1, 1))
    for number in range(40):
        ctx = devices[number % 2]
        assert pool.query(numbered(number).as_in_context(ctx)).context == ctx
    assert len(pool.images) == 2


def test_state():
    """Another pool goes on alike, and the first state is that of a pool without images."""
    pool, other = ImagePool(3, (1, 1, 1)), ImagePool(3, (1, 1, 1))
    assert pool.state() == {}
    pool.query(numbered(1, 2))
    state = pool.state()
    assert state['images'].shape == (2, 1, 1, 1) and state['images'].dtype == np.float32
    other.load_state(state)
    for number in range(10):
        given = []
        for each in (pool, other):
            np.random.seed(number)
            given.append(each.query(numbered(10 + number)).asscalar())
        assert given[0] == given[1] and held(pool) == held(other)
    other.load_state({})
    assert other.state() == {}


@pytest.mark.parametrize('state, message', [
    ({'image': np.zeros((1, 1, 2, 2), 'float32')}, r"must have 'images' alone: \['image'\]"),
    ({'images': np.zeros((1, 1, 2, 2), 'float32'), 'more': np.zeros(1)}, "must have 'images' alone"),
    ({'images': np.zeros((3, 1, 2, 2), 'float32')}, r'at most \[2, 1, 2, 2\]: float32 \[3, 1, 2, 2\]'),
    ({'images': np.zeros((1, 1, 2, 3), 'float32')}, r'float32 \[1, 1, 2, 3\]'),
    ({'images': np.zeros((1, 1, 2, 2))}, 'must be float32 .*: float64'),
])
def test_state_that_does_not_fit(state, message):
    pool = ImagePool(2, (1, 2, 2))
    pool.query(mx.nd.ones((1, 1, 2, 2)))
    with pytest.raises(ValueError, match=message):
        pool.load_state(state)
    np.testing.assert_array_equal(pool.state()['images'], np.ones((1, 1, 2, 2)))


@pytest.mark.parametrize('size', [-1, 1.5, True, None, '3'])
def test_size(size):
    with pytest.raises(ValueError, match='pool_size: must be a whole number, at least 0: '):
        ImagePool(size, (1, 1, 1))
