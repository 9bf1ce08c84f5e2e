"""Ctrl-C, SIGTERM and a terminal that is closed: finish the present step, save, and only then end."""
import signal
import threading
from contextlib import closing

__all__ = ['Interrupted', 'Signals', 'SIGNALS', 'heeded']

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded():
    """Those of the signals that this process shall heed: not SIGHUP, if it was started by nohup."""
    return [number for number in SIGNALS
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


class Interrupted(SystemExit):
    """Training was stopped by a signal, and can be resumed.

    If it is not caught, the process ends with the usual exit code of a shell: 130 after SIGINT, 143 after SIGTERM, 129
    after SIGHUP.

    Attributes
    ----------
    signum : int
    """

    def __init__(self, signum):
        super().__init__(128 + signum)
        self.signum = signum


class Signals:
    """Within this context the signals are only noted, in `received`; a second SIGINT ends the process at once.

    The signals are SIGINT, SIGTERM and, unless it is ignored as by nohup, SIGHUP.

    Outside of the main thread, where Python handles no signals, nothing is received.
    """

    def __init__(self):
        self.received = 0
        self._former = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in heeded()}
        return self

    def __exit__(self, *error):
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, signum, frame):
        self.received = self.received or signum
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def watch(self, batches):
        """The items of a generator, until a signal is received: then Interrupted is raised in their place."""
        with closing(batches):
            for batch in batches:
                if self.received:
                    raise Interrupted(self.received)
                yield batch
