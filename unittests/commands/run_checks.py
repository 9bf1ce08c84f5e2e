"""What the tests of training share: tiny trainings, a run's records, the run resumed, evaluated, and photos."""
import json
import shutil
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from video_cases import frames_of, write_frames

from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import open_run
from gluonzoo.recipes import (
    centernet,
    cifar,
    cyclegan,
    dcgan,
    dsod,
    imagenet,
    pix2pix,
    wgan,
    wgan_gp,
    wsdan,
    yolo3,
)
from gluonzoo.train import Run
from gluonzoo.train.callbacks import read_scalars

# What makes --small of a recipe smaller still: two epochs in a second or two.
TINY = {
    dsod: {'network': {'stem_filter': 4, 'num_init_layer': 1, 'growth_rate': 4, 'input_size': 129}, 'batch_size': 4,
           'epochs': 2},
    pix2pix: {'network': {'norm': 'batch', 'width': 2}, 'batch_size': 2, 'epochs': 2},
    centernet: {'network': {'channels': 8}, 'size': 64, 'test_size': 64, 'batch_size': 2, 'epochs': 2,
                'schedule': {'name': 'cosine', 'warmup': 2}},
    cifar: {'batch_size': 4, 'epochs': 2},
    cyclegan: {'width': 2, 'size': 32, 'batch_size': 2, 'epochs': 2, 'pool_size': 2},
    dcgan: {'network': {'width': 2}, 'batch_size': 2, 'epochs': 2},
    wgan: {'width': {'dcgan': 2, 'mlp': 4}, 'batch_size': 2, 'epochs': 2},
    wgan_gp: {'network': {'width': 2}, 'batch_size': 2, 'epochs': 2},
    imagenet: {'size': 32, 'batch_size': 4, 'epochs': 2},
    wsdan: {'maps': 2, 'sketch': 8, 'batch_size': 6, 'epochs': 2},
    yolo3: {'network': {'width': 1 / 64, 'depths': [0, 0, 1, 0, 0]}, 'size': 64, 'part': 2, 'batch_size': 4,
            'epochs': 2},
}


@contextmanager
def tiny(recipe):
    """Within, --small of the recipe is tiny."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TINY[recipe].items():
            patch.setitem(recipe.SMALL, name, value)
        yield


def draw(dataset, out, *words):
    """A drawn dataset's folder: gluonzoo data."""
    assert main(['data', dataset, '--out', str(out), *words]) == 0
    return out


def scalars(run):
    """Rows of step, name and value, of what is always the same."""
    return [row for row in read_scalars(run / 'scalars.csv') if row[1] != 'data_wait']


def check_records(run, losses, measures):
    """Two epochs of two steps each are in the run's records, and each has left a checkpoint."""
    assert [path.name for path in Run.open(run).checkpoints()] == ['step-00000002', 'step-00000004']
    rows = scalars(run)
    for names, steps in ((losses, [1, 2, 3, 4]), (measures, [2, 4])):
        for name in names:
            assert [step for step, n, _ in rows if n == name] == steps, name
    assert (run / 'progress.png').stat().st_size > 1000


def resumed(run, directory, resume):
    """A copy of a run of two epochs of two steps, as if it had broken off after the first and been resumed.

    Returns the directories of the last checkpoints: the run's and the copy's.
    """
    shutil.copytree(run, directory)
    last = [folder / 'checkpoints' / 'step-00000004' for folder in (run, directory)]
    shutil.rmtree(last[1])
    resume(directory)
    return last


def evaluated(run, folder):
    """What gluonzoo evaluate writes of the last checkpoint: -> (measures, shape of the contact sheet)"""
    found, sheet = folder / 'found.json', folder / 'new' / 'sheet.jpg'
    assert main(['evaluate', '--run', str(run), '--which', 'last', '--json', str(found), '--picture', str(sheet)]) == 0
    return json.loads(found.read_text()), cv2.imread(str(sheet)).shape


def save_noise(folder, shapes):
    """Photos of noise; shapes: file name -> shape."""
    folder.mkdir()
    for name, shape in shapes.items():
        cv2.imwrite(str(folder / name), np.random.default_rng(0).integers(0, 256, shape, dtype='uint8'))


def error_of(words, capsys):
    """Runs a command that fails by what the user can mend: the exit code is 1. Returns what stderr says."""
    capsys.readouterr()
    assert main(words) == 1
    return capsys.readouterr().err


def check_error_is_one_line(words, said, capsys):
    """The exit code is 1, and the one line on stderr begins with `said`."""
    error = error_of(words, capsys)
    assert error.startswith(said) and error.count('\n') == 1, error


def check_video(run, folder, drawn_shape):
    """gluonzoo predict says of each frame of a video what the task says of the picture, and draws it."""
    rng = np.random.default_rng(0)
    noise = [cv2.resize(rng.integers(0, 256, (5, 9, 3), 'uint8'), (90, 50)) for _ in range(3)]
    clip, out = write_frames(folder / 'clip.avi', noise), folder / 'of_clip'
    assert main(['predict', '--run', str(run), '--images', str(clip), '--out', str(out), '--video', 'mp4']) == 0
    frames = [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in frames_of(clip)[1]]
    task = open_run(run).task
    lines = [json.loads(line) for line in (out / 'predictions.jsonl').read_text().splitlines()]
    assert lines == [{'file': str(clip), 'frame': i, 'time': i / 25, 'width': 90, 'height': 50,
                      **json.loads(json.dumps(task.describe(result)))}
                     for i, result in enumerate(task.predict(frames))]
    assert [frame.shape for frame in frames_of(out / 'clip.mp4')[1]] == 3 * [drawn_shape]
