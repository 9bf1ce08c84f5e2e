"""What computes in place of a network, and what a network is given."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn
from numpy.testing import assert_allclose, assert_array_equal

from gluonzoo.commands.resolve import make_task
from gluonzoo.tasks import Task
from gluonzoo.tasks.classification import Classification
from gluonzoo.tasks.stand_in import inputs_of, stand_in

PHOTO = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype='uint8')


@pytest.fixture
def task():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(3, 8, in_channels=3), nn.Flatten())
    mx.random.seed(0)
    task = Classification(net, ['cat', 'cow', 'dog'], size=8, crop=1.0, mean=(100, 110, 120), std=(50, 60, 70))
    net.initialize(mx.init.Xavier())
    task.start_prediction()
    return task


def test_stand_in_answers_and_goes(task):
    before, = task.predict([PHOTO])
    seen = []

    def compute(x):
        seen.append(x.shape)
        return [mx.nd.array([[0, 1, 3]] * len(x))]

    with stand_in(task, task.networks['net'], compute):
        found, _ = task.predict([PHOTO, PHOTO])
    assert seen == [(2, 3, 8, 8)] and found.labels.tolist() == [2, 1, 0]
    assert_allclose(found.scores, np.exp([3, 1, 0]) / np.exp([3, 1, 0]).sum(), rtol=1e-6)
    after, = task.predict([PHOTO])
    assert_array_equal(after.scores, before.scores)


def test_network_is_back_after_an_error(task):
    def compute(x):
        raise ArithmeticError

    before, = task.predict([PHOTO])
    with pytest.raises(ArithmeticError), stand_in(task, task.networks['net'], compute):
        task.predict([PHOTO])
    assert_array_equal(task.predict([PHOTO])[0].scores, before.scores)


def test_inputs_are_prepared_pictures(task):
    (images,), (again,) = inputs_of(task, task.networks['net'], lambda: (task.predict([PHOTO]), task.predict([PHOTO])))
    expected = (PHOTO.astype('float32') - [100, 110, 120]) / [50, 60, 70]
    assert_allclose(images, expected.transpose(2, 0, 1)[None], rtol=1e-5, atol=1e-6)
    assert_array_equal(images, again)


class Halves(HybridBlock):
    """Nested outputs: [x / 2, [x / 4, x / 8]]."""

    def hybrid_forward(self, F, x):
        return [x / 2, [x / 4, x / 8]]


class Around(HybridBlock):
    """The network and what follows it, as one graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def hybrid_forward(self, F, x):
        half, (fourth, eighth) = self.net(x)
        return half + 10 * fourth + 100 * eighth


class Twice(Task):
    used = network_names = ('net',)

    def __init__(self, net):
        super().__init__(net=net)
        self.around = Around(net)

    def input_shapes(self, name):
        return [(1, 1)]


def test_network_in_a_graph_with_nested_outputs():
    task = Twice(Halves())
    task.start_prediction()
    task.around.hybridize()
    x = mx.nd.array([[8]])
    assert task.around(x).asscalar() == 4 + 20 + 100   # the graph is there
    with stand_in(task, task.networks['net'], lambda x: [x, x + 1, x + 2]):
        assert task.around(x).asscalar() == 8 + 90 + 1000
    assert task.around._active and task.around(x).asscalar() == 124
    assert [array.item() for call in inputs_of(task, Around(task.networks['net']), lambda: task.around(x))
            for array in call] == [8]


def test_fewer_outputs_than_the_network_has():
    """As of what a task exports, which may be the last stage alone: they come as one list."""
    task = Twice(Halves())
    task.start_prediction()
    x = mx.nd.array([[8]])
    with stand_in(task, task.networks['net'], lambda x: [x]):
        assert [each.asscalar() for each in task.networks['net'](x)] == [8]


def test_a_block_of_no_single_network():
    class Pair(Task):
        used = network_names = ('a', 'b')

    task = Pair(a=Halves(), b=Halves())
    with pytest.raises(ValueError, match='Pair: has 2 networks that predict; one of them is needed here'), \
            stand_in(task, Halves(), None):
        pass


@pytest.mark.parametrize('settings', [
    {'name': 'wsdan', 'class_names': ['cat', 'cow'], 'size': 48, 'net': {'name': 'wsdan_cifar_resnet20', 'maps': 4}},
    {'name': 'keypoint_detection', 'class_names': ['cat', 'dog'], 'size': 64, 'test_size': 64,
     'net': {'name': 'ghost_centernet_0_5', 'channels': 8}},
    {'name': 'pix2pix', 'image_size': 128, 'test_mode': 'batch', 'generator': {'name': 'unet128', 'width': 2},
     'discriminator': None},
    {'name': 'cyclegan', 'image_size': 16, 'generator_ab': {'name': 'resnet_6blocks', 'width': 2},
     'generator_ba': {'name': 'resnet_6blocks', 'width': 2}}])
def test_tasks_call_the_stand_in_of_what_they_export(settings):
    task = make_task({'task': settings}, to_predict=True)
    task.start_prediction()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype='uint8')
    block = task.exported().block
    given = [x.shape for x, in inputs_of(task, block, lambda: task.predict([photo]))]
    seen = []

    def compute(x):
        seen.append(x.shape)
        outputs = block(mx.sym.var('data'))
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return [mx.nd.zeros(*each.infer_shape(data=x.shape)[1]) for each in outputs]

    with stand_in(task, block, compute):
        task.predict([photo])
    assert seen == given and given
