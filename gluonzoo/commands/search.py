"""Searches good settings of a training: any recipe or file of your own, any setting by its path.

    gluonzoo search dsod --data data/pikachu --small --space 'task.optimizer.learning_rate=loguniform(1e-4,1e-2)' \\
        --space 'fit.batch_size=choice(8,16)' --trials 12 --jobs 2
    gluonzoo search my_net.py --data data/mine --space-file space.txt --trials 80 --study sqlite:///search.db

What is not an argument of the search goes to each training: see gluonzoo train RECIPE --help. The same command goes on
with a search that was stopped or killed. A trial is a run: searches/NAME/trial-0000. See notes/search.md.
"""
import argparse
import shlex
import sys
from pathlib import Path

from .. import cores, runtime
from ..recipes import NAMES
from ..recipes.arguments import at_least
from .errors import said_of
from .threads import begun_with

PRUNERS = 'median', 'medianstop', 'none'


def add_arguments(parser):
    parser.usage = 'gluonzoo search RECIPE|FILE.py --space PATH=RANGE ... [arguments of the training]'
    parser.add_argument('what', metavar='RECIPE|FILE.py', help=f'{", ".join(NAMES)}, or a file of your own')
    parser.add_argument('words', nargs=argparse.REMAINDER, metavar='...', help='also: gluonzoo train RECIPE --help')
    _add_own_arguments(parser)


def _add_own_arguments(parser):
    """What is of the search, and not of a training; may stand before and after the recipe."""
    parser.add_argument('--space', action='append', metavar='PATH=RANGE', default=[],
                        help="a setting and its values: uniform(a,b), loguniform(a,b), quniform(a,b,step), int(a,b), "
                             "choice(a,b,...); with a condition: '... if OTHER==value'")
    parser.add_argument('--space-file', action='append', type=Path, metavar='FILE', default=[], help='such, one a line')
    parser.add_argument('--trials', type=at_least(1), default=20, metavar='N',
                        help='in all, counting those that have been made (default: %(default)s)')
    parser.add_argument('--jobs', type=at_least(1), default=1, metavar='N', help='trainings at a time (default: 1)')
    parser.add_argument('--threads', type=at_least(1), help='of each training (default: the cores, shared out)')
    parser.add_argument('--study', metavar='sqlite:///FILE', help="(default: study.db in the search's directory)")
    parser.add_argument('--out', type=Path, metavar='DIR', help='directory of the search (default: searches/NAME)')
    parser.add_argument('--pruner', choices=PRUNERS, default='median', help='which trials are given up early: median, '
                        "Optuna's rule (default); medianstop, NNI's; none")
    parser.add_argument('--seed', type=at_least(0), default=0, help='of the search (default: 0); of a training it is '
                        '--set fit.seed=N')
    parser.add_argument('--keep-runs', type=at_least(0), default=3, metavar='N',
                        help='keep the checkpoints of the N best trials (default: 3)')


class _WordsParser(argparse.ArgumentParser):
    """Reads the words that a training has beside those of the search."""

    def __init__(self, prog, **keywords):
        name = prog.rpartition(' ')[2]
        super().__init__(prog=f'gluonzoo search {name}', usage=f'gluonzoo search {name} --space PATH=RANGE ... '
                         f'[arguments of gluonzoo train {name}]', **keywords)

    def parse_args(self, words):
        own = argparse.ArgumentParser(add_help=False)
        _add_own_arguments(own)
        shared = {'--seed', '--threads'}   # which the search reads, and says so
        for option in sorted({*own._option_string_actions} & {*self._option_string_actions} - shared):
            self.error(f'{option}: is of the search and of {self.prog.rpartition(" ")[2]}: it needs another name there')
        args = super().parse_args(words)
        for name, instead in (('run', '--out'), ('resume', 'the same command, which goes on by itself')):
            if getattr(args, name):
                self.error(f'--{name}: is of a single training; of a search it is {instead}')
        return args


def run(args):
    parser = argparse.ArgumentParser(prog=f'gluonzoo search {args.what}', add_help=False, allow_abbrev=False)
    _add_own_arguments(parser)
    args, words = parser.parse_known_args([word for word in args.words if word != '--'], args)
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ValueError(f"a search needs Optuna: pip install 'gluonzoo[search]' ({error})") from None
    _Search(args, _Job(args.what, words, args.space, args.space_file)).run()


class _Job:
    """What is trained in each trial."""

    def __init__(self, what, words, space, files=()):
        from ..search.space import Space, read_file, set_words
        from ..train.main_metric import name_and_sign
        from . import resolve
        from .from_arguments import make_settings
        from .overrides import override
        from .train import parse

        self.what, self.words = what, words
        self.training = parse(what, words, _WordsParser)
        self.space = space = Space([('--space', text) for text in space]
                                   + [line for path in files for line in read_file(path)])
        for text in self.training.set:
            if text.partition('=')[0] in space.paths:
                raise ValueError(f'--set: {text}: is searched, too; take one of the two away')
        settings = make_settings(parse(what, words, _WordsParser))
        space.check(lambda texts: override(settings, texts))
        for values in space.corners():   # also with what a recipe makes of them
            _of_trial(values, lambda values: make_settings(parse(what, [*words, *_as_options(values)], _WordsParser)))
        for values in space.wholes():
            _of_trial(values, lambda values: _require_makeable(override(settings, set_words(values))))
        self.epochs = settings['fit']['epochs']
        self.metric, sign = name_and_sign(resolve.make_task(settings))
        self.direction = 'max' if sign > 0 else 'min'

    @property
    def name(self):
        recipe = self.training.recipe
        return recipe.run_name(self.training) if hasattr(recipe, 'run_name') else self.training.name

    @property
    def about(self):
        """What a study of this is of."""
        code = self.training.code
        return {'recipe': f'{code.path.name} with the SHA-256 {code.settings["sha256"]}' if code else self.what,
                'arguments': shlex.join(self.words) or 'none', 'space': self.space.texts,
                'metric': f'{self.metric} ({self.direction})'}

    def command(self, values):
        """What a person types to train with these values."""
        return shlex.join(['gluonzoo', 'train', self.what, *self.words, *_as_options(values)])

    def process(self, threads):
        """A function for the search: what Python runs in a trial."""
        def words(run, texts, resume):
            begun = begun_with(run) if resume else None   # a run that goes on keeps its own number
            number = begun if begun and begun <= cores.physical_cores() else threads
            return ['-m', 'gluonzoo.commands.main', 'train', self.what, *self.words, '--run', str(run), '--threads',
                    str(number), *(['--resume'] if resume else []),
                    *(word for text in texts for word in ('--set', text))]
        return words


def _of_trial(values, make):
    """Makes something of the values of a trial. An error says that it is of a trial, and of which."""
    from ..search.space import set_words

    try:
        make(values)
    except ValueError as error:
        raise ValueError(f'--space: a trial with {", ".join(set_words(values))} cannot be trained: {error}') from error


def _require_makeable(settings):
    """ValueError for settings of which no task, no optimizer or no schedule can be made."""
    from .. import optimizers
    from ..train import schedule
    from . import resolve

    resolve.make_task(settings)
    for make, there in ((optimizers.create, settings['task'].get('optimizer')),
                        (lambda **one: schedule.create(one), settings['fit']['schedule'])):
        if isinstance(there, dict):   # one for all trainers, or one for each
            for one in [there] if 'name' in there else there.values():
                make(**{key: value for key, value in one.items() if key != 'no_decay'})


class _Search:
    """The search that the arguments ask for."""

    def __init__(self, args, job):
        from ..search.database import file_of
        from ..search.directory import Directory

        self._args, self._job = args, job
        self._directory = Directory(args.out or Path('searches', job.name))
        self._file = file_of(args.study or f'sqlite:///{self._directory.path}/study.db')

    def run(self):
        from ..search.loop import search
        from ..train.signals import Interrupted

        args, job = self._args, self._job
        command = job.process(self._threads())
        with self._directory.used():
            study = self._open_study()
            try:
                search(study, self._directory, command, job.metric, total=args.trials,
                       jobs=args.jobs, epochs=job.epochs, keep_runs=args.keep_runs,
                       on_trial=lambda: self._write_meanwhile(study))
            except Interrupted:
                self._tell(study)
                print(f'gluonzoo search: stopped, and saved in {self._directory.path}; the same command goes on',
                      file=sys.stderr)
                raise
            self._tell(study)
            if not study.best():
                raise ValueError(f'none of {len(study.trials())} trial(s) has given a value; trials.csv says why')

    def _open_study(self):
        from ..search.pruners import make_pruner
        from ..search.study import Study

        path, used = self._directory.path, self._directory.has_trials()
        other = f'{path}: has trials of another study; take another --out'
        if used and not self._file.exists():
            raise ValueError(other)
        study = Study(self._file, self._job.about, path, self._job.space, self._job.direction,
                      make_pruner(self._args.pruner), self._args.seed)
        if used and not study.trials():
            raise ValueError(other)
        return study

    def _threads(self):
        """Of each training: its part of the cores; fewer, if the environment says so or others use some."""
        there = cores.physical_cores()
        if self._args.threads and self._args.threads > there:
            raise ValueError(f'--threads: must be a whole number from 1 to {there}, the cores: {self._args.threads}')
        if self._args.threads is None and self._args.jobs > there:
            print(f'{self._args.jobs} trainings at a time on {there} core(s): each is the slower', file=sys.stderr)
        return self._args.threads or max(1, min(runtime.threads(), there // self._args.jobs))

    def _write_meanwhile(self, study):
        try:
            self._write_tables(study)
        except (OSError, ValueError) as error:   # a full disk; the study knows it all, and the search goes on
            print(f'{said_of(error)}; written again after the next trial', file=sys.stderr)

    def _write_tables(self, study):
        from ..search import results
        from .searched import write_recipe

        job, path = self._job, self._directory.path
        results.write_csv(path / 'trials.csv', study, job.space)
        if study.best():
            best = study.best()[0]
            write_recipe(path / 'best.py', job.what, job.training, job.words, results.values_of(job.space, best),
                         f'The best of {len(study.trials())} trials of gluonzoo search {job.what}: {job.metric} '
                         f'{best.value:.4g} in trial {best.number}.')

    def _draw(self, study):
        """Draws the pictures. Returns what is not drawn, dict of name -> reason."""
        from ..search.pictures import draw_history, draw_importances

        path = self._directory.path
        draw_history(path / 'history.png', study, self._job.metric)
        try:
            draw_importances(path / 'importance.png', study.importances(), self._job.metric)
        except ValueError as error:
            return {'importance.png': f'not drawn: {error}'}
        return {}

    def _tell(self, study):
        from ..search import results

        self._write_tables(study)
        not_drawn = self._draw(study)
        job, path = self._job, self._directory.path
        print(f'{path}: {results.counts(study.trials())}')
        if not study.best():
            return
        for line in results.table(study, job.space, job.metric):
            print(f'  {line}')
        best = study.best()[0]
        print(f'best: {job.command(results.values_of(job.space, best))}')
        for name, what in (('best.py', 'the same as a recipe: gluonzoo train takes it'),
                           (self._directory.run(best.number).name, 'the run of the best trial'),
                           ('trials.csv', 'every trial'), ('history.png', 'the values, and the best so far'),
                           ('importance.png', 'which settings matter')):
            print(f'  {path / name}: {not_drawn.get(name, what)}')


def _as_options(values):
    from ..search.space import set_words

    return [word for text in set_words(values) for word in ('--set', text)]
