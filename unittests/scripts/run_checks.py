"""What the tests of training share: a run's records, the run resumed, evaluated, and photos to predict on."""
import json
import shutil

import cv2
import evaluate
import numpy as np

from gluonzoo.train import Run
from gluonzoo.train.callbacks import read_scalars


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
    """What evaluate.py writes of the last checkpoint: -> (measures, shape of the contact sheet)"""
    found, sheet = folder / 'found.json', folder / 'new' / 'sheet.jpg'
    evaluate.main(['--run', str(run), '--which', 'last', '--json', str(found), '--picture', str(sheet)])
    return json.loads(found.read_text()), cv2.imread(str(sheet)).shape


def save_noise(folder, shapes):
    """Photos of noise; shapes: file name -> shape."""
    folder.mkdir()
    for name, shape in shapes.items():
        cv2.imwrite(str(folder / name), np.random.default_rng(0).integers(0, 256, shape, dtype='uint8'))
