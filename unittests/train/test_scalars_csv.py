"""scalars.csv: every number once, whatever happens to the file."""
import os
import signal

import pytest
import toys

from gluonzoo.train import CheckpointError, Interrupted, Run, ScalarsCSV, fit
from gluonzoo.train.callbacks import Plot, read_scalars


class Stop:
    """Stops the training once, at a step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, loop, step, scalars):
        if step == self.step:
            loop.signals.received = 15


def test_csv(loop):
    callback = ScalarsCSV()
    callback.on_start(loop)
    callback.on_step(loop, 1, {'loss': 0.1 + 0.2, 'lr_net': 1e-05})
    loop.step = 2
    callback.on_epoch(loop, 0, {'map': 0.5})
    path = loop.run.directory / 'scalars.csv'
    text = 'step,name,value\n1,loss,0.30000000000000004\n1,lr_net,1e-05\n2,map,0.5\n'
    assert path.read_text().replace('\r', '') == text   # already before the end
    callback.on_end(loop)
    assert read_scalars(path) == [(1, 'loss', 0.1 + 0.2), (1, 'lr_net', 1e-05), (2, 'map', 0.5)]


@pytest.mark.parametrize('rest', ['', '4,lo', '4,loss,0.', '4,loss,0.123'])
def test_csv_is_cut_back(loop, rest):
    """To the step of the checkpoint; also what a kill has cut short."""
    path = loop.run.directory / 'scalars.csv'
    path.write_text('step,name,value\n1,loss,0.5\n2,loss,0.25\n3,loss,0.125\n' + rest)
    loop.step = 2
    callback = ScalarsCSV()
    callback.on_start(loop)
    callback.on_step(loop, 3, {'loss': 9.0})
    callback.on_end(loop)
    assert read_scalars(path) == [(1, 'loss', 0.5), (2, 'loss', 0.25), (3, 'loss', 9.0)]


DAMAGES = {   # what is in the place of what, and in which line
    'a letter in a step': ('2,loss', 'x,loss', 3),
    'a step that no number holds': ('2,loss', f'{10 ** 400},loss', 3),
    'a step below 0': ('2,loss', '-2,loss', 3),
    'a letter in a value': ('0.25', '0.z5', 3),
    'no character': (b'1,loss', b'\xff,loss', 2),
    'a zero': (b'1,loss', b'\0,loss', 2),
    'a comma more': ('2,loss', '2,,', 3),
    'an empty line': ('2,loss,0.25', '', 3),
    'another heading': ('step,name', 'stop,name', 1),
    'no heading': ('step,name,value\n', '', 1),
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_damaged_csv(loop, damage):
    """The training's numbers go on. The damaged file is kept, and it is said which line is damaged."""
    path = loop.run.directory / 'scalars.csv'
    old, new, line = DAMAGES[damage]
    whole = 'step,name,value\n1,loss,0.5\n2,loss,0.25\n3,loss,0.125\n'
    damaged = whole.encode().replace(*(word.encode() if isinstance(word, str) else word for word in (old, new)))
    path.write_bytes(damaged)
    with pytest.raises(CheckpointError, match='has no heading' if line == 1 else f'line {line}: must be'):
        read_scalars(path)
    loop.step = 3
    callback = ScalarsCSV()
    with pytest.raises(CheckpointError, match=f'the first of them line {line}; scalars-damaged.csv is the file as it'):
        callback.on_start(loop)
    callback.on_step(loop, 4, {'loss': 1.0})
    callback.on_end(loop)
    rest = [row for row in [(1, 'loss', 0.5), (2, 'loss', 0.25), (3, 'loss', 0.125)] if row[0] != line - 1]
    if damage == 'no heading':
        rest = rest[1:]   # its first row stands where the heading should be
    assert read_scalars(path) == [*rest, (4, 'loss', 1.0)]
    assert (path.parent / 'scalars-damaged.csv').read_bytes() == damaged
    assert 'lacks what 1 damaged line(s) held' in callback.missing()
    path.write_bytes(damaged)   # once more
    with pytest.raises(CheckpointError, match='scalars-damaged-2.csv'):
        callback.on_start(loop)
    assert (path.parent / 'scalars-damaged.csv').read_bytes() == damaged


@pytest.mark.parametrize('rows, count', [('1,loss,0.5\n4,loss,0.5\n5,loss,0.5\n', 2), (None, 4)])
def test_csv_with_gaps(loop, rows, count):
    """Steps whose numbers a kill has taken, while the disk was full, are missing for good: that is said."""
    path = loop.run.directory / 'scalars.csv'
    if rows:
        path.write_text(f'step,name,value\n{rows}')
    loop.step = 4
    callback = ScalarsCSV()
    with pytest.raises(CheckpointError, match=f'lacks the numbers of {count} of the 4 steps before'):
        callback.on_start(loop)
    callback.on_step(loop, 5, {'loss': 0.25})
    assert callback.missing() == f'lacks the numbers of {count} of the 4 steps before'
    assert read_scalars(path)[-1] == (5, 'loss', 0.25)


def test_csv_on_a_full_disk(loop, full):
    callback = ScalarsCSV()
    callback.on_start(loop)
    with full(size=20):
        for step in (1, 2):
            with pytest.raises(OSError):
                callback.on_step(loop, step, {'loss': 0.5})
        assert callback.missing() == 'lacks the numbers from step 1 on'
    callback.on_end(loop)
    assert callback.missing() == ''
    assert read_scalars(loop.run.directory / 'scalars.csv') == [(1, 'loss', 0.5), (2, 'loss', 0.5)]


def test_csv_of_a_resumed_training(tmp_path):
    """Every step once, and as in an unbroken one."""
    def rows(name, stops):
        for i, stop in enumerate([*stops, None]):
            run = Run.create(tmp_path / name, {}, resume=i > 0)
            try:
                fit(toys.Classify(), toys.loader(), run, epochs=2, schedule={'name': 'constant'},
                    validation=toys.loader(8), callbacks=[ScalarsCSV(), Stop(stop)], checkpoint_every=4)
            except Interrupted:
                pass
            del run
        return [row for row in read_scalars(tmp_path / name / 'scalars.csv') if row[1] != 'data_wait']

    whole = rows('whole', [])
    assert [step for step, name, _ in whole if name == 'loss'] == list(range(1, 13))
    assert rows('broken', [1, 4, 9]) == whole


def test_csv_after_a_stop_in_the_last_step_a_resume_and_a_kill(tmp_path):
    """Each number once: of the stop no evaluation is there, of the kill one that is not in a checkpoint."""
    class Kill:
        def on_epoch(self, loop, epoch, metrics):
            raise KeyboardInterrupt   # nothing is saved after it

    for resume, callbacks, ends in (
            (False, [Stop(6)], Interrupted), (True, [Kill()], KeyboardInterrupt), (True, [], ())):
        run = Run.create(tmp_path / 'run', {}, resume=resume)
        try:
            fit(toys.Classify(), toys.loader(), run, epochs=2, schedule={'name': 'constant'},
                validation=toys.loader(8), callbacks=[ScalarsCSV(), *callbacks])
        except ends:
            assert [path.name for path in run.checkpoints()] == ['step-00000006']
    rows = [(step, name) for step, name, _ in read_scalars(tmp_path / 'run' / 'scalars.csv')]
    assert len(rows) == len(set(rows)) and [step for step, name in rows if name == 'accuracy'] == [6, 12]
    assert [step for step, name in rows if name == 'loss'] == list(range(1, 13))


def test_csv_of_an_evaluation_that_was_killed(loop):
    """Made before a kill, but not saved: it is made again, and its metrics are there once."""
    path = loop.run.directory / 'scalars.csv'
    loop.step, loop.batch = 2, 2   # all batches of the epoch are used; it counts as not evaluated
    for _ in range(2):
        path.write_text('step,name,value\n1,loss,0.5\n2,loss,0.25\n2,data_wait,0.5\n2,map,0.75\n3,loss,9.0\n')
        callback = ScalarsCSV()
        callback.on_start(loop)
        callback.on_epoch(loop, 0, {'data_wait': 0.25, 'map': 0.75})
        callback.on_end(loop)
        assert read_scalars(path) == [(1, 'loss', 0.5), (2, 'loss', 0.25), (2, 'data_wait', 0.25), (2, 'map', 0.75)]


@pytest.mark.parametrize('name', ['Männer/AP', 'a,b', '"', 'x\udcff'])
def test_names(loop, name, monkeypatch):
    """In UTF-8, whatever the locale says."""
    callback = ScalarsCSV()
    callback.on_start(loop)
    callback.on_step(loop, 1, {name: 0.5})
    callback.on_start(loop)
    rows = read_scalars(loop.run.directory / 'scalars.csv')
    assert rows == [] and callback.missing() == ''   # of step 0
    callback.on_step(loop, 1, {name: 0.5})
    rows = read_scalars(loop.run.directory / 'scalars.csv')
    assert rows == [(1, name.encode(errors='backslashreplace').decode(), 0.5)]


@pytest.mark.parametrize('read', [lambda loop, path: read_scalars(path),
                                  lambda loop, path: Plot().on_epoch(loop, 0, {}),
                                  lambda loop, path: ScalarsCSV().on_start(loop)], ids=['read', 'plot', 'start'])
def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(loop, read):
    path = loop.run.directory / 'scalars.csv'
    os.mkfifo(path)
    signal.alarm(20)   # ends the process, which would wait without end
    try:
        with pytest.raises(ValueError, match=f'^{path}: is a '):
            read(loop, path)
    finally:
        signal.alarm(0)
