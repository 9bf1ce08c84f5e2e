"""What the tests of callbacks share: a loop without a training, and a disk that is full."""
import types

import numpy as np
import pytest
from full_disk import full_disk


@pytest.fixture
def loop(tmp_path):
    """What a callback reads, without a training."""
    batch = object()
    validation = types.SimpleNamespace(closed=[])
    picture = np.zeros((8, 10, 3), 'uint8') + np.uint8([250, 10, 130])

    def epoch(e):
        try:
            yield batch
        finally:
            validation.closed.append(e)

    validation.epoch = epoch
    task = types.SimpleNamespace(main_metric=('map', 'max'), picture=lambda seen: picture if seen is batch else None,
                                 evaluation_pictures=lambda: {'confusion': picture // 2})
    return types.SimpleNamespace(run=types.SimpleNamespace(directory=tmp_path), task=task, validation=validation,
                                 step=0, epoch=0, batch=0, epochs=2, loader=range(5), signum=0)


@pytest.fixture
def full():
    return full_disk
