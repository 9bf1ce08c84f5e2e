"""What the parsers of the commands are made of."""
import argparse
import inspect

__all__ = ['add_command', 'at_least', 'between', 'fraction']


def add_command(commands, name, doc):
    """Adds a command to those of a parser. The first line of `doc` is its help in their list, all of it its own help.

    Parameters
    ----------
    commands : what ``parser.add_subparsers()`` returns
    name, doc : str

    Returns
    -------
    argparse.ArgumentParser
    """
    doc = inspect.cleandoc(doc)
    return commands.add_parser(name, help=doc.partition('\n')[0], description=doc,
                               formatter_class=argparse.RawDescriptionHelpFormatter)


# -- types -----------------------------------------------------------------------------------------------------------

def _number(kind, good, rule):
    def number(text):
        value = kind(text)
        if not good(value):   # NaN is not
            raise argparse.ArgumentTypeError(f'must be {rule}: {text}')
        return value
    return number


def at_least(least, kind=int):
    """A number of at least `least`."""
    return _number(kind, lambda value: value >= least, f'at least {least}')


def between(least, most):
    """A whole number from `least` to `most`."""
    return _number(int, lambda value: least <= value <= most, f'{least} to {most}')


fraction = _number(float, lambda value: 0 < value < 1, 'between 0 and 1')
