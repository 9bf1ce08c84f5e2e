"""What is shown and recorded of a training."""
import os
import pty
import sys
import threading

import cv2
import numpy as np
import pytest
import toys

from gluonzoo.train import Plot, Progress, Run, Samples, ScalarsCSV, TensorBoard, fit
from gluonzoo.train.callbacks import in_words, read_scalars

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
    assert lines(capsys) == ['epoch 1/2, batch 1/5: loss 0.1235', 'epoch 1/2, step 5: map 0.8765, data_wait 0.01',
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


@pytest.mark.parametrize('terminal', [True, False])
def test_progress_does_not_wait_for_a_reader(loop, monkeypatch, terminal):
    """Of a terminal after Ctrl-S, or of a pipe that nobody empties."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    if not terminal:
        os.set_blocking(writer, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(writer, bytes(1000))
        os.set_blocking(writer, True)
    with open(writer, 'w') as stream:
        monkeypatch.setattr(sys, 'stderr', stream)
        if terminal:
            import termios
            termios.tcflow(writer, termios.TCOOFF)
        callback = Progress(every=0)

        def show():
            callback.on_start(loop)
            for step in range(1, 6):
                callback.on_step(loop, step, {'loss': 0.5})
            callback.on_epoch(loop, 0, {'map': 0.5})
            callback.on_end(loop)

        showing = threading.Thread(target=show, daemon=True)
        showing.start()
        showing.join(10)
        waits = showing.is_alive()
        monkeypatch.undo()
        os.close(reader)   # lets it go on, if it waits
    assert not waits


def test_progress_does_not_follow_the_clock(loop, capsys, monkeypatch):
    """The bar goes on when the clock is set back."""
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True, raising=False)
    callback = Progress()
    callback.on_start(loop)
    callback.on_step(loop, 1, {'loss': 0.5})
    monkeypatch.setattr(callback._bar, '_time', lambda: 0)
    callback._said -= 1
    callback.on_step(loop, 2, {'loss': 0.25})
    assert '2/5' in capsys.readouterr().err
    callback.on_end(loop)


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
    assert np.abs(cv2.imread(str(files[0]))[:, :, ::-1].astype(int) - [250, 10, 130]).max() <= 4   # in RGB, as in JPEG
    assert loop.validation.closed == [0, 0]
    assert cv2.imread(str(loop.run.directory / 'confusion.jpg'))[0, 0].tolist() == pytest.approx([65, 5, 125], abs=4)


# -- whatever fails --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('make, file, missing', [
    (Plot, 'progress.png', 'lacks epoch 1'), (Samples, 'samples/epoch-001.jpg', 'lack epoch 1')])
def test_pictures_on_a_full_disk(loop, full, make, file, missing):
    (loop.run.directory / 'scalars.csv').write_text('step,name,value\n1,loss,1\n2,loss,2\n')
    callback = make()
    assert callback.missing() == ''
    with full(size=100), pytest.raises(Exception, match='File too large'):
        callback.on_epoch(loop, 0, {'map': 0.5})
    assert callback.missing() == missing and not (loop.run.directory / file).exists()
    callback.on_epoch(loop, 1, {'map': 0.5})
    assert callback.missing() == ('' if make is Plot else missing)   # the weights of that epoch are gone


def test_training_on_a_disk_that_is_full_for_a_while(tmp_path, full):
    """Goes on, warns once, and in the end nothing is missing: neither in scalars.csv nor in TensorBoard."""
    pytest.importorskip('tensorboardX')

    class Full:
        """Is the disk full from step 2 to step 4?"""

        def on_step(self, loop, step, scalars):
            if step == 2:
                self.full = full(size=10)
                self.full.__enter__()
            if step == 5:
                self.full.__exit__(None, None, None)

    run = Run.create(tmp_path / 'run', {})
    with pytest.warns(RuntimeWarning) as caught:
        fit(toys.Classify(), toys.loader(), run, epochs=2, schedule={'name': 'constant'},
            callbacks=[Full(), ScalarsCSV(), TensorBoard(), Plot()])
    said = [str(warning.message) for warning in caught if warning.category is RuntimeWarning]
    assert len(said) == 4 and all(name in text for name, text in zip(2 * ['ScalarsCSV', 'TensorBoard'], said)), said
    assert 'File too large' in said[0] and said[3] == 'TensorBoard: nothing is missing after all'
    rows = read_scalars(run.directory / 'scalars.csv')
    assert [step for step, name, _ in rows if name == 'loss'] == list(range(1, 13))


def test_a_thousand_numbers_are_a_short_line():
    said = in_words({f'AP/{i}': '0.5' for i in range(1000)})
    assert said.startswith('AP/0 0.5, AP/1 0.5, ') and said.endswith(', and 988 more in scalars.csv')
    assert in_words({'loss': '1', 'mAP': '0.5'}) == 'loss 1, mAP 0.5'
