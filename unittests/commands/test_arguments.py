"""gluonzoo/commands/arguments.py: the help of a command. (What says a run or a model, its commands' tests ask.)"""
import argparse

from gluonzoo.commands.arguments import add_command


def test_a_docstring_is_the_help():
    parser = argparse.ArgumentParser(prog='some')
    command = add_command(parser.add_subparsers(), 'thing', """Does a thing.

        some thing     # as it is

    More.
    """)
    assert 'thing     Does a thing.\n' in parser.format_help() and 'More.' not in parser.format_help()
    assert 'Does a thing.\n\n    some thing     # as it is\n\nMore.\n' in command.format_help()
