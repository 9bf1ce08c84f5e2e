"""gluonzoo export, and what a user does with its files: onnxruntime alone, MXNet without gluonzoo."""
import json
import re
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from full_disk import full_disk
from numpy.testing import assert_allclose, assert_array_equal
from run_checks import check_error_is_one_line, error_of

from gluonzoo.boxes import iou
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import make_task
from gluonzoo.tasks.detection.anchors import make_anchors
from gluonzoo.tasks.detection.multibox import MultiBoxDecoder
from gluonzoo.tasks.detection.photo_views import make_view
from gluonzoo.tasks.detection.yolo_decode import YOLODecoder
from gluonzoo.tasks.detection.yolo_priors import make_priors
from gluonzoo.train import Run
from gluonzoo.train.engine import Engine
from gluonzoo.train.settings import REVISION

ROOT = Path(__file__).resolve().parents[2]

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

DETECTION = {'name': 'single_shot_detection', 'class_names': ['cat', 'dog'],
             'net': {'name': 'dsod_pikachu', 'stem_filter': 4, 'num_init_layer': 1, 'growth_rate': 4,
                     'input_size': 129}}
TRANSLATION = {'name': 'pix2pix', 'image_size': 128,
               'generator': {'name': 'unet128', 'width': 2}, 'discriminator': {'name': 'patchgan', 'width': 2}}
YOLO = {'name': 'yolo_detection', 'class_names': ['cat', 'dog'], 'size': 96,
        'net': {'name': 'yolo3_darknet53', 'width': 1 / 64, 'depths': [0, 0, 1, 0, 0]}}
WSDAN = {'name': 'wsdan', 'class_names': ['cat', 'cow', 'dog'], 'size': 48,
         'net': {'name': 'wsdan_cifar_resnet20', 'maps': 4}}
GENERATION = {'name': 'generation', 'generator': {'name': 'wgan_gp_generator', 'width': 4},
              'discriminator': {'name': 'wgan_gp_critic', 'width': 4}}
KEYPOINTS = {'name': 'keypoint_detection', 'class_names': ['cat', 'dog'], 'size': 127,
             'net': {'name': 'ghost_centernet_0_5', 'channels': 8}}


def make_run(directory, settings, change=lambda net: None):
    """A run with one checkpoint, of weights that say something. Returns its task."""
    mx.random.seed(0)
    task = make_task({'task': settings})
    task.start_training(Engine())
    for net in task.networks.values():
        change(net)
        for name, parameter in net.collect_params().items():
            if name.endswith(('bias', 'beta', 'running_mean')):
                parameter.set_data(parameter.data() + mx.nd.random.normal(0, .05, shape=parameter.shape))
    Run.create(directory, {'revision': REVISION, 'task': settings}, resume=False).save(task, step=1, epoch=1, batch=0)
    return task


def faint(net):
    """Small inputs, since no statistics keep what is computed from growing from layer to layer."""
    net.first[0].weight.set_data(net.first[0].weight.data() * .01)


@pytest.fixture(scope='module')
def detector(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'dsod'
    return directory, make_run(directory, DETECTION, faint)


@pytest.fixture(scope='module')
def yolo(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'yolo3'
    return directory, make_run(directory, YOLO)


@pytest.fixture(scope='module')
def wsdan(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'wsdan'
    return directory, make_run(directory, WSDAN, attentive)


@pytest.fixture(scope='module')
def translator(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'pix2pix'
    return directory, make_run(directory, TRANSLATION)


def distinct(net):
    """Heats that differ by more than a last digit, and tags that agree."""
    heads, = net.heads
    for keypoint in (heads.tl, heads.br, heads.ct):
        keypoint.heat[-1].weight.set_data(keypoint.heat[-1].weight.data() * 100)
    for keypoint in (heads.tl, heads.br):
        for parameter in (keypoint.tag[-1].weight, keypoint.tag[-1].bias):
            parameter.set_data(parameter.data() * 0)


@pytest.fixture(scope='module')
def keypoints(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'centernet'
    return directory, make_run(directory, KEYPOINTS, distinct)


def attentive(net):
    """Maps that are 0 almost everywhere, and each at its own place."""
    if hasattr(net, 'attention'):   # and no centers
        maps = net(mx.nd.random.normal(0, 1, (1, 3, 48, 48)))[2]
        net.attention[1].beta.set_data(-.7 * maps.max(axis=(0, 2, 3)))


def run_export(words):
    assert main(['export', *words]) == 0


def photo(height, width):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype='uint8')


def open_onnx(path):
    """(session, metadata)"""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return session, json.loads(session.get_modelmeta().custom_metadata_map['gluonzoo'])


def prepared(image, metadata):
    """By what the metadata say. [H, W, 3] -> [1, 3, H, W]"""
    assert list(image.shape[:2]) == metadata['input_size']
    return ((image - np.float32(metadata['mean'])) / np.float32(metadata['std'])).transpose(2, 0, 1)[None]


# -- ONNX ------------------------------------------------------------------------------------------------------------

def test_detector_with_decoding(detector, tmp_path, capsys):
    directory, task = detector
    path = tmp_path / 'new' / 'dsod.onnx'
    run_export(['--run', str(directory), '--onnx', '--decode', '--batch', 'dynamic', '--out', str(path)])
    said = capsys.readouterr().out
    assert said.startswith(f'{path}: as MXNet but for ') and said.count('\n') == 1
    assert all(f'{name} ' in said for name in ('class_logits', 'box_offsets', 'detections'))
    assert [file.name for file in path.parent.iterdir()] == ['dsod.onnx']
    session, metadata = open_onnx(path)
    assert metadata['class_names'] == ['cat', 'dog'] and metadata['checkpoint'] == 'step-00000001'
    image = photo(129, 129)
    images = np.concatenate([prepared(image, metadata), prepared(image[::-1], metadata)]).astype('float32')
    rows, = session.run(['detections'], {'image': images})
    for row, result in zip(rows, task.predict([image, image[::-1]])):
        row = row[row[:, 0] >= 0]
        edges = row[:, 2:] * 129
        inside = (edges[:, :2] < 129).all(1) & (edges[:, 2:] > 0).all(1)
        assert len(result.boxes) == inside.sum() > 20
        assert_allclose(row[inside, 1], result.scores, rtol=1e-4)
        assert_allclose(edges.clip(0, 129)[inside][:5], result.boxes[:5], atol=.01)


def test_raw_detector_is_decoded_by_its_metadata(detector, tmp_path):
    directory, task = detector
    path = tmp_path / 'dsod.onnx'
    run_export(['--run', str(directory), '--onnx', '--out', str(path), '--size', '130', '161', '--batch', '2'])
    session, metadata = open_onnx(path)
    boxes = []
    for (rows, columns), shapes, step in zip(*(metadata['anchors'][key] for key in ('grids', 'shapes', 'steps'))):
        assert step is None
        boxes += [((j + .5) / columns, (i + .5) / rows, *shape)
                  for i in range(rows) for j in range(columns) for shape in shapes]
    cx, cy, W, H = np.array(boxes).T
    image = photo(130, 161)
    logits, offsets = session.run(['class_logits', 'box_offsets'],
                                  {'image': np.repeat(prepared(image, metadata), 2, 0).astype('float32')})
    assert logits.shape == (2, len(boxes), 3)
    x, y, w, h = offsets[0].T
    centers = np.stack([cx + x * W / 10, cy + y * H / 10], axis=1)
    sizes = np.stack([W * np.exp(w / 5), H * np.exp(h / 5)], axis=1)
    decoder = MultiBoxDecoder(make_anchors(task.networks['net'], 130, 161), 2)
    decoder.initialize()
    best = decoder(mx.nd.array(logits), mx.nd.array(offsets))[0, 0].asnumpy()   # class, score, box
    found = np.concatenate([centers - sizes / 2, centers + sizes / 2], 1)
    overlaps = iou(best[2:], found.astype('float32'))
    assert overlaps.max() > .999
    probabilities = np.exp(logits[0]) / np.exp(logits[0]).sum(1, keepdims=True)
    assert probabilities[overlaps.argmax(), int(best[0]) + 1] == pytest.approx(best[1], rel=1e-4)


def test_yolo_with_decoding(yolo, tmp_path):
    """Boxes are in fractions of the letterboxed input."""
    directory, task = yolo
    path = tmp_path / 'yolo.onnx'
    run_export(['--run', str(directory), '--onnx', '--decode', '--batch', 'dynamic', '--out', str(path)])
    session, metadata = open_onnx(path)
    image = photo(48, 96)
    assert 'aspect ratio kept, in the middle of grey' in metadata['inputs']['image']
    rows = session.run(['detections'], {'image': np.repeat(prepared(task.fitted(image), metadata), 2, 0)})[0]
    assert_array_equal(*rows)
    row = rows[0, rows[0, :, 0] >= 0]
    result, = task.predict([image])
    edges = row[:, 2:] * 96 - [0, 24, 0, 24]
    inside = (edges[:, 0] < 96) & (edges[:, 1] < 48) & (edges[:, 2:] > 0).all(1)
    assert len(result.boxes) == inside.sum() > 20 and set(result.labels) == {0, 1}
    assert_allclose(row[inside, 1], result.scores, rtol=1e-4)
    assert_allclose(edges.clip(0, [96, 48, 96, 48])[inside][:5], result.boxes[:5], atol=.01)


def test_both_stages_of_wsdan_are_one_graph(wsdan, tmp_path, capsys):
    """What a prediction says, and each stage alone."""
    directory, task = wsdan
    path = tmp_path / 'wsdan.onnx'
    run_export(['--run', str(directory), '--onnx', '--batch', 'dynamic', '--out', str(path)])
    session, metadata = open_onnx(path)
    photos = [np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype='uint8') for seed in range(3)]
    image = np.concatenate([prepared(task.seen(each), metadata) for each in photos])
    names = ['probabilities', 'raw_logits', 'refined_logits', 'boxes']
    assert list(metadata['outputs']) == [output.name for output in session.get_outputs()] == names
    found = dict(zip(names, session.run(None, {'image': image})))
    for each, result in zip(found['probabilities'], task.predict(photos)):
        assert_allclose(each[result.labels], result.scores, atol=1e-5)
    outcomes = task.outcomes(mx.nd.array(image))
    for name in ('raw', 'refined'):
        assert_allclose(found[f'{name}_logits'], outcomes[name][0].asnumpy(), atol=1e-3)
    low, high = found['boxes'][:, :2], found['boxes'][:, 2:]
    assert (low >= 0).all() and (high <= 48).all() and (high > low).all() and (high - low < 48).any()
    words = ['export', '--run', str(directory), '--onnx', '--decode', '--out', str(tmp_path / 'x.onnx')]
    check_error_is_one_line(words, 'gluonzoo export: decode: wsdan has nothing to decode', capsys)


def test_wsdan_as_a_symbol(wsdan, tmp_path):
    directory, task = wsdan
    run_export(['--run', str(directory), '--out', str(tmp_path / 'wsdan')])
    symbol, weights, statistics = mx.model.load_checkpoint(str(tmp_path / 'wsdan'), 0)
    image = mx.nd.array(np.random.default_rng(0).normal(0, 1, (1, 3, 48, 48)))
    executor = symbol.bind(mx.cpu(), {**weights, 'image': image}, aux_states=statistics)
    wanted = task._two_stage(image)
    for output, want in zip(executor.forward(), wanted):
        assert_allclose(output.asnumpy(), want.asnumpy(), atol=1e-4)


@pytest.mark.parametrize('kind', ['detector', 'yolo'])
def test_decoding_is_of_one_size(kind, request, tmp_path, capsys):
    directory, _ = request.getfixturevalue(kind)
    check_error_is_one_line(['export', '--run', str(directory), '--onnx', '--decode', '--size', 'dynamic', '--out',
                             str(tmp_path / 'x.onnx')],
                            'gluonzoo export: --size dynamic: the decoder is made for images of one size', capsys)
    assert not list(tmp_path.iterdir())


def test_raw_yolo_is_decoded_by_its_metadata(yolo, tmp_path):
    directory, task = yolo
    path = tmp_path / 'yolo.onnx'
    run_export(['--run', str(directory), '--onnx', '--out', str(path), '--size', '96', '160'])
    session, metadata = open_onnx(path)
    heads = session.run(None, {'image': prepared(photo(96, 160), metadata)})
    assert [head.name for head in session.get_outputs()] == list(metadata['outputs'])
    graph = onnx.load(str(path)).graph
    constants = {constant.name for constant in graph.initializer}
    assert all(node.input[1] in constants for node in graph.node if node.op_type == 'Conv')   # and no zeros are joined
    best = 0, None
    for head, stride, shapes in zip(heads, *(metadata['anchors'][key] for key in ('strides', 'shapes'))):
        _, _, rows, columns = head.shape
        assert (rows * stride, columns * stride) == (96, 160)
        for anchor, (width, height) in zip(head.reshape(3, 7, rows, columns), shapes):
            sigmoids = 1 / (1 + np.exp(-anchor))
            scores = sigmoids[4] * sigmoids[5:]   # [classes, rows, columns]
            label, row, column = np.unravel_index(scores.argmax(), scores.shape)
            x, y = (column + sigmoids[0, row, column]) / columns, (row + sigmoids[1, row, column]) / rows
            w, h = (side * np.exp(anchor[i, row, column]) for i, side in ((2, width / 160), (3, height / 96)))
            best = max(best, (scores.max(), [label, x - w / 2, y - h / 2, x + w / 2, y + h / 2]))
    decoder = YOLODecoder(make_priors(task.networks['net'], 96, 160)[0], 2)
    decoder.initialize()
    label, score, *box = decoder(*map(mx.nd.array, heads))[0, 0].asnumpy()
    assert score == pytest.approx(best[0], rel=1e-4)
    assert_allclose([label, *box], best[1], atol=1e-4)


def test_translator(translator, tmp_path, capsys):
    directory, task = translator
    path = tmp_path / 'unet.onnx'
    run_export(['--run', str(directory), '--onnx', '--batch', 'dynamic', '--out', str(path)])
    assert 'normalised by its own statistics' in capsys.readouterr().out
    session, metadata = open_onnx(path)
    assert not {'Dropout', 'BatchNormalization'} & {node.op_type for node in onnx.load(str(path)).graph.node}
    images = np.stack([photo(128, 128), photo(128, 128)[::-1]]).transpose(0, 3, 1, 2).astype('float32') / 127.5 - 1
    outputs, = session.run(None, {'image': images})
    assert outputs.shape == images.shape and np.abs(outputs).max() <= 1
    settings = {**TRANSLATION, 'generator': {**TRANSLATION['generator'], 'dropout': 0}}
    without_dropout = make_task({'task': settings}, to_predict=True)
    without_dropout.start_prediction()
    Run.open(directory).load_networks(without_dropout)
    wanted = [y.asnumpy()[0] for y in without_dropout._test([mx.nd.array(image[None]) for image in images])]
    assert np.std(wanted) > .01
    assert_allclose(outputs, wanted, atol=1e-5)


@pytest.fixture(scope='module')
def generator(tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'generation'
    return directory, make_run(directory, GENERATION)


def test_a_generator(generator, tmp_path, capsys):
    """From the noise that the metadata tell of, onnxruntime makes what gluonzoo sample makes."""
    directory, task = generator
    path = tmp_path / 'generator.onnx'
    run_export(['--run', str(directory), '--onnx', '--batch', 'dynamic', '--out', str(path)])
    assert capsys.readouterr().out.startswith(f'{path}: as MXNet but for ')
    session, metadata = open_onnx(path)
    assert metadata['inputs'] == {'noise': 'float32 [B, 128], normal noise, N(0, 1)'}
    noise = np.random.default_rng(3).standard_normal((5, 128)).astype('float32')
    pictures, = session.run(['picture'], {'noise': noise})
    for picture, sampled in zip(pictures, task.sample(5, 3)):
        made = ((picture.transpose(1, 2, 0) + 1) * 127.5).round()
        assert np.abs(made - sampled).max() <= 1
    check_error_is_one_line(['export', '--run', str(directory), '--onnx', '--size', 'dynamic', '--out', str(path)],
                            'gluonzoo export: --size: it takes no images', capsys)


def test_a_generator_in_stock_mxnet(generator, tmp_path):
    directory, task = generator
    run_export(['--run', str(directory), '--out', str(tmp_path / 'generator')])
    net = mx.gluon.SymbolBlock.imports(str(tmp_path / 'generator-symbol.json'), ['noise'],
                                       str(tmp_path / 'generator-0000.params'))
    noise = mx.nd.random.normal(shape=(3, 128))
    assert_allclose(net(noise).asnumpy(), task.networks['generator'](noise).asnumpy(), atol=1e-5)


def test_images_of_any_size(translator, tmp_path):
    path = tmp_path / 'unet.onnx'
    run_export(['--run', str(translator[0]), '--onnx', '--batch', 'dynamic', '--size', 'dynamic', '--out', str(path)])
    session, _ = open_onnx(path)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 3, 256, 384)).astype('float32')
    wanted = translator[1].exported().block(mx.nd.array(image)).asnumpy()
    assert_allclose(session.run(None, {'image': image})[0], wanted, atol=1e-5)


def test_translator_by_the_statistics_of_training(tmp_path, capsys):
    task = make_run(tmp_path / 'run', {**TRANSLATION, 'test_mode': 'running'})
    run_export(['--run', str(tmp_path / 'run'), '--onnx', '--out', str(tmp_path / 'unet.onnx')])
    assert 'by the statistics of the training' in capsys.readouterr().out
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 128, 128)).astype('float32')
    session, _ = open_onnx(tmp_path / 'unet.onnx')
    wanted, = task._test([mx.nd.array(image)])   # without dropout
    assert_allclose(session.run(None, {'image': image})[0], wanted.asnumpy(), atol=1e-5)


def test_keypoints_with_decoding(keypoints, tmp_path, capsys):
    """Boxes are in the pixels of the photo that the views speak of."""
    path = tmp_path / 'centernet.onnx'
    run_export(['--run', str(keypoints[0]), '--onnx', '--decode', '--batch', 'dynamic', '--out', str(path)])
    assert 'before soft-NMS' in capsys.readouterr().out
    session, metadata = open_onnx(path)
    assert list(metadata['inputs']) == [value.name for value in session.get_inputs()] == ['image', 'views']
    pixels, view = make_view(photo(300, 300), 1, 127)
    images, views = (np.repeat(x, 2, 0).astype('float32') for x in (prepared(pixels, metadata), [view]))
    views[1] *= 2
    rows, larger = session.run(['detections'], {'image': images, 'views': views})[0]
    found = rows[rows[:, 0] >= 0]
    assert len(found) > 10 and set(found[:, 0]) <= {0, 1} and (found[:, 1] > 0).all()
    assert found[:, 2:].min() >= 0 and found[:, 2:].max() <= 300
    assert_allclose(larger[:, 2:], 2 * rows[:, 2:], rtol=1e-5)


def test_pools(tmp_path, capsys):
    run_export(['--pools', '--onnx', '--out', str(tmp_path / 'pools')])
    names = ['bottom_pool', 'left_pool', 'right_pool', 'top_pool']
    assert sorted(path.name for path in (tmp_path / 'pools').iterdir()) == [f'{name}.onnx' for name in names]
    assert capsys.readouterr().out.count('as MXNet but for 0 of') == 4
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 9)).astype('float32')
    for name in names:
        session, metadata = open_onnx(tmp_path / 'pools' / f'{name}.onnx')
        pooled, = session.run(['pooled'], {'data': x})
        assert_array_equal(pooled, getattr(mx.nd.contrib, name)(mx.nd.array(x)).asnumpy())
        assert metadata['operator'] == name


def test_the_example_in_the_notes(detector, tmp_path, monkeypatch):
    """It says what task.predict says, of a photo of another size than the network's."""
    directory, task = detector
    code, = re.findall(r'```python\n(.*?)```', (ROOT / 'notes' / 'export.md').read_text(), re.DOTALL)
    import cv2
    cv2.imwrite(str(tmp_path / 'photo.jpg'), photo(40, 60))
    monkeypatch.chdir(tmp_path)
    run_export(['--run', str(directory), '--onnx', '--decode', '--batch', 'dynamic', '--out', 'dsod.onnx'])
    names = {}
    exec(code, names)
    result, = task.predict([cv2.cvtColor(cv2.imread('photo.jpg'), cv2.COLOR_BGR2RGB)])
    assert len(names['found']) > 0
    for (name, score, box), wanted, label, surest in zip(names['found'], result.boxes, result.labels, result.scores):
        assert name == task.class_names[label] and score == pytest.approx(surest, rel=1e-3)
        assert_allclose(np.clip(box, 0, [60, 40, 60, 40]), wanted, atol=.05)


# -- MXNet's own files -----------------------------------------------------------------------------------------------

STOCK = '''
import json, sys
import numpy as np
np.bool = bool   # all that MXNet 1.9.1 needs
import mxnet as mx
prefix = sys.argv[1]
metadata = json.load(open(prefix + '-metadata.json'))
net = mx.gluon.SymbolBlock.imports(prefix + '-symbol.json', list(metadata['inputs']), prefix + '-0000.params')
inputs = np.load(prefix + '.npz')
outputs = net(*(mx.nd.array(inputs[name]) for name in metadata['inputs']))
outputs = outputs if isinstance(outputs, list) else [outputs]
np.savez(prefix + '-out.npz', *(y.asnumpy() for y in outputs))
assert 'gluonzoo' not in sys.modules and len(outputs) == len(metadata['outputs'])
'''


def run_in_stock_mxnet(prefix, **inputs):
    np.savez(f'{prefix}.npz', **inputs)
    subprocess.run([sys.executable, '-c', STOCK, str(prefix)], check=True)
    return list(np.load(f'{prefix}-out.npz').values())


def test_translator_in_stock_mxnet(translator, tmp_path, capsys):
    directory, task = translator
    run_export(['--run', str(directory), '--out', str(tmp_path / 'unet')])
    assert sorted(path.name for path in tmp_path.iterdir()) == ['unet-0000.params', 'unet-metadata.json',
                                                                'unet-symbol.json']
    image = np.random.default_rng(0).uniform(-1, 1, (2, 3, 128, 128)).astype('float32')
    got, = run_in_stock_mxnet(tmp_path / 'unet', image=image)
    assert_allclose(got, task.exported().block(mx.nd.array(image)).asnumpy(), atol=1e-5)


def test_decoded_detector_in_stock_mxnet(detector, tmp_path):
    directory, task = detector
    run_export(['--run', str(directory), '--decode', '--out', str(tmp_path / 'dsod')])
    image = photo(129, 129)
    metadata = json.loads((tmp_path / 'dsod-metadata.json').read_text())
    rows, = run_in_stock_mxnet(tmp_path / 'dsod', image=prepared(image, metadata))
    result, = task.predict([image])
    assert_allclose(rows[0, 0, 1], result.scores[0], rtol=1e-4)


def test_keypoints_in_stock_mxnet(keypoints, tmp_path, capsys):
    """With its pools."""
    directory, task = keypoints
    run_export(['--run', str(directory), '--out', str(tmp_path / 'centernet')])
    image = np.random.default_rng(0).normal(size=(1, 3, 127, 127)).astype('float32')
    for a, b in zip(run_in_stock_mxnet(tmp_path / 'centernet', image=image),
                    task.networks['net'](mx.nd.array(image))):
        assert_allclose(a, b.asnumpy(), atol=1e-4)


def test_pools_in_stock_mxnet(tmp_path):
    run_export(['--pools', '--out', str(tmp_path)])
    assert len(list(tmp_path.iterdir())) == 12
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 9)).astype('float32')
    got, = run_in_stock_mxnet(tmp_path / 'left_pool', data=x)
    assert_array_equal(got, np.maximum.accumulate(x[..., ::-1], axis=3)[..., ::-1])


# -- what is refused -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, words', [
    ([], '--run or --model is needed, and not both'),
    (['--run', 'x', '--model', 'unet256', '--weights', 'y'], '--run or --model is needed, and not both'),
    (['--model', 'unet256'], '--model and --weights go together'),
    (['--run', 'x', '--weights', 'y'], '--model and --weights go together'),
    (['--model', 'unet256', '--weights', 'y', '--which', 'last'], '--which: is of a run, not of --model'),
    (['--model', 'unet256', '--weights', 'y', '--code', 'my_net.py'], '--code: is of a run, not of --model'),
    (['--run', 'x', '--pools'], '--run: not with --pools'),
    (['--pools', '--decode'], '--decode: not with --pools'),
    (['--pools', '--batch', '2'], '--batch: not with --pools'),
    (['--pools', '--set', 'task.flip=true'], '--set: not with --pools'),
    (['--run', 'x', '--onnx'], '--out: must end with .onnx: out'),
    (['--run', 'x', '--batch', '2'], '--batch: only with --onnx'),
    (['--run', 'x', '--size', 'dynamic'], '--size: only with --onnx'),
    (['--run', 'x', '--size', '200'], '--size: must be height and width, or dynamic'),
    (['--run', 'x', '--size', '200', 'dynamic'], '--size: must be height and width, or dynamic'),
    (['--run', 'x', '--opset', '17'], '--opset: only with --onnx'),
    (['--run', 'x', '--onnx', '--opset', '12'], 'must be at least 13'),
    (['--run', 'x', '--batch', '0'], 'must be at least 1'),
    (['--run', 'x', '--batch', 'all'], "argument --batch: invalid"),
])
def test_arguments(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(['export', *arguments, '--out', 'out'])
    assert ended.value.code == 2 and words in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_refused_leaves_nothing(detector, translator, tmp_path, capsys):
    out = ['--onnx', '--out', str(tmp_path / 'new' / 'net.onnx')]
    for run, words, said in (
            (translator, ['--decode'], 'decode: image translation has nothing to decode'),
            (detector, ['--size', '128', '200'], 'height, width: must be at least 129'),
            (detector, ['--decode', '--size', 'dynamic'],   # the anchors are of one size
             '--size dynamic: the decoder is made for images of one size, since class_logits is ['),
            (translator, ['--size', '100', '128'], 'does not take image [1, 3, 100, 128]')):
        error = error_of(['export', '--run', str(run[0]), *words, *out], capsys)
        assert error.startswith('gluonzoo export: ') and said in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('words, size, file, said', [
    ([], 5000, 'net.onnx-symbol.json', ': File too large'),
    (['--onnx'], 5000, 'net.onnx', ': File too large'), (['--onnx', '--decode'], 5000, 'net.onnx', ': File too large')])
def test_a_full_disk_leaves_nothing(detector, tmp_path, capsys, words, size, file, said):
    out = tmp_path / 'new' / 'deeper' / 'net.onnx'
    with full_disk(size):
        check_error_is_one_line(['export', '--run', str(detector[0]), *words, '--out', str(out)],
                                f'gluonzoo export: {out.parent / file}{said}', capsys)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_for_parameters(translator, tmp_path, capsys):
    """MXNet writes them, and does not notice if the last bytes are missing."""
    words, params = ['export', '--run', str(translator[0]), '--out'], f'{tmp_path}/new/net-0000.params'
    run_export([*words[1:], str(tmp_path / 'whole')])
    sizes = {file.suffix: file.stat().st_size for file in tmp_path.iterdir()}
    assert sizes['.params'] == max(sizes.values())
    (tmp_path / 'new').mkdir()
    for missing in (1, sizes['.params'] // 2):
        with full_disk(sizes['.params'] - missing):
            check_error_is_one_line([*words, str(tmp_path / 'new' / 'net')],
                                    f'gluonzoo export: {params}: cannot be written whole; ', capsys)
        assert not list((tmp_path / 'new').iterdir())


def test_a_file_in_the_place_of_a_folder(detector, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    for words in ([], ['--onnx']):
        error = error_of(['export', '--run', str(detector[0]), *words, '--out', str(tmp_path / 'file' / 'net.onnx')],
                         capsys)
        assert error == f'gluonzoo export: {tmp_path}/file: File exists\n'


@pytest.mark.parametrize('breaks', ['error', 'short file'])
def test_a_full_disk_leaves_the_former_mxnet_files(detector, tmp_path, monkeypatch, capsys, breaks):
    out = tmp_path / 'net'
    run_export(['--run', str(detector[0]), '--out', str(out)])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def save(path, arrays):
        Path(path).write_bytes(b'half')
        if breaks == 'error':
            raise mx.MXNetError('Traceback (most recent call last):\n  File "local_filesys.cc"\nCheck failed')

    monkeypatch.setattr(mx.nd, 'save', save)
    check_error_is_one_line(['export', '--run', str(detector[0]), '--out', str(out)],
                            f'gluonzoo export: {out}-0000.params: cannot be written whole; is the disk full?', capsys)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_error_is_one_line(tmp_path, capsys):
    check_error_is_one_line(['export', '--run', str(tmp_path), '--out', 'x'],
                            f'gluonzoo export: {tmp_path}: no run here: it has no settings.json\n', capsys)


# -- without a run ---------------------------------------------------------------------------------------------------

def test_a_model_with_weights(translator, tmp_path):
    """The same file as that of the run, but for who has made it."""
    directory, _ = translator
    weights = directory / 'checkpoints' / 'step-00000001' / 'generator.safetensors'
    run_export(['--run', str(directory), '--out', str(tmp_path / 'run')])
    run_export(['--model', 'unet128', '--weights', str(weights), '--set', 'task.generator.width=2',
                '--out', str(tmp_path / 'model')])
    metadata = [json.loads((tmp_path / f'{name}-metadata.json').read_text()) for name in ('run', 'model')]
    assert [each.pop('checkpoint') for each in metadata] == ['step-00000001', 'generator.safetensors']
    assert metadata[0] == metadata[1]
    run, model = (mx.nd.load(str(tmp_path / f'{name}-0000.params')) for name in ('run', 'model'))
    # names have the number of the network in the process
    assert_array_equal(np.concatenate([run[name].asnumpy().ravel() for name in run]),
                       np.concatenate([model[name].asnumpy().ravel() for name in model]))
