"""Optimizers by name: 'adam' is the published form here, and MXNet's registry stays as it is."""
import mxnet as mx
import pytest

from gluonzoo.optimizers import Adam, create, optimizer_class


@pytest.mark.parametrize('name, cls', [
    ('adam', Adam), ('Adam', Adam), ('mxnet_adam', mx.optimizer.Adam), ('sgd', mx.optimizer.SGD),
    ('nadam', mx.optimizer.Nadam), ('groupadagrad', mx.optimizer.contrib.GroupAdaGrad)])
def test_names(name, cls):
    assert optimizer_class(name) is cls and type(create(name, learning_rate=.5)) is cls


def test_adam_is_mxnets_outside():
    assert type(mx.optimizer.create('adam')) is mx.optimizer.Adam
    assert 'mxnet_adam' not in mx.optimizer.Optimizer.opt_registry


def test_a_class_of_the_users_own_comes_first(monkeypatch):
    class Mine(mx.optimizer.SGD):
        pass

    monkeypatch.setitem(mx.optimizer.Optimizer.opt_registry, 'adam', Mine)
    assert optimizer_class('adam') is Mine and optimizer_class('mxnet_adam') is mx.optimizer.Adam


@pytest.mark.parametrize('name, message', [('adma', "unknown optimizer 'adma'; did you mean .*adam"),
                                           ('x' * 20, 'known: adadelta, .*mxnet_adam'), (3, 'unknown optimizer 3')])
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        create(name)
