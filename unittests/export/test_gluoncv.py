"""GluonCV's networks, small ones of each kind, from image to objects."""
import json

import mxnet as mx
import numpy as np
import pytest

pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

from gluonzoo.convert import WeightsError  # noqa: E402
from gluonzoo.export import ExportError, to_onnx  # noqa: E402
from gluonzoo.export.gluoncv import gluoncv_network  # noqa: E402
from gluonzoo.export.openvino import check_openvino  # noqa: E402
from gluonzoo.export.tracing import examples, rows_difference  # noqa: E402

SMALL = {'cifar_resnet20_v1': None, 'mobilenetv3_small': (64, 64),
         'ssd_512_mobilenet1.0_voc': (128, 128), 'yolo3_mobilenet1.0_voc': (64, 96),
         'center_net_resnet18_v1b_voc': (64, 64), 'center_net_resnet18_v1b_dcnv2_voc': (64, 64),
         'simple_pose_resnet18_v1b': (64, 64), 'mobile_pose_resnet18_v1b': (64, 64), 'resnet18_v2': (64, 64),
         'resnest14': (64, 64), 'mobilenetv2_1.0': (64, 64), 'squeezenet1.0': None, 'googlenet': None,
         'densenet121': None, 'icnet_resnet50_citys': None, 'i3d_inceptionv1_kinetics400': (64, 64)}


def export(found, path, **options):
    return to_onnx(found.net, path, found.inputs, found.outputs, objects=found.objects, metadata=found.metadata,
                   **options)


@pytest.mark.parametrize('name', SMALL)
def test_every_kind(name, tmp_path):
    mx.random.seed(0)
    found = gluoncv_network(name, size=SMALL[name])
    path = tmp_path / 'net.onnx'
    export(found, path)   # compares
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    about = json.loads(session.get_modelmeta().custom_metadata_map['gluonzoo'])
    assert about['network'] == f'GluonCV {name}' and about['input_size'] == list(found.inputs['data'][-2:])
    outputs = [output.name for output in session.get_outputs()]
    if found.objects:
        assert outputs == ['class_ids', 'scores', 'boxes'] and len(about['class_names']) == 20
        ids, scores, boxes = session.run(None, {'data': np.zeros(found.inputs['data'], 'float32')})
        assert ids.shape[1] == scores.shape[1] == boxes.shape[1] and boxes.shape[2] == 4
    else:
        assert outputs[0] in ('output', 'output0')


def test_regions(tmp_path):
    """Faster R-CNN with few of them, since each takes a second network."""
    from gluoncv import model_zoo

    mx.random.seed(0)
    net = model_zoo.get_model('faster_rcnn_resnet50_v1b_voc', pretrained_base=False)
    net.rpn._test_pre_nms, net.rpn._test_post_nms, net._rpn_test_post_nms = 64, 8, 8
    net.initialize(mx.init.Xavier('gaussian', 'in', 1.5))
    differences = to_onnx(net, tmp_path / 'net.onnx', {'data': (1, 3, 64, 96)}, ['class_ids', 'scores', 'boxes'],
                          objects=True)
    assert max(differences.values()) < 1e-4


@pytest.mark.parametrize('name', ['ssd_512_mobilenet1.0_voc', 'yolo3_mobilenet1.0_voc', 'center_net_resnet18_v1b_voc'])
def test_objects_in_openvino(name, tmp_path):
    pytest.importorskip('openvino')
    mx.random.seed(0)
    found = gluoncv_network(name, size=SMALL[name])
    export(found, tmp_path / 'net.onnx')
    assert max(check_openvino(tmp_path / 'net.onnx', examples(found.inputs), compare=rows_difference).values()) < 1e-5


def test_objects_of_any_batch(tmp_path):
    mx.random.seed(0)
    found = gluoncv_network('yolo3_mobilenet1.0_voc', size=(64, 64))
    assert max(export(found, tmp_path / 'net.onnx', dynamic=['batch']).values()) < 1e-5


@pytest.mark.parametrize('legacy', [False, True], ids=['', 'names of layers'])
def test_weights_of_a_file(legacy, tmp_path):
    kept = gluoncv_network('cifar_resnet20_v1')
    path = tmp_path / 'kept.params'
    if legacy:
        kept.net.collect_params().save(str(path), strip_prefix=kept.net.prefix)
    else:
        kept.net.save_parameters(str(path))
    other = gluoncv_network('cifar_resnet20_v1', params=path)
    x = mx.nd.random.normal(shape=kept.inputs['data'])
    assert (kept.net(x) == other.net(x)).asnumpy().all()
    assert not any('random' in note for note in other.metadata['notes'])


def test_weights_that_do_not_fit(tmp_path):
    path = tmp_path / 'kept.params'
    gluoncv_network('cifar_resnet20_v1').net.save_parameters(str(path))
    with pytest.raises(WeightsError, match=r"kept.params does not fit cifar_resnet56_v1:\n.*not in the file"):
        gluoncv_network('cifar_resnet56_v1', params=path)
    path.write_bytes(b'nonsense')
    with pytest.raises(WeightsError, match='kept.params: not a parameter file of MXNet'):
        gluoncv_network('cifar_resnet20_v1', params=path)
    with pytest.raises(WeightsError, match='none.params'):
        gluoncv_network('cifar_resnet20_v1', params=tmp_path / 'none.params')


@pytest.mark.parametrize('name, size, words', [
    ('yolo3_darknet53_vox', None, "no network 'yolo3_darknet53_vox'; did you mean yolo3_darknet53_voc"),
    ('x' * 1000, None, 'no network'),
    ('yolo3_darknet53_custom', None, "cannot make yolo3_darknet53_custom without more words: .*'classes'"),
    ('vgg16_ucf101', None, 'cannot make vgg16_ucf101 without more words: .*not been initialized'),
    ('inceptionv3', (32, 32), r'does not take data \[1, 3, 32, 32\]'),
])
def test_bad_names_and_sizes(name, size, words):
    with pytest.raises(ExportError, match=words):
        gluoncv_network(name, size=size)


def test_networks_that_take_no_base(tmp_path):
    """Of which MXNet makes a Warning."""
    assert export(gluoncv_network('darknet53', size=(32, 32)), tmp_path / 'net.onnx')['output'] < 1e-5


@pytest.mark.parametrize('name, mean, std', [
    ('cifar_resnet20_v1', [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]),
    ('mobilenet0.25', [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    ('alpha_pose_resnet101_v1b_coco', [103.53, 116.535, 122.4], [255, 255, 255])])
def test_what_is_done_to_pixels(name, mean, std):
    about = gluoncv_network(name, size=(32, 32)).metadata
    assert (about['mean'], about['std']) == (mean, std)


def test_nothing_is_downloaded(monkeypatch):
    from gluoncv import model_zoo
    from gluoncv.model_zoo import model_store

    def make(**_):
        model_store.get_model_file('weights_of_that')
    monkeypatch.setitem(model_zoo.model_zoo._models, 'eager', make)
    with pytest.raises(ExportError, match='eager cannot be made without the weights weights_of_that'):
        gluoncv_network('eager')
