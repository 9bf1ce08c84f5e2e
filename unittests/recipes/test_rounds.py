"""In how many rounds a batch is worked through."""
import pytest

from gluonzoo.recipes.rounds import rounds


@pytest.mark.parametrize('batch_size, devices, part, expected', [
    (48, 1, 6, 8), (48, 2, 6, 4), (48, 8, 6, 1), (1, 1, 6, 1), (7, 1, 6, 1), (24, 2, 6, 2), (64, 1, 4, 16),
    (20, 1, 6, 4),               # 5 images, not 10
    (62, 1, 4, 31),              # 2 images, not 31
    (16, 1, 16, 1), (16, 1, 100, 1),
    (8, 1, 3, 2),                # 4 is 1.33 times 3; 3 is 1.5 times 2
    (1, 4, 6, 1),                # less than an image for a device, which the training refuses
])
def test_parts_are_near_what_a_device_takes(batch_size, devices, part, expected):
    assert rounds(batch_size, devices, part) == expected
