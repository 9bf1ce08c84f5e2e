"""The launcher, with commands that know nothing of MXNet. (test_distributed.py trains with it.)"""
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from gluonzoo.train import launch as launcher

SOON = 15   # seconds; the processes imported for the job take some of them on a busy machine

# Runs the command line on a terminal of its own, as sshd would; what is typed is what comes in.
SSH = '''
import os, pty, sys
*options, host, line = sys.argv[1:]
assert options == ['-p', '22', '-tt', '-o', 'BatchMode=yes'], options
print('ssh to', host, flush=True)
for name in list(os.environ):
    if name.startswith(('DMLC', 'OMP', 'PYTHON')):
        del os.environ[name]   # does not travel
os.chdir('/')
sys.exit(os.waitstatus_to_exitcode(pty.spawn(['sh', '-c', line])))
'''


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(launcher, 'PATIENCE', 0.2)
    monkeypatch.setattr(launcher, 'GRACE', 0.5)
    yield
    for pid in Launcher.running:   # of a test that failed
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    Launcher.running.clear()


def launch(script, *arguments, workers=2, **keywords):
    return launcher.launch(['sh', '-c', script, 'sh', *map(str, arguments)], workers, **keywords)


class Launcher:
    """The command line in a process of its own. A copy of this one, which need not import everything again."""
    running = set()

    def __init__(self, out, *arguments):
        self.out = out
        self.pid = os.fork()
        if not self.pid:
            sys.stdout = sys.stderr = open(out, 'w')
            code = 1
            signal.signal(signal.SIGHUP, signal.SIG_DFL)   # also where the tests run under nohup
            try:
                code = launcher.main(list(map(str, arguments)))
            finally:
                sys.stdout.flush()
                os._exit(code)

        self.running.add(self.pid)

    def send(self, signum):
        os.kill(self.pid, signum)

    def end(self):
        """(exit code, what was printed)"""
        status = os.waitpid(self.pid, 0)[1]
        self.running.remove(self.pid)
        return os.waitstatus_to_exitcode(status), self.out.read_text()


@pytest.fixture
def pids(tmp_path):
    """A directory where the members put their process numbers, as names."""
    (tmp_path / 'pids').mkdir()
    return tmp_path / 'pids'


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'   # ended, and nobody has asked how
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=SOON):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_a_worker_gets_and_prints(capfd, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    code = launch('echo $DMLC_ROLE of $DMLC_NUM_WORKER at $DMLC_PS_ROOT_URI by $DMLC_INTERFACE, '
                  '$OMP_NUM_THREADS thread; echo and an error >&2; printf unfinished', servers=2)
    out, err = capfd.readouterr()
    assert code == 0
    for i in range(2):
        assert f'[worker {i}] worker of 2 at 127.0.0.1 by lo, 1 thread\n' in out and f'[worker {i}] unfinished\n' in out
        assert f'[worker {i}] and an error\n' in err
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize('end, code', [('exit 3', 3), ('kill -9 $$', 137), ('exit 1', 1)])
def test_one_fails(tmp_path, capfd, end, code):
    """The others are ended, with what they have started, and its code is the job's."""
    begun = time.monotonic()
    assert launch(f'if mkdir $1/first; then sleep 0.2; {end}; fi; trap "" TERM; '
                  'sleep 1000 & echo $! $$ > $1/pids; wait', tmp_path) == code
    assert time.monotonic() - begun < SOON
    assert not any(map(alive, (tmp_path / 'pids').read_text().split()))
    said = f'{code} (SIGKILL)' if code == 137 else code
    assert f'ended with exit code {said}: the job ends' in capfd.readouterr().err


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal(tmp_path, pids, signum):
    """The workers get it, and have the time they need, each its own."""
    job = Launcher(tmp_path / 'out', '--workers', 2, '--', 'sh', '-c',
                   f'if mkdir $0/first; then t=0; else t=1.5; fi; trap "sleep $t; echo saved; exit {128 + signum}" '
                   f'{signum.name[3:]}; mkdir $0/$$; while true; do sleep 0.1; done', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 3)
    job.send(signum)
    code, out = job.end()
    assert code == 128 + signum and out.count('saved') == 2 and 'the job ends' not in out
    assert not any(alive(path.name) for path in pids.iterdir())


def test_second_signal(tmp_path, pids):
    """Ends all at once."""
    job = Launcher(tmp_path / 'out', '--workers', 2, '--', 'sh', '-c',
                   'trap "mkdir $0/heard$$" INT; mkdir $0/$$; while true; do sleep 0.1; done', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 2)
    job.send(signal.SIGINT)
    wait_for(lambda: len(list(pids.iterdir())) == 4)
    job.send(signal.SIGINT)
    assert job.end()[0] == 130
    assert not any(alive(path.name) for path in pids.iterdir())


def test_launcher_is_killed(tmp_path, pids):
    """Nobody is left, whatever they have started."""
    job = Launcher(tmp_path / 'out', '--workers', 2, '--', 'sh', '-c', 'sleep 1000 & mkdir $0/$! $0/$$; wait', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 4)
    with open(f'/proc/{job.pid}/task/{job.pid}/children') as file:
        children = file.read().split()
    assert len(children) == 5   # scheduler, server, two workers, and the watcher
    job.send(signal.SIGKILL)
    job.end()
    wait_for(lambda: not any(map(alive, [*children, *(path.name for path in pids.iterdir())])))


@pytest.mark.parametrize('member', range(1, 5))
def test_launcher_is_killed_while_it_starts_a_member(tmp_path, pids, monkeypatch, member):
    """Before it has told anybody of the new process: that one ends, and has not begun."""
    class Killing(subprocess.Popen):
        started = []

        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            self.started.append(self.pid)
            if len(self.started) == 1 + member:   # the watcher is the first
                (tmp_path / 'started').write_text(' '.join(map(str, self.started)))
                os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(launcher.subprocess, 'Popen', Killing)
    Launcher(tmp_path / 'out', '--workers', 2, '--', 'sh', '-c', 'mkdir $0/begun$$; exec sleep 1000', pids).end()
    started = (tmp_path / 'started').read_text().split()
    assert len(started) == 1 + member
    wait_for(lambda: not any(map(alive, started)))
    assert len(list(pids.iterdir())) <= max(0, member - 3)   # of the workers only the first, before the second


def test_worker_that_ends_alone(tmp_path, capfd):
    """Without having joined, so that the other waits for it in MXNet."""
    begun = time.monotonic()
    assert launch('mkdir $1/first && exit 0; trap "" TERM; sleep 1000', tmp_path, wait=0.5) == 1
    assert time.monotonic() - begun < SOON
    assert re.search(r'launch: worker \d has not ended 0.5 seconds after worker \d: the job ends',
                     capfd.readouterr().err)


def test_workers_that_end_one_after_the_other(tmp_path):
    assert launch('mkdir $1/first && exit 0; sleep 1', tmp_path, wait=SOON) == 0


def test_signal_to_a_worker_that_waits(tmp_path, pids):
    """One Ctrl-C ends the job, though one worker waits for the other in MXNet, where it hears nothing."""
    job = Launcher(tmp_path / 'out', '--workers', 2, '--wait', 0.5, '--', 'sh', '-c',
                   'if mkdir $0/first; then trap "exit 130" INT; else trap "" INT; fi; mkdir $0/$$; '
                   'while true; do sleep 0.1; done', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 3)
    job.send(signal.SIGINT)
    code, out = job.end()
    assert code == 130 and 'has not ended 0.5 seconds after' in out
    assert not any(alive(path.name) for path in pids.iterdir())


def test_what_it_waits_for_after_a_signal(tmp_path, pids, monkeypatch):
    monkeypatch.setattr(launcher, 'HINT', 0.2)
    job = Launcher(tmp_path / 'out', '--workers', 1, '--', 'sh', '-c',
                   'trap "sleep 1; exit 130" INT; mkdir $0/$$; while true; do sleep 0.1; done', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 1)
    job.send(signal.SIGINT)
    code, out = job.end()
    assert code == 130 and out.count('a second Ctrl-C ends all at once') == 1


def test_stopped_member(tmp_path):
    """Is named, and when it goes on."""
    job = Launcher(tmp_path / 'out', '--workers', 1, '--', 'sh', '-c', 'kill -STOP $$; echo done')
    wait_for(lambda: (tmp_path / 'out').exists() and 'has been stopped' in (tmp_path / 'out').read_text())
    pid = re.search(r'launch: worker 0 has been stopped, and the others wait for it: kill -CONT (\d+)',
                    (tmp_path / 'out').read_text())[1]
    os.kill(int(pid), signal.SIGCONT)
    code, out = job.end()
    assert code == 0 and '[worker 0] done' in out and out.count('stopped') == 1


class Ascii(io.TextIOWrapper):
    """Of a locale that lacks most characters."""

    def __init__(self, path):
        super().__init__(open(path, 'wb'), encoding='ascii')


def closed_pipe(path):
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, 'w')


@pytest.mark.parametrize('out', [Ascii, closed_pipe, lambda path: open('/dev/full', 'w')])
def test_output_that_fails(tmp_path, monkeypatch, out):
    """The job goes on: nobody waits at a full pipe."""
    stream = out(tmp_path / 'out')
    monkeypatch.setattr(sys, 'stdout', stream)
    monkeypatch.setattr(sys, 'stderr', stream)
    code = launch('echo grün; echo grün >&2; yes | head -c 200000; yes | head -c 200000 >&2; mkdir $1/end$$', tmp_path)
    assert code == 0 and len(list(tmp_path.glob('end*'))) == 2
    if isinstance(stream, Ascii):
        assert '[worker 0] gr\\xfcn\n' in (tmp_path / 'out').read_text()
    with suppress(OSError):
        stream.close()


@pytest.mark.parametrize('target', ['/dev/full', '|true'])
def test_output_that_fails_and_the_exit_code(tmp_path, target):
    """The exit code is the job's, whatever happens to its output."""
    words = [sys.executable, '-m', 'gluonzoo.train.launch', '--workers', '1', '--', 'sh', '-c', 'echo said; exit 3']
    line = f'{shlex.join(words)} 2>&1'
    line = f'{{ {line}; echo $? > {tmp_path}/code; }} | true' if target == '|true' else f'{line} > {target}'
    code = subprocess.run(['sh', '-c', line], timeout=60).returncode
    assert (int((tmp_path / 'code').read_text()) if target == '|true' else code) == 3


@pytest.fixture
def ssh(tmp_path):
    (tmp_path / 'ssh.py').write_text(SSH)
    return f'{sys.executable} {tmp_path}/ssh.py -p 22'


def test_hosts(tmp_path, capfd, monkeypatch, ssh):
    monkeypatch.setenv('PYTHONPATH', '/some where')
    assert launch('echo $DMLC_ROLE at $DMLC_PS_ROOT_URI:${#DMLC_PS_ROOT_PORT}, $OMP_NUM_THREADS threads, $PYTHONPATH; '
                  'pwd; exit "$1"', 4, hosts=['me@localhost', 'b'], threads=3, ssh=ssh) == 4
    out = capfd.readouterr().out
    assert '[worker 0] ssh to me@localhost\n' in out and '[server 0] ssh to me@localhost\n' in out
    assert '[worker 1] ssh to b\n' in out and f'[worker 0] {os.getcwd()}\n' in out
    assert '[worker 0] worker at 127.0.0.1:5, 3 threads, /some where\n' in out


def test_hosts_and_ctrl_c(tmp_path, pids, ssh):
    """It gets to the other side, where it is typed."""
    job = Launcher(tmp_path / 'out', '--workers', 2, '--hosts', 'a,b', '--address', '127.0.0.1', '--ssh', ssh, '--',
                   'sh', '-c', 'trap "echo saved; exit 130" INT; mkdir $0/$$; while true; do sleep 0.1; done', pids)
    wait_for(lambda: len(list(pids.iterdir())) == 2)
    job.send(signal.SIGTERM)
    code, out = job.end()
    assert code == 130 and out.count('saved') == 2
    assert not any(alive(path.name) for path in pids.iterdir())


@pytest.mark.parametrize('arguments, message', [
    (['--', 'true'], 'required: --workers'),
    (['--workers', '2'], 'required: COMMAND'),
    (['--workers', '0', '--', 'true'], '--workers: must be 1 or more: 0'),
    (['--workers', '1', '--servers', '-1', '--', 'true'], '--servers: must be 1 or more: -1'),
    (['--workers', '1', '--threads', '0', '--', 'true'], '--threads: must be 1 or more: 0'),
    (['--workers', '1', '--wait', '-1', '--', 'true'], '--wait: must be 0 or more: -1'),
    (['--workers', '1', '--wait', 'nan', '--', 'true'], '--wait: must be 0 or more: nan'),
    (['--workers', '1', '--hosts', 'a', '--ssh', ' ', '--', 'true'], '--ssh: must be a command'),
])
def test_arguments(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        launcher.main(arguments)
    assert caught.value.code == 2 and message in capsys.readouterr().err


def test_ctrl_c_while_it_is_imported(tmp_path):
    """One line, no traceback."""
    (tmp_path / 'mxnet.py').write_text('raise KeyboardInterrupt')
    ended = subprocess.run([sys.executable, '-m', 'gluonzoo.train.launch', '--help'], capture_output=True, text=True,
                           env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(tmp_path), *sys.path])}, timeout=60)
    assert ended.returncode and (ended.stdout, ended.stderr) == ('', 'gluonzoo: interrupted\n')


def children():
    with open(f'/proc/{os.getpid()}/task/{os.getpid()}/children') as file:
        return set(file.read().split())


@pytest.mark.parametrize('words, code, message', [
    (['--', 'no-such-command'], 127, 'launch: no-such-command: is no program that can be run\n'),
    (['--', '/'], 127, 'launch: /: is no program that can be run\n'),
    (['--hosts', 'a', '--ssh', 'no-such-ssh -v', '--address', '127.0.0.1', '--', 'true'], 127,
     'launch: no-such-ssh: is no program that can be run\n')])
def test_what_cannot_be_started(capfd, words, code, message):
    """Is one line, and nothing has been started."""
    before = children()
    assert launcher.main(['--workers', '1', *words]) == code
    assert capfd.readouterr().err == message and children() == before


def test_command_that_does_not_exist(tmp_path):
    before = children()   # of other tests, such as the resource tracker of multiprocessing
    with pytest.raises(FileNotFoundError, match='no-such-command'):
        launcher.launch(['no-such-command'], 1)
    assert not any(map(alive, children() - before))   # what was started before it is ended
