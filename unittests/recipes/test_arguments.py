"""gluonzoo/recipes/arguments.py: what its types take and refuse."""
import argparse

import pytest

from gluonzoo.recipes.arguments import at_least, between, device_names, fraction, part_below_1


@pytest.mark.parametrize('kind, text, value', [
    (at_least(3), '3', 3), (at_least(0, float), '0.5', .5), (at_least(-2), '-2', -2), (between(1, 100), '1', 1),
    (between(1, 100), '100', 100), (fraction, '.1', .1)])
def test_what_is_taken(kind, text, value):
    assert kind(text) == value and type(kind(text)) is type(value)


@pytest.mark.parametrize('kind, text, words', [
    (at_least(3), '2', 'must be at least 3: 2'), (at_least(0, float), 'nan', 'must be at least 0: nan'),
    (at_least(0, float), 'inf', 'must be finite: inf'), (part_below_1, '1', 'must be from 0 to below 1: 1'),
    (between(1, 100), '0', 'must be 1 to 100: 0'), (between(1, 100), '101', 'must be 1 to 100: 101'),
    (fraction, '0', 'must be between 0 and 1: 0'), (fraction, '1', 'must be between 0 and 1: 1'),
    (fraction, 'nan', 'must be between 0 and 1: nan')])
def test_what_is_refused(kind, text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=f'^{words}$'):
        kind(text)


@pytest.mark.parametrize('kind', [at_least(3), between(1, 100), fraction])
def test_what_is_no_number(kind):
    with pytest.raises(ValueError):   # argparse names the argument
        kind('x')


@pytest.mark.parametrize('text, names', [
    ('cpu', ['cpu(0)']), ('gpu', ['gpu(0)']), ('gpu:3', ['gpu(3)']), ('gpu:0,gpu:1', ['gpu(0)', 'gpu(1)']),
    ('cpu:1', ['cpu(1)'])])
def test_devices(text, names):
    assert device_names(text) == names


@pytest.mark.parametrize('text', ['', 'tpu', 'gpu:', 'gpu:x', 'gpu(0)', 'gpu:0,', 'gpu:-1', 'gpu:0 gpu:1'])
def test_what_is_no_device(text):
    with pytest.raises(argparse.ArgumentTypeError, match='must be like cpu, gpu:0 or gpu:0,gpu:1: '):
        device_names(text)
