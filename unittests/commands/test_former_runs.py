"""A run that gluonzoo made before its rebuild still opens, evaluates, predicts, and goes on exactly as it would have.

former_runs/ has a run of each task, broken off after the first of two epochs of two steps. They were made by the last
commit before the rebuild (fe844c8) on the CPU that expected.json names, with OMP_NUM_THREADS=1: the settings are those
of scripts/train_*.py with --small, narrower, and fit() trained with ScalarsCSV alone. expected.json has what that code
gave: the losses and measures of the second epoch without a break, and what it evaluated and predicted after the first.
The data of DRAW stands as DATA in settings.json. All but four channels of DSOD's layers whose width is fixed began as
zeros, which they remain, so that the checkpoint is small when zipped.
"""
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

FORMER = Path(__file__).with_name('former_runs')


# -- the data, drawn again -------------------------------------------------------------------------------------------

def draw_mascots(folder):
    from gluonzoo.data.drawn.mascot import picture
    from gluonzoo.data.records import write_records

    for split, indices in (('train', range(4)), ('val', range(4, 6))):
        pictures = (picture(0, index, 160) for index in indices)
        write_records(folder / f'{split}.rec', ((image, boxes, [0] * len(boxes)) for image, boxes in pictures), 90)
    (folder / 'classes.txt').write_text('mascot\n')


def draw_coco(folder):
    from gluonzoo.data.drawn.coco import write

    for split, indices in (('train2017', range(4)), ('val2017', range(4, 6))):
        write(folder, split, 0, indices)


def draw_pairs(folder):
    from gluonzoo.data.drawn.pairs import pair

    for split, indices in (('train', range(4)), ('val', range(4, 6))):
        (folder / split).mkdir()
        for index in indices:
            cv2.imwrite(str(folder / split / f'{index:05}.png'), np.hstack(pair(0, index, 64))[:, :, ::-1])


DRAW = {'single_shot_detection': draw_mascots, 'keypoint_detection': draw_coco, 'image_translation': draw_pairs}


# -- what is done with a run, in a process of its own ----------------------------------------------------------------

def lay_out(name, directory):
    """The data and the run, as they were -> the directory of the run"""
    data, run = directory / 'data', directory / 'run'
    data.mkdir()
    DRAW[name](data)
    run.mkdir()
    (run / 'scalars.csv').write_bytes((FORMER / name / 'scalars.csv').read_bytes())
    (run / 'settings.json').write_text((FORMER / name / 'settings.json').read_text().replace('DATA', str(data)))
    for archive in (FORMER / name).glob('*.zip'):
        with zipfile.ZipFile(archive) as checkpoint:
            checkpoint.extractall(run / 'checkpoints' / archive.stem)
    return run


def use(directory):
    """What the last checkpoint evaluates and predicts: -> (dict of name -> float, list of rows)"""
    from gluonzoo.commands.resolve import open_run, validation_loader

    task, settings, _ = open_run(directory, 'last')
    measures = task.evaluate(validation_loader(settings).epoch(0))
    result, = task.predict([np.random.default_rng(0).integers(0, 256, (50, 70, 3), 'uint8')])
    if isinstance(result, np.ndarray):   # a picture
        rows = result[::10, ::10].tolist()
    else:
        rows = [[int(label), float(score), *map(float, box)] for box, score, label in list(zip(*result))[:20]]
    return {key: float(value) for key, value in measures.items()}, rows


def resume(directory):
    """Trains to the end: -> step -> name -> value, of the second epoch"""
    from gluonzoo.commands.training import run_training
    from gluonzoo.train import Run
    from gluonzoo.train.callbacks import read_scalars

    run_training(Run.open(directory).settings, directory, resume=True)
    rows = read_scalars(directory / 'scalars.csv')
    return {str(step): {name: value for at, name, value in rows if at == step and name != 'data_wait'}
            for step in (3, 4)}


def main(name, directory):
    from gluonzoo import ops

    run = lay_out(name, Path(directory))
    measures, rows = use(run)
    print(json.dumps({'cpu': cpu(), 'route': ops.route(), 'evaluate': measures, 'predict': rows, 'steps': resume(run)}))


def cpu():
    """Its name, or None where the system does not tell."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.exists() else ()
    return next((line.split(':')[1].strip() for line in lines if line.startswith('model name')), None)


# -- the tests -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name', sorted(DRAW))
def test_former_run(name, tmp_path):
    result = subprocess.run([sys.executable, __file__, name, tmp_path], env={**os.environ, 'OMP_NUM_THREADS': '1'},
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'run' / 'scalars.csv').read_text().startswith((FORMER / name / 'scalars.csv').read_text())
    found = json.loads(result.stdout.splitlines()[-1])
    expected = json.loads((FORMER / name / 'expected.json').read_text())
    if all(found[where] == expected[where] for where in ('cpu', 'route')):
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)   # so that NaN equals NaN
    else:   # numbers are rounded elsewhere, and what is counted, such as the precision, may jump
        assert set(found['evaluate']) == set(expected['evaluate'])
        assert np.shape(found['predict'])[1:] == np.shape(expected['predict'])[1:]
        for step, values in expected['steps'].items():
            losses = {key: value for key, value in values.items() if key not in expected['evaluate']}
            assert {key: found['steps'][step][key] for key in losses} == pytest.approx(losses, rel=.01), step


if __name__ == '__main__':
    main(*sys.argv[1:])
