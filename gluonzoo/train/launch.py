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
the job is that of the first member that failed. SIGINT (Ctrl-C) and SIGTERM go to the workers, which save and end; a
second signal ends all members at once. (Over ssh, both signals arrive as Ctrl-C.) If the launcher itself is killed, a
watcher ends the members.
"""
import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

from .. import runtime

__all__ = ['launch', 'main']

PATIENCE = 1   # seconds for the others to say what they have to say, when one has failed
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

_SERVE = ['-m', 'gluonzoo.runtime']
_CARRIED = ('PYTHON', 'MXNET_', 'PS_', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV', 'PATH')   # beginnings of names


class Member:
    """A process of the job. It has a process group of its own, with all processes that it starts."""

    def __init__(self, name, command, environment, host=None, ssh='ssh'):
        self.name = name
        self.remote = host is not None
        if self.remote:
            # -tt: a terminal on the other side, so that Ctrl-C gets there, and everything ends when the line is cut.
            words = [f'{key}={value}' for key, value in environment.items()]
            line = f'cd {shlex.quote(os.getcwd())} && exec env {shlex.join([*words, *command])}'
            command, environment = [*shlex.split(ssh), '-tt', '-o', 'BatchMode=yes', host, line], {}
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.PIPE if self.remote else subprocess.DEVNULL, start_new_session=True)
        self._readers = [threading.Thread(target=self._copy, args=pair, daemon=True) for pair in
                         ((self.process.stdout, sys.stdout), (self.process.stderr, sys.stderr))]
        for reader in self._readers:
            reader.start()

    def _copy(self, source, target):
        for line in source:
            target.write(f'[{self.name}] {line.decode(errors="replace").rstrip()}\n')
            target.flush()

    def code(self):
        """The exit code, as a shell would give it; None as long as the process runs."""
        code = self.process.poll()
        return 128 - code if code is not None and code < 0 else code

    def send(self, signum):
        if self.remote and signum != signal.SIGKILL:
            try:
                self.process.stdin.write(b'\x03')   # what Ctrl-C types
                self.process.stdin.flush()
            except BrokenPipeError:
                pass
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


def launch(command, workers, servers=1, hosts=(), *, threads=None, address=None, interface=None, ssh='ssh'):
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

    Returns
    -------
    int: 0 if all went well, else the exit code of the first member that failed, 128 + the signal's number if it was
    killed.
    """
    address = address or (_address_seen_from(hosts[0].split('@')[-1]) if hosts else '127.0.0.1')
    job = {'DMLC_PS_ROOT_URI': address, 'DMLC_PS_ROOT_PORT': str(_free_port()), 'DMLC_NUM_WORKER': str(workers),
           'DMLC_NUM_SERVER': str(servers)}
    if interface or not hosts:
        job['DMLC_INTERFACE'] = interface or 'lo'
    if hosts:
        job.update({key: value for key, value in os.environ.items() if key.startswith(_CARRIED)})
    elif threads is None:   # fewer, if the environment says so
        cores = runtime.physical_cores()
        threads = max(1, min(int(os.environ.get('OMP_NUM_THREADS') or cores), cores // workers))
    if threads:
        job['OMP_NUM_THREADS'] = str(threads)

    def start(name, role, command, place):
        host = hosts[place % len(hosts)] if hosts and role != 'scheduler' else None
        member = Member(name, command, {**job, 'DMLC_ROLE': role}, host, ssh)
        watcher.stdin.write(f'{member.process.pid}\n')
        watcher.stdin.flush()
        members.append(member)

    members, received = [], []
    watcher = subprocess.Popen([sys.executable, '-S', '-c', _WATCHER], stdin=subprocess.PIPE, text=True,
                               start_new_session=True)
    former = {number: signal.signal(number, lambda signum, frame: received.append(signum))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        start('scheduler', 'scheduler', [sys.executable, *_SERVE], 0)
        for i in range(servers):
            start(f'server {i}', 'server', [sys.executable, *_SERVE], i)
        for i in range(workers):
            start(f'worker {i}', 'worker', command, i)
        return _watch(members, members[-workers:], received)
    finally:
        for member in members:
            member.send(signal.SIGKILL)
        for member in members:
            member.finish()
        watcher.communicate('done\n')
        for number, handler in former.items():
            signal.signal(number, handler)


def _watch(members, workers, received):
    """Waits until the job ends, and ends it after a failure or a signal. Returns the exit code."""
    forwarded, failed = 0, None
    while any(worker.code() is None for worker in workers):
        # A worker that was told to stop may end with that signal's code while the others are still saving.
        expected = {0, None, *(128 + signum for signum in received)}
        failed = next((member for member in members if member.code() not in expected), None)
        if failed or len(received) > 1:
            break
        for signum in received[forwarded:]:
            for worker in workers:
                worker.send(signum)
        forwarded = len(received)
        time.sleep(0.05)
    failed = failed or next((worker for worker in workers if worker.code()), None)
    if failed:
        if failed.code() not in (128 + signum for signum in received):
            code = _words_of(failed.code())
            print(f'launch: {failed.name} ended with exit code {code}: the job ends', file=sys.stderr)
        _wait(members, PATIENCE)
        for member in members:
            member.send(signal.SIGTERM)
    elif received and any(worker.code() is None for worker in workers):
        return 128 + received[0]   # told twice: at once
    _wait(members, GRACE)
    return failed.code() if failed else 0


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
    parser.add_argument('command', nargs='+', metavar='COMMAND')
    args = parser.parse_args(arguments)
    for name in ('workers', 'servers', 'threads'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f'--{name}: must be 1 or more: {getattr(args, name)}')
    return launch(args.command, args.workers, args.servers, [host for host in args.hosts.split(',') if host],
                  threads=args.threads, address=args.address, interface=args.interface, ssh=args.ssh)


if __name__ == '__main__':
    sys.exit(main())
