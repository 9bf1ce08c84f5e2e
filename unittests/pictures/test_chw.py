"""Pictures as networks take and make them: by hand, there and back, and to the last bit."""
import numpy as np
import pytest

from gluonzoo.pictures.chw import from_chw, from_signed, to_chw, to_signed

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@pytest.fixture
def pictures():
    """All levels, in every channel. uint8 [2, 8, 16, 3]"""
    levels = np.arange(256, dtype='uint8').reshape(2, 8, 16)
    return np.stack([levels, levels[::-1, ::-1], levels[:, :, ::-1]], axis=-1)


def test_by_hand():
    image = np.zeros((2, 3, 3), 'uint8')
    image[1, 2] = 10, 20, 30
    values = to_chw([image, image], (10, 0, 10), (1, 2, 4))
    assert values.shape == (2, 3, 2, 3) and values.dtype == np.float32
    assert values[1, :, 1, 2].tolist() == [0, 10, 5] and values[0, :, 0, 0].tolist() == [-10, 0, -2.5]
    assert from_chw(np.array([[[-7.]], [[.3]], [[300.]]], 'float32'), (1, 1, 1), (2, 2, 1)).tolist() == [[[0, 2, 255]]]


def test_signed_by_hand():
    image = np.array([[[0, 255, 51]]], 'uint8')
    assert to_signed([image])[0, :, 0, 0].tolist() == [-1, 1, np.float32(-.6)]
    assert from_signed(np.array([[[-1.2]], [[1.]], [[0.]]], 'float32')).tolist() == [[[0, 255, 128]]]   # 127.5 to even


def test_there_and_back(pictures):
    for values in (to_chw(pictures, MEAN, STD), to_chw(list(pictures), MEAN, STD)):
        np.testing.assert_array_equal(from_chw(values, MEAN, STD), pictures)
        np.testing.assert_array_equal(from_chw(values[1], MEAN, STD), pictures[1])
    signed = to_signed(pictures)
    np.testing.assert_array_equal(from_signed(signed), pictures)
    np.testing.assert_array_equal(from_signed(signed[1]), pictures[1])


def test_in_float32_each_operation(pictures):
    """What trained networks were given, and so what they must be given."""
    wanted = [[(np.float32(level) - np.float32(mean)) / np.float32(std) for level in channel.ravel()]
              for channel, mean, std in zip(pictures[0].transpose(2, 0, 1), MEAN, STD)]
    np.testing.assert_array_equal(to_chw(pictures, MEAN, STD)[0].reshape(3, -1), np.array(wanted, 'float32'))


def test_signed_as_in_float64(pictures):
    """Rounded once: the nearest float32 there is to picture / 127.5 - 1."""
    wanted = (pictures.transpose(0, 3, 1, 2) / 127.5 - 1).astype('float32')
    assert to_signed(pictures).dtype == np.float32
    np.testing.assert_array_equal(to_signed(pictures), wanted)
