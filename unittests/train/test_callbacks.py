"""What is shown and recorded of a training."""
import re
import struct
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import toys

from gluonzoo.train import (
    CheckpointError,
    Interrupted,
    Plot,
    Progress,
    Run,
    Samples,
    ScalarsCSV,
    TensorBoard,
    fit,
)
from gluonzoo.train.callbacks import read_scalars

PICTURE = np.zeros((8, 10, 3), 'uint8') + np.uint8([250, 10, 130])


@pytest.fixture
def loop(tmp_path):
    """What a callback reads, without a training."""
    batch = object()
    validation = types.SimpleNamespace(closed=[])

    def epoch(e):
        try:
            yield batch
        finally:
            validation.closed.append(e)

    validation.epoch = epoch
    task = types.SimpleNamespace(main_metric=('map', 'max'), picture=lambda seen: PICTURE if seen is batch else None)
    return types.SimpleNamespace(run=types.SimpleNamespace(directory=tmp_path), task=task, validation=validation,
                                 step=0, epoch=0, epochs=2, loader=range(5), signum=0)


class Stop:
    """Stops the training once, at a step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, loop, step, scalars):
        if step == self.step:
            loop.signals.received = 15


# -- scalars.csv -----------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize('content', ['', 'step,name\n', '1,loss,2\n'])
def test_csv_of_something_else_is_not_overwritten(loop, content):
    path = loop.run.directory / 'scalars.csv'
    path.write_text(content)
    with pytest.raises(CheckpointError, match='has no heading step,name,value'):
        ScalarsCSV().on_start(loop)
    assert path.read_text() == content


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


# -- the terminal ----------------------------------------------------------------------------------------------------

def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_progress_in_a_file(loop, capsys):
    callback = Progress(every=0)
    callback.on_start(loop)
    callback.on_step(loop, 1, {'loss': 0.123456, 'lr_net': 0.1})
    loop.step = 5
    callback.on_epoch(loop, 0, {'data_wait': 0.01, 'map': 0.87654})
    loop.epoch = 1
    callback.on_step(loop, 7, {'loss': 0.1, 'lr_net': 0.1})
    callback.on_end(loop)
    assert lines(capsys) == ['epoch 1/2, batch 1/5: loss 0.1235', 'epoch 1/2, step 5: data_wait 0.01, map 0.8765',
                             'epoch 2/2, batch 2/5: loss 0.1']


def test_progress_says_little(loop, capsys):
    callback = Progress(every=1000)
    callback.on_start(loop)
    for step in range(1, 6):
        callback.on_step(loop, step, {'loss': 0.1})
    assert lines(capsys) == []


def test_progress_of_a_resumed_and_stopped_training(loop, capsys):
    loop.step, loop.signum = 7, 15
    callback = Progress()
    callback.on_start(loop)
    callback.on_end(loop)
    assert lines(capsys) == ['resumed after step 7', f'stopped by a signal after step 7; saved in {loop.run.directory},'
                             ' ready to be resumed']


def test_progress_on_a_terminal(loop, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True, raising=False)
    callback = Progress()
    loop.epoch = 1
    callback.on_start(loop)
    for step in range(8, 11):
        callback.on_step(loop, step, {'loss': step / 100, 'lr_net': 0.1})
    assert callback._bar.n == 5 and callback._bar.total == 5 and callback._bar.postfix == 'loss=0.1'
    callback.on_epoch(loop, 1, {'map': 0.5})
    shown = capsys.readouterr().err
    assert 'epoch 2/2' in shown and shown.endswith('epoch 2/2, step 0: map 0.5\n') and callback._bar is None


# -- pictures --------------------------------------------------------------------------------------------------------

def test_plot(loop):
    rows = ''.join(f'{step},loss,{1 / step}\n{step},lr_net,0.1\n' for step in range(1, 200)) + '100,map,0.5\n'
    (loop.run.directory / 'scalars.csv').write_text('step,name,value\n' + rows)
    Plot().on_epoch(loop, 0, {'map': 0.5})
    picture = cv2.imread(str(loop.run.directory / 'progress.png'))
    assert picture.shape[2] == 3 and min(picture.shape[:2]) > 300
    upper, lower = np.array_split(picture, 2)
    for half in (upper, lower):   # something blue is drawn in each
        assert (half.max(2).astype(int) - half.min(2) > 100).any()
    assert 'matplotlib.pyplot' not in sys.modules or not sys.modules['matplotlib.pyplot'].get_fignums()


def test_samples(loop):
    for epoch in (0, 11):
        Samples().on_epoch(loop, epoch, {})
    files = sorted((loop.run.directory / 'samples').iterdir())
    assert [file.name for file in files] == ['epoch-001.jpg', 'epoch-012.jpg']
    assert np.abs(cv2.imread(str(files[0]))[:, :, ::-1].astype(int) - PICTURE).max() <= 4   # in RGB, as JPEG has it
    assert loop.validation.closed == [0, 0]


# -- TensorBoard -----------------------------------------------------------------------------------------------------

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
    pytest.importorskip('tensorboardX')
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


def test_tensorboard_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorboardX', None)
    with pytest.raises(ImportError, match=re.escape('tensorboardX')):
        TensorBoard()
