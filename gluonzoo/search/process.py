"""The training of one trial, in a process of its own."""
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from ..reading import last_line

__all__ = ['GRACE', 'Training']

GRACE = 300   # seconds from SIGTERM, after which a training saves, to SIGKILL

# Has the system send SIGTERM when the search itself dies, in whatever way: then the training saves and ends. A program
# of its own does so, since a child of a process with threads must not do much before it starts another program.
_TETHER = '''
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(parent):
    os.execv(command[0], command)
'''

_PACKAGE = Path(__file__).parents[2]   # where Python finds gluonzoo
_TAIL = 1 << 16   # bytes of a log in which its last line is looked for
_LONGEST = 500    # letters of such a line that are kept


class Training:
    """Starts a command. It has a session of its own: Ctrl-C reaches the search alone, which then ends it.

    Parameters
    ----------
    command : list of str
        what Python runs
    log : Path
        what the command says is added to this file

    Raises OSError if the process cannot be started or the log cannot be written.
    """

    def __init__(self, command, log):
        self.log, self._told = log, None
        paths = [str(_PACKAGE), *filter(None, [os.environ.get('PYTHONPATH')])]
        with open(log, 'ab') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-S', '-c', _TETHER, str(os.getpid()), sys.executable, *command], stdout=output,
                stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'PYTHONUNBUFFERED': '1'})

    @property
    def pid(self):
        return self._process.pid

    def ended(self):
        """Whether the process has ended. One that does not heed SIGTERM in time is killed."""
        if self._told and time.monotonic() - self._told > GRACE:
            self._send(signal.SIGKILL)
        return self._process.poll() is not None

    def stop(self):
        """Tells the training to save and end."""
        if not self._told:
            self._told = time.monotonic()
            self._send(signal.SIGTERM)

    @property
    def told(self):
        """Whether the training has been told to end."""
        return self._told is not None

    def _send(self, signum):
        with suppress(ProcessLookupError):
            self._process.send_signal(signum)

    @property
    def well(self):
        """Whether the training has ended as it should."""
        return self._process.returncode == 0

    @property
    def signum(self):
        """The signal that has ended the training, at once or after it had saved; 0 for none."""
        code = self._process.returncode
        signum = -code if code < 0 else code - 128
        return signum if signum in signal.valid_signals() else 0

    def reason(self):
        """Why it has ended, in one line: the last one that it has said, and the signal."""
        said = self._last_said()
        if self.signum:
            return f'ended by {signal.Signals(self.signum).name}' + (f' after: {said}' if said else '')
        return said or f'ended with the exit code {self._process.returncode}, without a word'

    def _last_said(self):
        try:
            with open(self.log, 'rb') as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                text = file.read().decode(errors='replace').strip()
        except OSError:
            return ''
        said = last_line(text) if text else ''
        said = ''.join(letter if letter.isprintable() else '?' for letter in said)   # a terminal would obey others
        return said[said.find(': ') + 2:][:_LONGEST] if said.startswith('gluonzoo train: ') else said[:_LONGEST]
