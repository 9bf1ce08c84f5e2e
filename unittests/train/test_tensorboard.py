"""What TensorBoard reads of a run."""
import re
import struct
import sys
import time
from pathlib import Path

import pytest

from gluonzoo.train import TensorBoard


def events(directory):
    """The events of all files, parsed: each record is length, checksum, data, checksum."""
    from tensorboardX.proto.event_pb2 import Event
    for path in sorted(Path(directory).iterdir()):
        content = path.read_bytes()
        while content:
            length, = struct.unpack('<Q', content[:8])
            yield Event.FromString(content[12:12 + length])
            content = content[16 + length:]


def test_tensorboard(loop):
    loop.step = 3
    callback = TensorBoard()
    callback.on_start(loop)
    callback.on_step(loop, 4, {'loss': 0.5, 'lr_net': 0.25})
    loop.step = 5
    callback.on_epoch(loop, 0, {'map': 0.125})
    callback.on_end(loop)
    found = list(events(loop.run.directory / 'tensorboard'))
    scalars = [(event.step, value.tag, value.simple_value) for event in found for value in event.summary.value]
    assert scalars == [(4, 'loss', 0.5), (4, 'lr_net', 0.25), (5, 'map', 0.125)]
    starts = [event.step for event in found if event.session_log.status == event.session_log.START]
    assert starts == [4]   # what had that step or a later one is void


def scalars(loop):
    return [(event.step, value.tag, value.simple_value) for event in events(loop.run.directory / 'tensorboard')
            for value in event.summary.value]


def test_checksums(loop):
    """A reader that checks them takes every record."""
    from tensorboardX.record_writer import masked_crc32c
    callback = TensorBoard()
    callback.on_start(loop)
    callback.on_step(loop, 1, {'loss': 0.5})
    content = b''.join(path.read_bytes() for path in (loop.run.directory / 'tensorboard').iterdir())
    records = 0
    while content:
        length, checksum = struct.unpack('<QI', content[:12])
        assert checksum == masked_crc32c(content[:8])
        data, (checksum,) = content[12:12 + length], struct.unpack('<I', content[12 + length:16 + length])
        assert checksum == masked_crc32c(data)
        content, records = content[16 + length:], records + 1
    assert records == 3


def test_full_disk(loop, full):
    """Training goes on at once, and the events are written when they can be."""
    callback = TensorBoard()
    callback.on_start(loop)
    with full(size=20):
        for step in range(1, 30):   # more than a queue of ten could hold
            with pytest.raises(OSError):
                callback.on_step(loop, step, {'loss': 0.5})
        assert callback.missing() == 'lacks the numbers from step 1 on'
    callback.on_step(loop, 30, {'loss': 0.5})
    callback.on_end(loop)
    assert callback.missing() == '' and [step for step, _, _ in scalars(loop)] == list(range(1, 31))


def test_clock_that_is_set_back(loop, monkeypatch):
    """Events are written all the same, and the file of a resumed run is read after the former one."""
    callback = TensorBoard()
    callback.on_start(loop)
    callback.on_step(loop, 1, {'loss': 1.0})
    monkeypatch.setattr(time, 'time', lambda: 1e6)
    begun = time.monotonic()
    for step in range(2, 40):
        callback.on_step(loop, step, {'loss': float(step)})
    callback.on_end(loop)
    loop.step = 39
    callback.on_start(loop)
    callback.on_step(loop, 40, {'loss': 40.0})
    callback.on_end(loop)
    assert time.monotonic() - begun < 5 and [step for step, _, _ in scalars(loop)] == list(range(1, 41))


def test_evaluation_that_was_killed(loop):
    """The metrics of an epoch that is evaluated again are shown once, with the losses of its last step."""
    loop.step, loop.batch, loop.loader = 2, 2, range(2)
    (loop.run.directory / 'scalars.csv').write_text('step,name,value\n1,loss,0.5\n2,loss,0.25\n')
    callback = TensorBoard()
    callback.on_start(loop)
    callback.on_epoch(loop, 0, {'map': 0.5})
    starts = [event.step for event in events(loop.run.directory / 'tensorboard')
              if event.session_log.status == event.session_log.START]
    assert starts == [2] and scalars(loop) == [(2, 'loss', 0.25), (2, 'map', 0.5)]


def test_names_stay_distinct(loop):
    callback = TensorBoard()
    callback.on_start(loop)
    names = ['AP/a b', 'AP/a_b', 'AP/a+b', '/x', 'x', 'Männer']
    callback.on_step(loop, 1, dict.fromkeys(names, 0.5))
    assert [tag for _, tag, _ in scalars(loop)] == names


def test_tensorboard_without_its_package(monkeypatch):
    for name in [name for name in sys.modules if name.startswith('tensorboardX.')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'tensorboardX', None)
    with pytest.raises(ImportError, match=re.escape('tensorboardX')):
        TensorBoard()
