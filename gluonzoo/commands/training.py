"""From settings to a training."""
import json

from .. import runtime
from ..reading import quoted
from . import threads

__all__ = ['KEYS', 'run_training']

# What the parts of settings must have; engine and fit have no more.
KEYS = {'task': ('name',), 'train_data': ('name',), 'val_data': ('name',),
        'engine': ('devices', 'kvstore', 'accumulate', 'clip_norm', 'amp', 'threads'),
        'fit': ('batch_size', 'epochs', 'schedule', 'seed', 'ema', 'workers')}


def run_training(settings, directory, resume=False, checkpoint_every=None, code=None, finite=True):
    """Trains what the settings describe, in a run's directory.

    Parameters
    ----------
    settings : dict
        see :mod:`gluonzoo.train.settings`; :func:`gluonzoo.recipe` makes some
    directory : str or Path
    resume : bool
        go on with the run that is there
    checkpoint_every : int, optional
        steps between checkpoints within an epoch
    code : str or Path, optional
        the user's own file, where the settings need one
    finite : bool
        whether weights and states of optimizers that are infinite or NaN are refused, where the training starts from
        some

    Returns
    -------
    dict of name -> float, the metrics of the last epoch

    Raises
    ------
    ValueError, CheckpointError, TrainingError
        before anything is written, for settings that do not go together; see :func:`gluonzoo.train.fit` for the rest.
    """
    had_threads = threads.begun_with(directory) if resume else None
    # Of settings that come from a run, the number is what the run had, and no wish.
    if isinstance(settings, dict) and 'fingerprints' in settings or threads.of_settings(settings) is None:
        if resume:
            threads.use_of_run(directory)
    else:
        runtime.use_threads(threads.of_settings(settings))   # before MXNet is imported
    settings = _as_read(settings)
    import mxnet as mx

    from ..data import Loader
    from ..data.dataset import fingerprint, left_out
    from ..train import Environment, Plot, Progress, Run, Samples, ScalarsCSV, SharedCores, TensorBoard, fit, join
    from ..train.shown_metrics import in_a_line
    from . import input_convention, resolve, user_code

    settings['engine']['threads'] = runtime.threads()
    code = code and user_code.load(code)
    if 'code' in settings and not code:
        raise ValueError(f'code: must be the path of {settings["code"]["file"]}, which the settings need')
    engine_settings, how = settings['engine'], settings['fit']
    workers = join(engine_settings['kvstore'])
    if workers.rank == 0:
        threads.tell(had_threads)
    input_convention.check(settings, input_convention.files_of(settings), directory if resume else None)
    ema = _moving_average(how['ema'])
    dataset = resolve.make_dataset(settings, 'train_data')
    engine = resolve.make_engine(settings, kvstore=workers.store('task') or 'device')
    parts = engine_settings['accumulate'] * len(engine_settings['devices']) * workers.count
    if how['batch_size'] % parts:
        raise ValueError(f'--batch-size: must be a multiple of rounds x devices x machines, {parts}: '
                         f'{how["batch_size"]}')
    loader = Loader(dataset, how['batch_size'] // workers.count, shuffle=True, seed=how['seed'], workers=how['workers'],
                    part=(workers.rank, workers.count))
    validation = resolve.validation_loader(settings, how['workers'])
    settings['fingerprints'] = {'train_data': fingerprint(dataset), 'val_data': fingerprint(validation.dataset)}
    task = resolve.make_task(settings)
    task.check_data('train_data', dataset)
    task.check_data('val_data', validation.dataset)
    mx.random.seed(how['seed'])   # the initial weights
    task.start_training(engine)
    if not (resume and Run.open(directory).checkpoints()):   # a run that broke off before its first begins again
        for name in resolve.load_named_weights(task, settings, finite):
            if workers.rank == 0:
                print(f'{name}: is started anew; the weights do not have it in this shape')
    run = Run.create(directory, settings, resume=resume, workers=workers, code=code and code.content)
    run.finite = finite
    shown = {'scalars.csv': ScalarsCSV(), 'tensorboard': TensorBoard(), 'progress.png': Plot(), 'samples': Samples()}
    metrics = fit(task, loader, run, epochs=how['epochs'], schedule=how['schedule'], validation=validation,
                  callbacks=[Progress(), SharedCores(), Environment(), *shown.values()], ema=ema,
                  checkpoint_every=checkpoint_every, kvstore=engine_settings['kvstore'], seed=how['seed'])
    if workers.rank == 0:
        _tell(run, in_a_line(metrics, task.main_metric[0]),
              {name: callback.missing() for name, callback in shown.items()})
        for data in (loader, validation):
            for line in left_out(data.dataset):
                print(line)
    return metrics


def _moving_average(settings):
    """The moving average that fit.ema describes, or None."""
    from ..train import EMA

    if not settings:
        return None
    return EMA(**settings) if isinstance(settings, dict) else EMA(settings)


def _as_read(settings):
    """Settings as they will be read from the run's directory. ValueError if they cannot be written, or lack a part."""
    from ..train.settings import check_settings, converted

    try:
        settings = json.loads(json.dumps(settings))
    except TypeError as error:
        raise ValueError(f'settings: must be such as JSON can hold: {error}') from None
    if isinstance(settings, dict) and 'revision' in settings:
        try:
            settings = converted(settings)
        except ValueError as error:
            raise ValueError(f'settings: {error}') from error
    if isinstance(settings, dict) and isinstance(settings.get('engine'), dict):
        settings['engine'].setdefault('threads', None)
    for part, keys in KEYS.items():
        there = settings.get(part) if isinstance(settings, dict) else None
        missing = [key for key in keys if not isinstance(there, dict) or key not in there]
        if missing:
            raise ValueError(f'settings: {part}: must have {", ".join(missing)}: {quoted(there)}')
    unknown = [key for key in settings if key not in (*KEYS, 'revision', 'code', 'fingerprints')]
    unknown += [f'{part}.{key}' for part in ('engine', 'fit') for key in settings[part] if key not in KEYS[part]]
    if unknown:
        raise ValueError(f'settings: {", ".join(unknown)}: unknown')
    check_settings(settings)
    return settings


def _tell(run, said, missing):
    print(f'{run.directory}: best checkpoint {run.checkpoint("best").name}; {said}')
    for name, what in (('progress.png', 'losses and metric'), ('samples', 'what was found after each epoch'),
                       ('scalars.csv', 'every number'), ('tensorboard', 'the same, for tensorboard --logdir')):
        print(f'  {run.directory / name}: {missing[name] or what}')
