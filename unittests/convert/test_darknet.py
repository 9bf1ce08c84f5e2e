"""darknet's files and our networks: the order of the numbers, by computing with them as darknet does; and back."""
import darknet_twin as twin
import mxnet as mx
import numpy as np
import pytest

from gluonzoo import get_model
from gluonzoo.convert import WeightsError
from gluonzoo.convert.darknet import FORMS, layers_of, load_darknet, save_darknet
from gluonzoo.convert.darknet_file import size_of_file

IMAGE = np.random.default_rng(1).random((2, 3, 64, 96), 'f4')


def make(name='yolo3_darknet53', classes=3, **more):
    net = get_model(name, classes=classes, **twin.SETTINGS, **more)
    net.initialize()
    return net


def values(net):
    return {name: p.data().asnumpy().copy() for name, p in net._collect_params_with_prefix().items()}


def yolo(classes=3):
    return [*twin.backbone(), *twin.heads(classes)]


@pytest.fixture
def file(tmp_path):
    """Writes a file of layers: file(layers, name) -> its path."""
    def file(layers, name='net.weights', **more):
        (tmp_path / name).write_bytes(twin.content(layers, **more))
        return tmp_path / name
    return file


def check_equal(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_detector_computes_what_darknet_does(file):
    pytest.importorskip('torch')
    net, path = make(), file(yolo())
    assert sorted(load_darknet(net, path, FORMS['yolo3_darknet53'])) == sorted(values(net))
    wanted, left = twin.Darknet(path).yolo(IMAGE, 3)
    assert left == 0
    for found, head in zip(net(mx.nd.array(IMAGE)), wanted):
        assert np.abs(head).max() > .5
        check_equal(found.asnumpy(), head)


def test_a_classifier_computes_what_darknet_does(file):
    pytest.importorskip('torch')
    net, path = make('darknet53', 5), file([*twin.backbone(), (5, 128, 1, False)])
    load_darknet(net, path, FORMS['darknet53'])
    wanted, left = twin.Darknet(path).classify(IMAGE, 5)
    assert left == 0
    check_equal(net(mx.nd.array(IMAGE)).asnumpy(), wanted)


@pytest.mark.parametrize('model, layers', [('yolo3_darknet53', yolo()),
                                           ('darknet53', [*twin.backbone(), (3, 128, 1, False)])])
def test_there_and_back(file, tmp_path, model, layers):
    """Bit for bit, and running statistics, too; with the pictures seen set to 0."""
    net = make(model, activation='mish')
    load_darknet(net, file(layers), FORMS[model])
    assert net.collect_params() and any('running_var' in name for name in values(net))
    save_darknet(net, tmp_path / 'back.weights')
    assert (tmp_path / 'back.weights').read_bytes() == twin.content(layers)
    load_darknet(net, file(layers, header=b'\0\0\0\0\1\0\0\0\0\0\0\0\7\0\0\0', seed=2), FORMS[model])
    save_darknet(net, tmp_path / 'back.weights')
    assert (tmp_path / 'back.weights').read_bytes() == twin.content(layers, seed=2)


@pytest.mark.parametrize('model', FORMS)
def test_a_backbone_alone(file, model):
    net = make(model)
    before = values(net)
    path = file(twin.backbone(), 'small.conv.74')
    names = load_darknet(net, path, FORMS[model], backbone=True)
    assert names and {name.partition('.')[0] + '.' for name in names} == {FORMS[model].backbone}
    whole = make(model)
    heads = twin.heads(3) if model == 'yolo3_darknet53' else [(3, 128, 1, False)]
    load_darknet(whole, file([*twin.backbone(), *heads]), FORMS[model])
    for name, array in values(net).items():
        np.testing.assert_array_equal(array, values(whole)[name] if name in names else before[name])
    assert {name for name in before if name.startswith(FORMS[model].backbone)} == set(names)


@pytest.mark.parametrize('model, classes, whole, backbone', [
    ('yolo3_darknet53', 80, 248_007_048, 162_482_580), ('yolo3_darknet53', 20, 246_714_648, 162_482_580),
    ('darknet53', 1000, 166_582_580, 162_482_580)])
def test_sizes_of_the_published_files(model, classes, whole, backbone):
    """Of shapes alone: nothing is initialized."""
    layers = layers_of(get_model(model, classes=classes)._collect_params_with_prefix())
    first = [layer for layer in layers if layer.name.startswith(FORMS[model].backbone)]
    assert (size_of_file(layers), size_of_file(first), len(first)) == (whole, backbone, 52)


def refused(net, path, **more):
    before = values(net)
    with pytest.raises(WeightsError) as raised:
        load_darknet(net, path, FORMS['yolo3_darknet53'], **more)
    message = str(raised.value)
    assert message.startswith(f'{path}: ') and '\n' not in message
    for name, array in values(net).items():
        np.testing.assert_array_equal(array, before[name])
    return message[len(str(path)) + 2:]


def size(layers):
    return 20 + 4 * sum(int(np.prod(shape)) for shape in twin.shapes(layers))


def test_of_other_classes(file):
    shorter, longer = size(yolo(2)), size(yolo(20))
    there = "it fits with {0} classes: --settings '{{\"classes\": {0}}}'"
    here = f'must have {size(yolo()):,} bytes for YOLO3 of 3 classes; it has '
    assert refused(make(), file(yolo(2))) == (
        f'{here}{shorter:,}, and ends in layer 41 of 41, scales.2.output: {there.format(2)}')
    assert refused(make(), file(yolo(20))) == (
        f'{here}{longer:,}, {longer - size(yolo()):,} of them after the last layer: {there.format(20)}')


def test_shorter_than_any_class(file):
    """A file of no class, and one of fewer numbers still, fit nothing."""
    for layers in (yolo()[:-1], list(twin.backbone())[:3]):
        assert '--settings' not in refused(make(), file(layers))
    said = refused(make(classes=1), file(yolo()))
    assert said.startswith(f'must have {size(yolo(1)):,} bytes for YOLO3 of 1 class; ')


def test_variances_below_0(file):
    path = file(yolo())
    content = bytearray(path.read_bytes())
    content[20 + 4 * 3 * 16:24 + 4 * 3 * 16] = np.float32(-2).tobytes()   # after beta, gamma and mean of 16 channels
    path.write_bytes(content)
    assert refused(make(), path) == 'backbone.stem.norm.running_var: variances must be 0 or more: -2.0'


def test_of_another_network(file):
    """A classifier's file ends in the first layer of the heads that it cannot fill; a deeper network's is longer."""
    layers = [*twin.backbone(), (5, 128, 1, False)]
    assert refused(make(), file(layers)).endswith(
        f'it has {size(layers):,}, and ends in layer 19 of 41, scales.0.body.0.conv')
    deeper = [*yolo(), (8, 9, 3, True)]
    assert refused(make(), file(deeper)).endswith(f'{4 * (4 * 8 + 8 * 9 * 9):,} of them after the last layer')


def test_a_backbone_and_a_whole_network_are_told_apart(file):
    assert refused(make(), file(twin.backbone())).endswith(
        'and ends in layer 19 of 41, scales.0.body.0.conv: the backbone alone, to start a training from: its name must '
        'end with .conv.74')
    message = refused(make(), file(yolo(), 'net.conv.74'), backbone=True)
    assert message.startswith(f'must have {size(twin.backbone()):,} bytes for the backbone of YOLO3 of 3 classes; ')
    assert message.endswith(': the whole network, whose name must end with .weights')
    cut = file(twin.backbone(), 'cut.conv.74')
    cut.write_bytes(cut.read_bytes()[:-6])
    assert refused(make(), cut, backbone=True).endswith(
        'and ends in layer 18 of 18, backbone.stages.4.1.expand.conv: within a number')


def test_numbers_that_are_not_finite(file):
    path = file(yolo())
    content = bytearray(path.read_bytes())
    content[20:24] = content[40:44] = np.float32('nan').tobytes()
    content[-4:] = np.float32('inf').tobytes()
    path.write_bytes(content)
    assert refused(make(), path) == (
        'backbone.stem.norm.beta: has values that are not finite (--allow-not-finite takes them), and 1 more')
    net = make()
    load_darknet(net, path, FORMS['yolo3_darknet53'], finite=False)
    assert np.isnan(values(net)['backbone.stem.norm.beta']).tolist()[:6] == [True] + 4 * [False] + [True]
    assert values(net)['scales.2.output.weight'].flat[-1] == np.inf


def test_a_network_that_is_not_initialized(file):
    with pytest.raises(ValueError, match='net: must be initialized'):
        load_darknet(get_model('yolo3_darknet53', **twin.SETTINGS), file(yolo()), FORMS['yolo3_darknet53'])


def test_a_network_of_another_dtype_on_two_devices(file, tmp_path):
    net = make()
    net.cast('float64')
    net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    load_darknet(net, file(yolo()), FORMS['yolo3_darknet53'])
    assert net.scales[0].output.bias.list_data()[1].dtype == np.float64
    save_darknet(net, tmp_path / 'back.weights')
    assert (tmp_path / 'back.weights').read_bytes() == twin.content(yolo())
