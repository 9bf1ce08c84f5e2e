"""The command `gluonzoo`, which finds the others.

A command is a module of this package. Its docstring is the help. It has ``add_arguments(parser)``, ``run(args)``, which
returns an exit code or None, and, where arguments must be checked together, ``check(parser, args)``. Help is shown at
once as long as nothing heavy is imported before ``run``.
"""
import argparse
import importlib
import signal
import sys

from .. import runtime
from .arguments import add_command
from .errors import said_of
from .progress import close_bars, warnings_beside_bars

__all__ = ['COMMANDS', 'door', 'main']

COMMANDS = ('models', 'data', 'records', 'train', 'search', 'evaluate', 'report', 'predict', 'sample', 'convert',
            'export', 'info')


def main(argv=None):
    """Runs the command that the words of `argv` say (default: those of the process). Returns the exit code.

    What is the user's to mend is one line on stderr, and the exit code 1; an error of the user's own code is its own
    traceback.
    """
    if hasattr(sys.stdout, 'reconfigure'):   # stderr does so by itself: a file may have any name, a class any letters
        sys.stdout.reconfigure(errors='backslashreplace')
    parser = argparse.ArgumentParser(prog='gluonzoo', description='A zoo of vision models for Apache MXNet Gluon.')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    modules, parsers = {}, {}
    for name in COMMANDS:
        modules[name] = importlib.import_module(f'.{name}', __package__)
        parsers[name] = add_command(commands, name, modules[name].__doc__)
        modules[name].add_arguments(parsers[name])
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    command = modules[args.command]
    if hasattr(command, 'check'):
        command.check(parsers[args.command], args)
    try:
        if getattr(args, 'threads', None):
            runtime.use_threads(args.threads)
        with warnings_beside_bars():
            code = command.run(args)
        if 'mxnet' in sys.modules:
            sys.modules['mxnet'].nd.waitall()   # an error that nobody waits for would leave the exit code 0
    except BrokenPipeError:   # who reads has seen enough: gluonzoo models | head
        sys.stdout = None
        return 0
    except KeyboardInterrupt:   # where there is nothing to save; a training under way receives the signal itself
        close_bars()
        print(f'gluonzoo {args.command}: interrupted', file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        said = said_of(error)
        close_bars()
        if said is None:
            raise
        print(f'gluonzoo {args.command}: {said}', file=sys.stderr)
        return 1
    return code or 0


def door(*words):
    """Runs `gluonzoo` with these words and then those of the process, and ends the process."""
    sys.exit(main([*words, *sys.argv[1:]]))


if __name__ == '__main__':
    sys.exit(main())
