"""The memory that a process may use: of the machine, or of the control groups above."""
import os

import pytest

from gluonzoo import memory


def test_the_machine():
    there = memory.limit()
    assert 1 << 28 < there <= os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


@pytest.mark.parametrize('cgroup, files, limit', [
    ('0::/job/step', {'job/memory.max': '4096', 'job/step/memory.max': 'max'}, 4096),
    ('0::/job/step', {'job/memory.max': '4096', 'job/step/memory.max': '512'}, 512),
    ('0::/of-the-host', {'memory.max': '2048'}, 2048),   # in a container
    ('4:memory:/job', {'memory/job/memory.limit_in_bytes': '1024'}, 1024),
    ('4:cpu:/job', {'cpu/job/memory.limit_in_bytes': '1024'}, None), ('0::/', {}, None)])
def test_control_groups(tmp_path, cgroup, files, limit):
    for path, content in {'proc/self/cgroup': cgroup,
                          **{f'sys/fs/cgroup/{path}': content for path, content in files.items()}}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content + '\n')
    assert memory.limit(tmp_path) == limit


def test_what_is_too_large_is_named():
    memory.require('net', 100, 100)
    with pytest.raises(ValueError, match='^net: must fit in the memory: needs 101 bytes at least; there are 100$'):
        memory.require('net', 101, 100)


def test_bytes():
    """Also of more than MXNet can count."""
    assert memory.bytes_of([(2, 3), (), (10 ** 9, 10 ** 9, 0)]) == 24 + 4 + 4 * 10 ** 18
