"""The command ``gluonzoo``: finds the module of a command, lets it parse its arguments, and runs it.

A command is a module of this package. Its docstring is the help text. It has ``add_arguments(parser)`` or
``parse(parser, words)``, which returns the arguments; optionally ``check(parser, args)``, for what does not go together;
and ``run(args)``, which returns an exit code or None. At module level it imports nothing heavy, so that help and a wrong
argument are answered at once; MXNet is imported when there is work to do.
"""
import argparse
import difflib
import importlib
import sys

__all__ = ['COMMANDS', 'door', 'main']

COMMANDS = ('models', 'data', 'records', 'train', 'evaluate', 'predict', 'convert', 'export')


def main(argv=None):
    """Runs a command. Returns the exit code; what is the user's to mend is one line on stderr, and the exit code 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ('-h', '--help'):
        print(_overview())
        return 0
    name, *words = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS) or COMMANDS
        print(f'gluonzoo: unknown command {name!r}; there are {", ".join(near)}', file=sys.stderr)
        return 2
    command = importlib.import_module(f'.{name}', __package__)
    parser = argparse.ArgumentParser(prog=f'gluonzoo {name}', description=command.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    try:
        if hasattr(command, 'parse'):
            args = command.parse(parser, words)
        else:
            command.add_arguments(parser)
            args = parser.parse_args(words)
        if hasattr(command, 'check'):
            command.check(parser, args)
        code = command.run(args)
        if 'mxnet' in sys.modules:
            sys.modules['mxnet'].nd.waitall()   # an error that nobody waits for would leave the exit code 0
        return code or 0
    except Exception as error:
        if not _is_the_users(error):
            raise
        plain = isinstance(error, OSError) and error.filename   # without its number
        print(f'gluonzoo {name}: {f"{error.filename}: {error.strerror}" if plain else error}', file=sys.stderr)
        return 1


def door(*words):
    """What a script of scripts/ is: a command, with the arguments of the script."""
    sys.exit(main([*words, *sys.argv[1:]]))


def _overview():
    lines = ['usage: gluonzoo COMMAND ...', '']
    for name in COMMANDS:
        doc = importlib.import_module(f'.{name}', __package__).__doc__
        lines.append(f'  {name:10} {doc.splitlines()[0]}')
    return '\n'.join([*lines, '', 'gluonzoo COMMAND --help says more of each.'])


def _is_the_users(error):
    """Whether it is an error that a user can mend, and not one of the program."""
    if isinstance(error, (OSError, ValueError)):
        return True
    from ..data.fetch.dataset_folder import DatasetError
    from ..data.fetch.download import ArchiveError, DownloadError
    from ..train import CheckpointError, TrainingError
    return isinstance(error, (ArchiveError, CheckpointError, DatasetError, DownloadError, TrainingError))


if __name__ == '__main__':
    sys.exit(main())
