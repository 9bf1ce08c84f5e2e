"""gluonzoo/commands/arguments.py: what its types take and refuse, and the help of a command."""
import argparse

import pytest

from gluonzoo.commands.arguments import add_command, at_least, between, fraction


@pytest.mark.parametrize('kind, text, value', [
    (at_least(3), '3', 3), (at_least(0, float), '0.5', .5), (at_least(-2), '-2', -2), (between(1, 100), '1', 1),
    (between(1, 100), '100', 100), (fraction, '.1', .1)])
def test_what_is_taken(kind, text, value):
    assert kind(text) == value and type(kind(text)) is type(value)


@pytest.mark.parametrize('kind, text, words', [
    (at_least(3), '2', 'must be at least 3: 2'), (at_least(0, float), 'nan', 'must be at least 0: nan'),
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


def test_a_docstring_is_the_help():
    parser = argparse.ArgumentParser(prog='some')
    command = add_command(parser.add_subparsers(), 'thing', """Does a thing.

        some thing     # as it is

    More.
    """)
    assert 'thing     Does a thing.\n' in parser.format_help() and 'More.' not in parser.format_help()
    assert 'Does a thing.\n\n    some thing     # as it is\n\nMore.\n' in command.format_help()
