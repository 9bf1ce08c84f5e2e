"""How many threads a command has MXNet compute with on the CPU.

Numbers depend on the threads in their last digits, so a run keeps its number of threads when it is resumed.
"""
import argparse
import sys
from pathlib import Path

from .. import runtime
from ..cores import physical_cores
from ..reading import FileError, read_json
from ..recipes.arguments import at_least

__all__ = ['add_threads_argument', 'begun_with', 'of_settings', 'tell', 'use_as_said', 'use_of_run']


def add_threads_argument(parser):
    """Adds --threads to a parser of a command that computes."""
    parser.add_argument('--threads', type=at_least(1), help='of MXNet on the CPU (default: as many as cores are free)')


def use_as_said(words, run=None):
    """Uses the threads that the words of a training name, or else those of the run that is resumed.

    To be called before a file of the user's own imports MXNet.

    Parameters
    ----------
    words : list of str
    run : str or Path, optional
        the directory of the run, if the words do not name one
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument('--threads', nargs='?')
    early.add_argument('--set', nargs='?', action='append', default=[])
    early.add_argument('--run', nargs='?', default=run)
    early.add_argument('--resume', action='store_true')
    said = early.parse_known_args([word for word in words if word != '--'])[0]
    path = 'engine.threads='
    named = [said.threads, *(text[len(path):] for text in said.set if text and text.startswith(path))]
    numbers = [text for text in named if text and text.isdecimal()]   # the command says what is wrong with others
    if numbers:
        runtime.use_threads(int(numbers[-1]))
    elif said.resume and said.run:
        use_of_run(said.run)


def of_settings(settings):
    """The number of threads that settings ask for: ``engine.threads``. None if there is none; others judge that."""
    engine = settings.get('engine') if isinstance(settings, dict) else None
    return engine.get('threads') if isinstance(engine, dict) else None


def begun_with(directory):
    """How many threads a run was begun with. None if there is no run or no such number; others judge that."""
    try:
        threads = of_settings(read_json(Path(directory) / 'settings.json'))
    except (OSError, FileError):
        return None
    return threads if isinstance(threads, int) and not isinstance(threads, bool) and threads > 0 else None


def use_of_run(directory):
    """Uses as many threads as a run was begun with, if there are so many cores and the user has chosen no number.

    Does nothing where MXNet has been imported.
    """
    threads = begun_with(directory)
    if threads is not None and threads <= physical_cores() and runtime.may_choose_threads():
        runtime.use_threads(threads)


def tell(before=None):
    """Says on stderr what the user may not expect: that others have some of the cores, or that a run had other threads.

    Parameters
    ----------
    before : int, optional
        how many threads the run has been begun with
    """
    if before not in (None, runtime.threads()):
        print(f'the run was begun with {before} thread(s) and goes on with {runtime.threads()}: numbers may differ in '
              'their last digits', file=sys.stderr)
    elif runtime.cores_left_to_others():
        print(f'{runtime.cores_left_to_others()} of {physical_cores()} cores are in use by others: MXNet computes with '
              f'{runtime.threads()} thread(s); --threads says otherwise', file=sys.stderr)
