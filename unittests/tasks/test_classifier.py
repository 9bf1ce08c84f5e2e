"""What classifiers share, beside what the tests of classification show: further outcomes are counted beside the result.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.data import Batch
from gluonzoo.tasks.classifier import Classifier


class Twofold(Classifier):
    """Its result are the images' first numbers; beside them the last ones are counted."""

    def logits_of(self, images):
        return images[:, 0, 0, :2]

    def outcomes(self, images):
        return {**super().outcomes(images), 'other': [images[:, 0, 1, :2]]}


def make(**options):
    task = Twofold(**{'net': nn.Dense(2), 'class_names': ['a', 'b'], 'size': 2, 'crop': 1.0, 'mean': (0, 0, 0),
                      'std': (255, 255, 255), **options})
    task.start_prediction()
    return task


def test_further_outcomes_are_counted_beside_the_result():
    images = np.zeros((2, 3, 2, 2), 'float32')
    images[:, 0, 0] = [[1, 0], [0, 1]]   # both right
    images[:, 0, 1] = [[1, 0], [1, 0]]   # one of them
    task = make()
    found = task.evaluate([Batch((mx.nd.array(images), mx.nd.array([[0], [1]])), np.arange(2))])
    assert found == {'top1': 1, 'top5': 1, 'mean_class_top1': 1, 'other_top1': .5, 'other_top5': 1,
                     'other_mean_class_top1': .5}
    assert task._evaluated[1] == []   # mistakes are the result's


@pytest.mark.parametrize('options, message', [
    ({'size': 0}, 'size: must be a number of pixels: 0'), ({'size': True}, 'size: must be'),
    ({'crop': 1.5}, 'crop: must be above 0 and at most 1: 1.5'), ({'mean': (1, 2)}, 'mean: must be three numbers'),
    ({'std': (1, 0, 1)}, 'std: must be three numbers above 0'), ({'class_names': 'ab'}, 'class_names: must be')])
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


class Data:
    """A dataset, as far as the check sees it."""

    def __init__(self, size=2, mean=(0, 0, 0), std=(255, 255, 255), channels=3):
        self.arrays = ((channels, size, size), (1,))
        self.transform = type('Transform', (), {'mean': mean, 'std': std})


@pytest.mark.parametrize('data, message', [
    (Data(size=3), r'val_data: must make images \[3, 2, 2\], by task.size: \[3, 3, 3\]'),
    (Data(channels=1), r'val_data: must make images \[3, 2, 2\], by task.size: \[1, 2, 2\]'),
    (Data(mean=(0, 1, 0)), r'val_data.transform.mean: must be that of the task, \[0, 0, 0\]: \[0, 1, 0\]'),
    (Data(std=(1., 1., 1.)), r'val_data.transform.std: must be that of the task, \[255, 255, 255\]: \[1.0, ')])
def test_data_that_do_not_fit(data, message):
    with pytest.raises(ValueError, match=message):
        make().check_data('val_data', data)


def test_data_that_fit():
    for data in (Data(), Data(mean=np.zeros(3, 'float32')), object()):   # the last: a user's own, without a transform
        make().check_data('train_data', data)


def test_a_subclass_says_what_is_seen():
    class Corner(Twofold):
        def seen(self, photo):
            return photo[:2, :2]

    task = Corner(nn.Dense(2), ['a', 'b'], 2, 1.0, (0, 0, 0), (1, 1, 1))
    task.start_prediction()
    photo = np.zeros((9, 9, 3), 'uint8')
    photo[0, :2, 0] = 3, 1
    found, = task.predict([photo])
    assert found.labels.tolist() == [0, 1]
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-2)))


def test_what_the_input_is_like_is_said():
    assert make(mean=(1, 2, 3)).look == {'size': 2, 'mean': (1, 2, 3), 'std': (255, 255, 255)}
