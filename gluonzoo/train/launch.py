"""Starts a training on several workers, here or on other machines. When one process dies, the whole job ends.

::

    python -m gluonzoo.train.launch --workers 2 -- gluonzoo train dsod --data data/pikachu --kvstore dist_sync
    python -m gluonzoo.train.launch --workers 4 --servers 2 --hosts red,blue -- gluonzoo train dsod ...

The members of the job are a scheduler, which runs here; the servers, which add up the gradients; and the workers, which
run the command. Without --hosts, servers and workers run here, too. With --hosts they are started by ssh, on the hosts
in turn, in the same directory as here. Ssh must not ask for a password: ``ssh HOST true`` must work. The hosts need the
same Python at the same place. Environment variables about Python and MXNet go with the command. Each line that a member
prints begins with the member's name.

When a member fails, the other members are ended within seconds, since they would wait for it for ever. The exit code of
the job is that of the first member that failed. Workers end together: when one has ended well, the others have a minute
(--wait), and then the job ends with exit code 1. SIGINT (Ctrl-C), SIGTERM and SIGHUP go to the workers, which save and
end; a second signal ends all members at once. (Over ssh, all signals arrive as Ctrl-C.) If the launcher itself is
killed, a watcher ends the members. A member that somebody has stopped (SIGSTOP) is named. When nobody reads what the
launcher prints any more, the job goes on.
"""
import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

from .. import runtime
from ..cores import physical_cores
from .signals import heeded

__all__ = ['launch', 'main']

PATIENCE = 1   # seconds for the others to say what they have to say, when one has failed
WAIT = 60   # seconds for the other workers to end, when one has ended
HINT = 10   # seconds after a signal, until it is said what the job waits for
GRACE = 4   # more seconds from SIGTERM to SIGKILL, and for scheduler and servers to end after the workers

# Kills the process groups that it has read, when its input ends without the last word.
_WATCHER = '''
import os, signal, sys
groups = set()
for line in sys.stdin:
    if line == 'done\\n':
        sys.exit()
    groups.add(int(line))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
'''

# Runs a command when it has read a line. So a member does nothing before the watcher knows it, and ends without having
# done anything if the launcher is killed.
_GATE = ['sh', '-c', 'read -r go && exec "$@"', 'sh']

_SERVE = ['-m', 'gluonzoo.runtime']
_CARRIED = ('PYTHON', 'MXNET_', 'PS_', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV', 'PATH')   # beginnings of names


class Member:
    """A process of the job. It has a process group of its own, with all processes that it starts.

    The command is run by :meth:`go`. Until then the process waits.
    """

    def __init__(self, name, command, environment, host=None, ssh='ssh'):
        self.name = name
        self.remote = host is not None
        if self.remote:
            # -tt: a terminal on the other side, so that Ctrl-C gets there, and everything ends when the line is cut.
            words = [f'{key}={value}' for key, value in environment.items()]
            line = f'cd {shlex.quote(os.getcwd())} && exec env {shlex.join([*words, *command])}'
            command, environment = [*shlex.split(ssh), '-tt', '-o', 'BatchMode=yes', host, line], {}
        self.process = subprocess.Popen(
            [*_GATE, *command], env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.PIPE, start_new_session=True)
        self._readers = [threading.Thread(target=self._copy, args=pair, daemon=True) for pair in
                         ((self.process.stdout, sys.stdout), (self.process.stderr, sys.stderr))]
        for reader in self._readers:
            reader.start()

    def go(self):
        self._type(b'\n')
        if not self.remote:
            self.process.stdin.close()

    def _type(self, keys):
        with suppress(BrokenPipeError):   # it has ended
            self.process.stdin.write(keys)
            self.process.stdin.flush()

    def _copy(self, source, target):
        for line in source:   # to the end in any case: a full pipe would hold up the member
            _show(f'[{self.name}] {line.decode(errors="replace").rstrip()}', target)

    def say_if_stopped(self):
        """Names a process that somebody has stopped, once for each time."""
        with suppress(ChildProcessError):
            state = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
            if state and state.si_code in (os.CLD_STOPPED, os.CLD_CONTINUED):
                stopped = state.si_code == os.CLD_STOPPED
                _say(f'{self.name} has been stopped, and the others wait for it: kill -CONT {self.process.pid}'
                     if stopped else f'{self.name} goes on')

    def code(self):
        """The exit code, as a shell would give it; None as long as the process runs."""
        code = self.process.poll()
        return 128 - code if code is not None and code < 0 else code

    def send(self, signum):
        if self.remote and signum != signal.SIGKILL:
            self._type(b'\x03')   # what Ctrl-C types
            return
        try:
            os.killpg(self.process.pid, signum)
        except ProcessLookupError:
            pass

    def finish(self):
        """Ends what the process has left behind, and shows what it printed last."""
        self.send(signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join(GRACE)


def _say(line):
    _show(f'launch: {line}', sys.stderr)


def _show(line, stream):
    """Prints a line. What the stream does not take is lost: it may be closed, full, or lack a character."""
    encoding = stream.encoding or 'utf-8'
    with suppress(OSError, ValueError):
        stream.write(line.encode(encoding, 'backslashreplace').decode(encoding) + '\n')
        stream.flush()


def launch(command, workers, servers=1, hosts=(), *, threads=None, address=None, interface=None, ssh='ssh', wait=WAIT):
    """Runs the command on all workers: see :mod:`gluonzoo.train.launch`.

    Parameters
    ----------
    command : list of str
    workers, servers : int
    hosts : sequence of str
        for ssh; none: all is started here
    threads : int or None
        of each member. None: workers here share the physical cores; a member on a host has all cores of the host.
    address : str or None
        the address of this machine, as the hosts see it; None: that of the route to the first host
    interface : str or None
        the network interface that the hosts use; None: MXNet chooses
    ssh : str
        the command that takes a host and a command line
    wait : float
        seconds that the other workers have, when one has ended

    Returns
    -------
    int: 0 if all went well, else the exit code of the first member that failed, 128 + the signal's number if it was
    killed; 1 if workers did not end in time.

    Raises FileNotFoundError if there is no such program as the command's (or ssh's) first word, before anything starts.
    """
    program = shlex.split(ssh)[0] if hosts else command[0]
    if not shutil.which(program):
        raise FileNotFoundError(f'{program}: is no program that can be run')
    address = address or (_address_seen_from(hosts[0].split('@')[-1]) if hosts else '127.0.0.1')
    job = {'DMLC_PS_ROOT_URI': address, 'DMLC_PS_ROOT_PORT': str(_free_port()), 'DMLC_NUM_WORKER': str(workers),
           'DMLC_NUM_SERVER': str(servers)}
    if interface or not hosts:
        job['DMLC_INTERFACE'] = interface or 'lo'
    if hosts:
        job.update({key: value for key, value in os.environ.items() if key.startswith(_CARRIED)})
    elif threads is None:   # fewer, if the environment says so
        threads = max(1, min(runtime.threads(), physical_cores() // workers))
    if threads:
        job['OMP_NUM_THREADS'] = str(threads)

    def start(name, role, command, place):
        host = hosts[place % len(hosts)] if hosts and role != 'scheduler' else None
        member = Member(name, command, {**job, 'DMLC_ROLE': role}, host, ssh)
        members.append(member)
        watcher.stdin.write(f'{member.process.pid}\n')
        watcher.stdin.flush()
        member.go()

    members, received = [], []
    watcher = subprocess.Popen([sys.executable, '-S', '-c', _WATCHER], stdin=subprocess.PIPE, text=True,
                               start_new_session=True)

    def note(signum, frame):
        if signum != signal.SIGHUP or signum not in received:   # of one closed terminal, shell and kernel may both tell
            received.append(signum)

    former = {number: signal.signal(number, note) for number in heeded()}
    try:
        start('scheduler', 'scheduler', [sys.executable, *_SERVE], 0)
        for i in range(servers):
            start(f'server {i}', 'server', [sys.executable, *_SERVE], i)
        for i in range(workers):
            start(f'worker {i}', 'worker', command, i)
        return _watch(members, members[-workers:], received, wait)
    finally:
        for member in members:
            member.send(signal.SIGKILL)
        for member in members:
            member.finish()
        watcher.communicate('done\n')
        for number, handler in former.items():
            signal.signal(number, handler)


def _watch(members, workers, received, wait):
    """Waits until the job ends, and ends it after a failure or a signal. Returns the exit code."""
    forwarded, failed, ended, told, hinted = 0, None, None, None, False
    while any(worker.code() is None for worker in workers):
        # A worker that was told to stop may end with that signal's code while the others are still saving.
        expected = {0, None, *(128 + signum for signum in received)}
        failed = next((member for member in members if member.code() not in expected), None)
        if failed or len(received) > 1:
            break
        for signum in received[forwarded:]:
            for worker in workers:
                worker.send(signum)
            told = time.monotonic()
        forwarded = len(received)
        for member in members:
            member.say_if_stopped()
        if ended is None and any(worker.code() is not None for worker in workers):
            ended = time.monotonic()
        if ended is not None and time.monotonic() - ended > wait:
            return _end_late(members, workers, received, wait)
        if told and not hinted and time.monotonic() - told > HINT:
            hinted = True
            _say('waits for workers to save and end; a second Ctrl-C ends all at once')
        time.sleep(0.05)
    failed = failed or next((worker for worker in workers if worker.code()), None)
    if failed:
        if failed.code() not in (128 + signum for signum in received):
            _say(f'{failed.name} ended with exit code {_words_of(failed.code())}: the job ends')
        _wait(members, PATIENCE)
        for member in members:
            member.send(signal.SIGTERM)
    elif received and any(worker.code() is None for worker in workers):
        return 128 + received[0]   # told twice: at once
    _wait(members, GRACE)
    return failed.code() if failed else 0


def _end_late(members, workers, received, wait):
    """Ends workers that wait for one that has left the job. A worker that has not joined leaves without a word."""
    late, gone = ([worker.name for worker in workers if (worker.code() is None) == runs] for runs in (True, False))
    _say(f'{", ".join(late)} {"have" if len(late) > 1 else "has"} not ended {wait:g} seconds after {", ".join(gone)}: '
         'the job ends')
    for member in members:
        member.send(signal.SIGTERM)
    _wait(members, GRACE)
    return 128 + received[0] if received else 1


def _words_of(code):
    """An exit code, with the name of the signal behind it."""
    with suppress(ValueError):
        return f'{code} ({signal.Signals(code - 128).name})'
    return str(code)


def _wait(members, seconds):
    end = time.monotonic() + seconds
    while any(member.code() is None for member in members) and time.monotonic() < end:
        time.sleep(0.05)


def _free_port():
    with socket.socket() as free:
        free.bind(('', 0))
        return free.getsockname()[1]


def _address_seen_from(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:   # nothing is sent
        way.connect((host, 9))
        return way.getsockname()[0]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='python -m gluonzoo.train.launch', description=__doc__.split('\n')[0],
                                     usage='%(prog)s --workers N [options] -- COMMAND')
    parser.add_argument('--workers', type=int, required=True, help='how many run the command')
    parser.add_argument('--servers', type=int, default=1, help='how many add up the gradients (1)')
    parser.add_argument('--hosts', default='', help='a,b: machines for them, by ssh; default: this one')
    parser.add_argument('--threads', type=int, help='of each member; default: a share of the cores here, all of a host')
    parser.add_argument('--address', help='this machine, as the hosts see it')
    parser.add_argument('--interface', help='network interface of the hosts, such as eth0')
    parser.add_argument('--ssh', default='ssh', help="the command and its options, such as 'ssh -p 2222'")
    parser.add_argument('--wait', type=float, default=WAIT, metavar='SECONDS',
                        help=f'that the other workers have to end, when one has ended ({WAIT})')
    parser.add_argument('command', nargs='+', metavar='COMMAND')
    args = parser.parse_args(arguments)
    for name in ('workers', 'servers', 'threads'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f'--{name}: must be 1 or more: {getattr(args, name)}')
    if not args.ssh.strip():
        parser.error('--ssh: must be a command')
    if not args.wait >= 0:
        parser.error(f'--wait: must be 0 or more: {args.wait}')
    try:
        return launch(args.command, args.workers, args.servers, [host for host in args.hosts.split(',') if host],
                      threads=args.threads, address=args.address, interface=args.interface, ssh=args.ssh,
                      wait=args.wait)
    except (OSError, ValueError) as error:   # an unknown program or host, no more processes ...
        _say(error)
        return 127 if isinstance(error, FileNotFoundError) else 1


def _let_go():
    """What was not taken by a closed or full output is dropped, or Python would end with an exit code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == '__main__':
    code = main()
    _let_go()
    sys.exit(code)
