"""Writes one page about a run, which a browser opens from the disk: settings, curves, metrics, pictures.

    gluonzoo report runs/dsod_pikachu                      # runs/dsod_pikachu/report.html
    gluonzoo report runs/dsod_pikachu --out dsod.html --no-evaluation
    gluonzoo report runs/mine --code my_net.py --data moved/data

The page is one file, which fetches nothing. The best checkpoint is evaluated on the validation data for it, with
precision over recall of detectors, confusion matrix of classifiers, and pictures of what the network makes of some. If
that cannot be done, as where the data lie elsewhere, the page is written without, and says why. What the run has itself
is always there: settings, curves, samples by epoch, and the commands that go on with it.
"""
from pathlib import Path

from ..recipes.arguments import at_least
from .arguments import add_use_arguments
from .errors import said_of

OF_THE_EVALUATION = ('data', 'which', 'code', 'set')   # arguments
PICTURES = 12   # of the last evaluation of the training: a task has two or so


def add_arguments(parser):
    parser.add_argument('run', type=Path, metavar='RUN', help='the directory of the run')
    parser.add_argument('--out', type=Path, metavar='FILE.html', help='(default: report.html in the run)')
    parser.add_argument('--no-evaluation', action='store_true', help='what the run has itself, and no more')
    parser.add_argument('--data', type=Path, help='where the validation data lie now, as for gluonzoo evaluate')
    parser.add_argument('--workers', type=at_least(1), default=2, help='threads that load data (default: %(default)s)')
    add_use_arguments(parser)


def check(parser, args):
    for name in OF_THE_EVALUATION:
        if args.no_evaluation and getattr(args, name):
            parser.error(f'--{name}: is of the evaluation, and not with --no-evaluation')


def run(args):
    import sys

    from ..files import folder_for, replacing
    from ..train import Run

    run, out = Run.open(args.run), args.out or args.run / 'report.html'
    with folder_for(out), replacing(out) as (partial,):
        partial.touch()   # what cannot be written is told before the work
        content, notes = contents(run, args)
        partial.write_bytes(content)
    print(f'{out}: {len(content) / 1e6:.1f} MB; open it with a browser')
    for note in notes:
        print(note, file=sys.stderr)


def contents(run, args):
    """The page, bytes, and what could not be had for it: list of str."""
    from ..train.storage import CheckpointError
    from . import resolve

    evaluated, notes = None, []
    if not args.no_evaluation:
        devices = resolve.contexts(args.devices)
        try:
            evaluated = evaluate(args, devices)
        except Exception as error:
            reason = said_of(error)
            if reason is None or any(getattr(args, name) for name in OF_THE_EVALUATION):   # what is asked for must be
                raise
            notes.append(f'not evaluated: {reason}')
    try:
        last = state_of(run)
    except CheckpointError as error:
        last = None
        notes.append(f'the last checkpoint cannot be read: {error}')
    return make_page(run, last, evaluated, notes), notes


def evaluate(args, devices):
    """What the checkpoint does on the validation data: :class:`gluonzoo.reports.evaluated.Evaluated`."""
    from tqdm import tqdm

    from ..reports import evaluated
    from . import resolve

    task, settings, checkpoint = resolve.open_run(args.run, args.which or 'best', devices, args.set, args.code,
                                                  not args.allow_not_finite)
    if args.data:
        settings['val_data'] = resolve.moved_data(settings['val_data'], args.data)
    loader = resolve.validation_loader(settings, args.workers)
    task.check_data('val_data', loader.dataset)
    return evaluated.evaluate(task, loader, checkpoint.name, lambda batches, count: tqdm(
        batches, 'evaluate', count, unit=' batches', leave=False, disable=None))


def state_of(run):
    """The state of the last checkpoint of a run; None if it has none. CheckpointError if it is damaged."""
    from ..train.checkpoint_files import read_state

    return read_state(run.checkpoint('last')) if run.checkpoints() else None


def make_page(run, last, evaluated, notes):
    """The page of a run: bytes."""
    from ..reading import FileError
    from ..registry import TASKS
    from ..reports.embedded import read_pictures, read_samples
    from ..reports.going_on import commands
    from ..reports.history import read_history
    from ..reports.page import Facts, page
    from ..tasks import Task
    from ..train.environment import environment, read_environment

    history = read_history(run.directory / 'scalars.csv')
    best = last and last['best']
    wanted = [one.epoch for one in history.evaluations if best and one.step == best['step']]
    samples, missing = read_samples(run.directory / 'samples', wanted)
    pictures, failed = [], []
    if evaluated is None:
        files = [path for path in sorted(run.directory.glob('*.jpg')) if path.is_file()]
        pictures, failed = read_pictures([(path.stem, path, 0) for path in files[:PICTURES]])
        if len(files) > PICTURES:
            failed.append(f'{PICTURES} of {len(files)} pictures of the evaluation')
    try:
        trained_with = read_environment(run.directory)
    except (OSError, FileError) as error:
        trained_with = None
        missing.append(f'environment.json cannot be read: {error}')
    task = task_class(TASKS, run.settings)
    makes = task is not None and task.sample is not Task.sample
    exports = task is None or task.exported is not Task.exported
    return page(Facts(run.directory.resolve().name, run.settings, history, task and task.main_metric, last,
                      tuple(samples), tuple(pictures), evaluated,
                      tuple(commands(run.directory, run.settings, last['epoch'] if last else 0, makes, exports)),
                      trained_with, environment(), (*notes, *history.notes, *missing, *failed)))


def task_class(tasks, settings):
    """The class of the task that settings name; None for one that is not known here, as of a user's own code."""
    from ..tasks import Task

    try:
        found = tasks.target((settings.get('task') or {}).get('name'))
    except ValueError:
        return None
    return found if isinstance(found, type) and issubclass(found, Task) else None
