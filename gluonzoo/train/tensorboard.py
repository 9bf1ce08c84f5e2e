"""The numbers of a run for TensorBoard."""
import math
import socket
import struct
import time
from contextlib import suppress

from .appended_file import AppendedFile
from .scalars_csv import readable_scalars

__all__ = ['TensorBoard']


class TensorBoard:
    """Every scalar for TensorBoard, in the directory tensorboard of the run. Needs the package tensorboardX.

    When a run is resumed, the events after its checkpoint are declared void, so that TensorBoard shows nothing twice.

    tensorboardX gives the form of the events, not its writer. That one has a thread and a queue: when the thread dies
    on a full disk, or sleeps since the clock was set back, the training waits for the queue for ever.
    """

    def __init__(self):
        from tensorboardX.proto.event_pb2 import Event, SessionLog  # here, since it takes long
        from tensorboardX.proto.summary_pb2 import Summary
        from tensorboardX.record_writer import masked_crc32c

        self._event, self._session, self._summary, self._checksum = Event, SessionLog, Summary, masked_crc32c

    def on_start(self, loop):
        directory = loop.run.directory / 'tensorboard'
        # An epoch that was not evaluated may have been, before a kill: its last step is void, too, and said again.
        again = loop.batch == len(loop.loader)
        start = self._session(status=self._session.START)
        heading = self._record(file_version='brain.Event:2') + self._record(step=loop.step + (not again),
                                                                            session_log=start)
        self._file = AppendedFile(directory / _next_name(directory), heading)
        self._file.add()
        numbers = loop.run.directory / 'scalars.csv'
        if again and numbers.is_file():
            self.on_step(loop, loop.step, {name: value for step, name, value in readable_scalars(numbers)
                                           if step == loop.step})

    def on_step(self, loop, step, scalars):
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in scalars.items()
                  if math.isfinite(value)]   # not NaN, such as the AP of large objects where there are none
        if values:
            self._file.add(self._record(step=step, summary=self._summary(value=values)), step)

    def on_epoch(self, loop, epoch, metrics):
        self.on_step(loop, loop.step, metrics)

    def on_end(self, loop):
        self._file.add()

    def missing(self):
        """What is not in the files, in words; '' if nothing is missing."""
        return self._file.missing()

    def _record(self, **fields):
        """An event as the files hold it: its length and itself, each with a checksum."""
        data = self._event(wall_time=time.time(), **fields).SerializeToString()
        length = struct.pack('<Q', len(data))
        return b''.join((length, struct.pack('<I', self._checksum(length)),
                         data, struct.pack('<I', self._checksum(data))))


def _next_name(directory):
    """TensorBoard reads files in the order of their numbers; a clock that was set back must not change the order."""
    number = int(time.time())
    with suppress(OSError):
        for path in directory.glob('events.out.tfevents.*'):
            former = path.name.split('.')[3]
            if former.isdecimal():
                number = max(number, int(former) + 1)
    return f'events.out.tfevents.{number:010d}.{socket.gethostname()}'
