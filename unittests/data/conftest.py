"""What the tests of data share."""
import full_disk as full_disks
import pytest


@pytest.fixture
def full_disk():
    """The context in which no file can get more than so many bytes."""
    return full_disks.full_disk
