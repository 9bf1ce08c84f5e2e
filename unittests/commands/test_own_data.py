"""A detector for pictures of one's own: from a folder of VOC XML to records, a trained network, and what it finds."""
import json
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from gluonzoo.commands.main import main
from gluonzoo.data import DetectionRecords
from gluonzoo.train import Run
from gluonzoo.train.callbacks import read_scalars

COUNT, WIDTH, HEIGHT = 24, 128, 96
CLASSES = {'red': (0, 0, 200), 'green': (0, 200, 0)}


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    """Pictures with one box of colour each, annotated as VOC does it; the last one has nothing in it."""
    root = tmp_path_factory.mktemp('voc')
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'Annotations'):
        (root / folder).mkdir()
    for number in range(COUNT):
        picture = rng.integers(90, 160, (HEIGHT, WIDTH, 3), np.uint8)
        annotation = ElementTree.Element('annotation')
        ElementTree.SubElement(annotation, 'filename').text = f'{number}.jpg'
        size = ElementTree.SubElement(annotation, 'size')
        for name, value in (('width', WIDTH), ('height', HEIGHT), ('depth', 3)):
            ElementTree.SubElement(size, name).text = str(value)
        if number < COUNT - 1:
            name = sorted(CLASSES)[number % 2]
            x, y = rng.integers(0, (WIDTH - 50, HEIGHT - 50))
            picture[y:y + 40, x:x + 50] = CLASSES[name]
            object_ = ElementTree.SubElement(annotation, 'object')
            ElementTree.SubElement(object_, 'name').text = name
            box = ElementTree.SubElement(object_, 'bndbox')
            for edge, value in (('xmin', x + 1), ('ymin', y + 1), ('xmax', x + 50), ('ymax', y + 40)):   # VOC's: from 1
                ElementTree.SubElement(box, edge).text = str(value)
        cv2.imwrite(str(root / 'JPEGImages' / f'{number}.jpg'), picture)
        ElementTree.ElementTree(annotation).write(root / 'Annotations' / f'{number}.xml')
    return root


def test_from_voc_to_detections(voc, tmp_path, monkeypatch):
    data, run, out = tmp_path / 'mine', tmp_path / 'run', tmp_path / 'out'
    assert main(['records', '--from', 'voc', '--data', str(voc), '--out', str(data)]) == 0
    records = {split: DetectionRecords(data / f'{split}.rec') for split in ('train', 'val')}
    assert sum(map(len, records.values())) == COUNT
    assert all(dataset.class_names == ['green', 'red'] for dataset in records.values())

    monkeypatch.chdir(tmp_path)
    arguments = ['--model', 'dsod_pikachu', '--small', '--batch-size', '4', '--run', str(run)]
    assert main(['train', 'dsod', '--data', 'mine', '--epochs', '4', *arguments]) == 0
    losses = [value for _, name, value in read_scalars(run / 'scalars.csv') if name == 'loss']
    assert np.mean(losses[-5:]) < .7 * np.mean(losses[:5])   # it learns
    assert Run.open(run).settings['task']['class_names'] == ['green', 'red']

    monkeypatch.chdir('/')   # a run finds its data from anywhere
    assert main(['evaluate', '--run', str(run), '--json', str(tmp_path / 'found.json')]) == 0
    assert {'mAP', 'AP/green', 'AP/red'} <= set(json.loads((tmp_path / 'found.json').read_text()))
    assert main(['predict', '--run', str(run), '--images', str(voc / 'JPEGImages'), '--out', str(out)]) == 0
    found = json.loads((out / 'predictions.json').read_text())['images']
    assert len(found) == COUNT and {(each['width'], each['height']) for each in found} == {(WIDTH, HEIGHT)}
    assert {each['class'] for image in found for each in image['detections']} <= set(CLASSES)
