"""GluonCV's files: all names of its networks, and the same outputs from its weights."""
import mxnet as mx
import numpy as np
import pytest
from gluoncv import model_zoo
from gluoncv.model_zoo.yolo.darknet import DarknetV3
from gluoncv.model_zoo.yolo.yolo3 import YOLOV3

from gluonzoo import get_model
from gluonzoo.convert import GLUONCV_MAPS, WeightsError, check_gluoncv, load_weights, read_params
from gluonzoo.models.yolo3 import ANCHORS

IMAGE = mx.nd.array(np.random.default_rng(1).normal(size=(2, 3, 64, 96)))
DEPTHS, CHANNELS = (1, 1, 2, 1, 1), [16, 32, 64, 128, 256, 512]
SMALL = {'width': .5, 'depths': DEPTHS}   # narrower, ours has more channels than half of others
NAMES = ['a', 'b', 'c']


def shapes(net):
    return {name: tuple(parameter.shape) for name, parameter in net._collect_params_with_prefix().items()}


def fits(shape, wanted):
    """0 is what GluonCV's networks do not know before they see a picture."""
    return len(shape) == len(wanted) and all(there in (0, here) for there, here in zip(shape, wanted))


@pytest.mark.parametrize('model, theirs, classes', [
    ('yolo3_darknet53', 'yolo3_darknet53_coco', 80), ('yolo3_darknet53', 'yolo3_darknet53_voc', 20),
    ('yolo3_mobilenet1_0', 'yolo3_mobilenet1.0_coco', 80), ('yolo3_mobilenet1_0', 'yolo3_mobilenet1.0_voc', 20),
    ('darknet53', 'darknet53', 1000)])
def test_every_name_of_the_published_networks(model, theirs, classes):
    """And each for an array of its shape. Nothing is initialized."""
    more = {'pretrained_base': False} if 'yolo' in model else {}
    there = shapes(model_zoo.get_model(theirs, pretrained=False, **more))
    net = get_model(model, classes=classes)
    here, name_map = shapes(net), GLUONCV_MAPS[model](net)
    ours = name_map.inverse(here)
    assert set(ours) == {name for name in there if name_map.uses(name)}
    assert {name.rpartition('.')[2] for name in there if not name_map.uses(name)} <= {'anchors', 'offsets'}
    for official, name in ours.items():
        assert fits(there[official], here[name]), (official, name)


def initialized(net):
    """Differing numbers everywhere, those of batch normalisations, too."""
    net.initialize(mx.init.Xavier())
    net(IMAGE)
    for name, parameter in net._collect_params_with_prefix().items():
        if name.endswith(('gamma', 'running_var')):
            parameter.set_data(mx.nd.random.uniform(.5, 1.5, parameter.shape))
        elif name.endswith(('beta', 'running_mean', 'bias')):
            parameter.set_data(mx.nd.random.normal(0, .3, parameter.shape))
    return net


def small_darknet(classes=5):
    return DarknetV3(DEPTHS, CHANNELS, classes=classes)


def small_yolo(anchors=ANCHORS[::-1]):
    """Of :data:`SMALL` channels. GluonCV takes the finest scale first, and splits the trunk in three."""
    features = small_darknet().features
    stages = [features[:8], features[8:10], features[10:]]
    return YOLOV3(stages, [256, 128, 64], [sum(map(list, scale), []) for scale in anchors], [8, 16, 32], NAMES)


def outputs_of(net):
    """The raw heads of GluonCV's YOLOv3, which shows decoded boxes alone: the convolutions' own outputs."""
    heads = []
    for output in net.yolo_outputs:
        output.prediction.register_forward_hook(lambda block, inputs, output: heads.append(output))
    net(IMAGE)
    return heads


def check_same_outputs(model, theirs, tmp_path, **keywords):
    theirs.save_parameters(str(tmp_path / 'net.params'))
    net = get_model(model, **keywords)
    net.initialize()
    weights = read_params(tmp_path / 'net.params')
    check_gluoncv(net, model, weights, 'net.params')
    ignored = load_weights(net, weights, GLUONCV_MAPS[model](net))
    found = net(IMAGE)
    wanted, found = ([theirs(IMAGE)], [found]) if model == 'darknet53' else (outputs_of(theirs), found)
    assert len(wanted) == len(found)
    for here, there in zip(found, wanted):
        assert there.abs().max().asscalar() > .1
        np.testing.assert_allclose(here.asnumpy(), there.asnumpy(), rtol=1e-4, atol=1e-4)
    return ignored


def test_a_detector_on_darknet(tmp_path):
    ignored = check_same_outputs('yolo3_darknet53', initialized(small_yolo()), tmp_path, classes=3, **SMALL)
    assert ignored == [f'yolo_outputs.{i}.{what}' for i in range(3) for what in ('anchors', 'offsets')]


def test_a_detector_on_mobilenet(tmp_path):
    """The published network: there is no smaller one."""
    theirs = model_zoo.get_model('yolo3_mobilenet1.0_custom', classes=NAMES, pretrained=False, pretrained_base=False)
    assert len(check_same_outputs('yolo3_mobilenet1_0', initialized(theirs), tmp_path, classes=3)) == 6


def test_a_classifier(tmp_path):
    assert check_same_outputs('darknet53', initialized(small_darknet()), tmp_path, classes=5, **SMALL) == []


def test_files_of_another_network(tmp_path):
    initialized(small_yolo()).save_parameters(str(tmp_path / 'net.params'))
    weights = read_params(tmp_path / 'net.params')
    check_gluoncv(get_model('yolo3_darknet53', classes=3, **SMALL), 'yolo3_darknet53', weights, 'x.params')

    def refused(weights=weights, model='yolo3_darknet53', **keywords):
        with pytest.raises(WeightsError) as raised:
            check_gluoncv(get_model(model, **{'classes': 3, **SMALL, **keywords}), model, weights, 'x.params')
        return str(raised.value)

    assert refused(classes=80) == (
        """x.params: is of 3 classes, the network here of 80: --settings '{"classes": 3}'""")
    anchors = [*ANCHORS[:2], [[10, 13], [16, 30], [33, 24]]]
    assert refused(anchors=anchors) == (
        'x.params: was trained with the anchors [10.0, 13.0, 16.0, 30.0, 33.0, 23.0] in output 2, where the network '
        'has [10, 13, 16, 30, 33, 24]: say them in --settings as anchors')
    assert 'in output 0' in refused(anchors=ANCHORS[::-1])
    assert refused({'output.bias': np.zeros(7, 'f4')}, 'darknet53').startswith('x.params: is of 7 classes, the network')
    assert refused(model='darknet53') == 'x.params: is of yolo3_darknet53, not of darknet53: --model yolo3_darknet53'
    mobilenet = {'yolo_outputs.0.prediction.bias': np.zeros(24, 'f4'), 'stages.0.0.weight': np.zeros(1, 'f4')}
    assert refused(mobilenet) == (
        'x.params: is of yolo3_mobilenet1_0, not of yolo3_darknet53: --model yolo3_mobilenet1_0')
    classifier = {'features.0.0.weight': np.zeros(1, 'f4'), 'output.bias': np.zeros(7, 'f4')}
    assert refused(classifier).endswith('is of darknet53, not of yolo3_darknet53: --model darknet53')
    assert refused({'yolov30_conv0_weight': np.zeros(7, 'f4')}).startswith(
        "x.params: names are such as 'yolov30_conv0_weight': write it with net.save_parameters")
    # That all is missing, or has a shape that no YOLOv3 has, load_weights says.
    check_gluoncv(get_model('darknet53', **SMALL), 'darknet53', {}, 'x.params')
    check_gluoncv(get_model('yolo3_darknet53', **SMALL), 'yolo3_darknet53',
                  {'yolo_outputs.0.prediction.bias': np.zeros(25, 'f4')}, 'x')
