"""The scripts that are doors into the commands, as programs of their own."""
import json

import cv2
import numpy as np
import pytest
from programs import run_program

from gluonzoo.data.fetch.pairs import ORIGINALS


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize('script, command', [
    ('train_cyclegan.py', 'train cyclegan'), ('train_dsod.py', 'train dsod'),
    ('train_pix2pix.py', 'train pix2pix'), ('train_centernet.py', 'train centernet'),
    ('train_cifar.py', 'train cifar'), ('train_imagenet.py', 'train imagenet'),
    ('train_dcgan.py', 'train dcgan'), ('train_wgan.py', 'train wgan'), ('train_wgan_gp.py', 'train wgan_gp'),
    ('sample.py', 'sample'), ('train_yolo3.py', 'train yolo3'), ('train_wsdan.py', 'train wsdan'),
    ('evaluate.py', 'evaluate'), ('predict.py', 'predict'), ('export.py', 'export'), ('convert.py', 'convert')])
def test_a_door_leads_to_its_command(tmp_path, script, command):
    done = run_program(script, '--help', cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(f'usage: gluonzoo {command} [-h] '), done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize('script, small, said, files', [
    ('get_pikachu.py', ['--train', '5', '--val', '3', '--size', '64'], 'the SYNTHETIC dataset, made now',
     ['classes.txt', 'dataset.json', 'train.idx', 'train.rec', 'val.idx', 'val.rec']),
    ('get_coco.py', ['--train', '4', '--val', '2'], 'the SYNTHETIC dataset, made now',
     ['annotations', 'dataset.json', 'train2017', 'val2017']),
    ('get_pairs.py', ['--train', '3', '--val', '2', '--size', '32'], '3 pairs to train, 2 pairs to val',
     ['dataset.json', 'train', 'val'])])
def test_a_drawn_dataset(tmp_path, script, small, said, files):
    done = run_program(script, '--synthetic', *small, '--out', 'here', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'here: {said}\n', done.stdout
    assert names(tmp_path / 'here') == files


def test_original_pairs(tmp_path):
    """Those that are there already: no network is needed."""
    original = ORIGINALS['facades']
    card = {'name': 'facades', 'md5': original.md5, 'pairs': original.pairs}
    (tmp_path / 'data' / 'facades').mkdir(parents=True)
    (tmp_path / 'data' / 'facades' / 'dataset.json').write_text(json.dumps(card))
    done = run_program('get_pairs.py', 'facades', cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, 'data/facades: is there already\n'), done.stderr


@pytest.mark.parametrize('arguments', [[], ['facades', '--synthetic'], ['shoes']])
def test_pairs_that_are_not_there(tmp_path, arguments):
    done = run_program('get_pairs.py', *arguments, cwd=tmp_path)
    assert done.returncode == 2 and 'gluonzoo data: error: ' in done.stderr or 'gluonzoo: error: ' in done.stderr
    assert names(tmp_path) == []


def test_records(tmp_path):
    for name in 'ab':
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.zeros((30, 40, 3), np.uint8))
        (tmp_path / f'{name}.txt').write_text('0 .5 .5 1 1')
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    done = run_program('make_rec.py', '--from', 'yolo', '--data', '.', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith('data/mine: train.rec, val.rec and classes.txt, of 2 classes\n')
    assert names(tmp_path / 'data' / 'mine') == ['classes.txt', 'train.idx', 'train.rec', 'val.idx', 'val.rec']


def test_an_error_is_one_line(tmp_path):
    done = run_program('make_rec.py', '--from', 'yolo', '--data', 'none', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, 'gluonzoo records: none: no such folder\n')
