"""What the scripts that train, evaluate and predict share: their arguments, and how settings become a training.

settings.json of a run holds all that they need, by the names and keywords of the registries::

    task        what is trained, see gluonzoo.tasks
    train_data  what it is trained on, see gluonzoo.data
    val_data    what it is evaluated on
    fit         seed, batch_size, epochs, schedule, ema, devices, kvstore, workers
"""
import argparse
import sys
from pathlib import Path

import cv2

from gluonzoo.commands.arguments import at_least
from gluonzoo.data import ImageError, Loader, RecordError  # before mxnet
from gluonzoo.registry import DATASETS, TASKS
from gluonzoo.train import (
    EMA,
    CheckpointError,
    Plot,
    Progress,
    Run,
    Samples,
    ScalarsCSV,
    TensorBoard,
    TrainingError,
    fit,
    join,
)

import mxnet as mx  # isort: skip


# -- arguments -------------------------------------------------------------------------------------------------------

def devices(text):
    """A type for argparse: 'cpu', 'gpu', 'gpu:0,gpu:1' -> list of Context."""
    found = []
    for name in text.split(','):
        kind, _, number = name.partition(':')
        if kind not in ('cpu', 'gpu') or not (number or '0').isdigit():
            raise argparse.ArgumentTypeError(f'must be like cpu, gpu:0 or gpu:0,gpu:1: {text!r}')
        found.append(mx.Context(kind, int(number or 0)))
    for ctx in found:
        if ctx.device_type == 'gpu' and ctx.device_id >= mx.context.num_gpus():
            raise argparse.ArgumentTypeError(f'{ctx} is not there: MXNet finds {mx.context.num_gpus()} GPU(s)')
    return found


def add_devices(parser):
    parser.add_argument('--devices', type=devices, default=devices('cpu'), help='cpu (default), gpu, gpu:0,gpu:1 ...')


def add_training_arguments(parser, run):
    """The arguments that every training has. `run` is the default of --run, if it does not depend on the others."""
    group = parser.add_argument_group('training')
    group.add_argument('--run', type=Path, default=run, help='the directory of the run (default: %(default)s)')
    group.add_argument('--resume', action='store_true', help='go on from the last checkpoint, with the same arguments')
    group.add_argument('--epochs', type=at_least(1), help='in all (default: as the recipe of the model has it)')
    group.add_argument('--batch-size', type=at_least(1), help='of an update (default: the recipe)')
    group.add_argument('--accumulate', type=at_least(1), default=1,
                       help='rounds in which the devices work through a batch, when it does not fit at once')
    group.add_argument('--lr', type=at_least(0, float), help='learning rate (default: the recipe)')
    group.add_argument('--clip-norm', type=at_least(0, float), help='the most that the gradient may be')
    group.add_argument('--ema', type=at_least(0, float), metavar='DECAY', help='average the weights, as with 0.999')
    group.add_argument('--amp', choices=('float16', 'bfloat16'), help='mixed precision')
    group.add_argument('--seed', type=at_least(0), default=0)
    group.add_argument('--checkpoint-every', type=at_least(1), metavar='STEPS', help='besides after each epoch')
    add_devices(group)
    group.add_argument('--workers', type=at_least(1), default=2, help='threads that load data')
    group.add_argument('--kvstore', choices=('dist_sync', 'dist_sync_device'),
                       help='several machines: see python -m gluonzoo.train.launch --help')


def add_test_arguments(parser):
    """How a task that can look at photos in several ways does it."""
    group = parser.add_argument_group('keypoint detection')
    group.add_argument('--flip', action='store_true', help='look at the mirrored photo too')
    group.add_argument('--scales', type=float, nargs='+', metavar='SCALE',
                       help='look at the photo at several sizes, such as 0.6 1 1.2 1.5 1.8')


def overrides(args):
    """Those of the arguments of :func:`add_test_arguments` that were given, as keywords of the task."""
    return {name: getattr(args, name) for name in ('flip', 'scales') if getattr(args, name)}


def fit_settings(args, batch_size, epochs, schedule):
    """settings['fit']."""
    return {'seed': args.seed, 'batch_size': batch_size, 'epochs': epochs, 'schedule': schedule, 'ema': args.ema,
            'devices': [str(ctx) for ctx in args.devices], 'kvstore': args.kvstore, 'workers': args.workers}


# -- from settings to a training -------------------------------------------------------------------------------------

def train(settings, args):
    """Makes what the settings name, trains it in the directory ``args.run``, and returns the last metrics."""
    workers = join(args.kvstore)
    how = settings['fit']
    ema = EMA(how['ema']) if how['ema'] else None
    data = DATASETS.create(**settings['train_data'])
    parts = settings['task']['accumulate'] * len(args.devices) * workers.count
    if how['batch_size'] % parts:
        raise ValueError(f'--batch-size: must be a multiple of rounds x devices x machines, {parts}: '
                         f'{how["batch_size"]}')
    if args.amp == 'float16' and any(ctx.device_type == 'cpu' for ctx in args.devices):
        raise ValueError('--amp: MXNet has no float16 matrix product on a CPU; bfloat16 it has')
    loader = Loader(data, how['batch_size'] // workers.count, shuffle=True, seed=how['seed'], workers=how['workers'],
                    part=(workers.rank, workers.count))
    validation = validation_loader(settings, how['workers'])
    mx.random.seed(how['seed'])   # the initial weights
    task = TASKS.create(**settings['task'], ctx=args.devices, kvstore=workers.store('task') or 'device')
    run = Run.create(args.run, settings, resume=args.resume, workers=workers)
    metrics = fit(task, loader, run, epochs=how['epochs'], schedule=how['schedule'], validation=validation,
                  callbacks=[Progress(), ScalarsCSV(), TensorBoard(), Plot(), Samples()],
                  ema=ema,
                  checkpoint_every=args.checkpoint_every, kvstore=args.kvstore, seed=how['seed'])
    if workers.rank == 0:
        print(f'{run.directory}: best checkpoint {run.checkpoint("best").name}; {words(metrics)}')
        for name, what in (('progress.png', 'losses and metric'), ('samples', 'what was found after each epoch'),
                           ('scalars.csv', 'every number; also: tensorboard --logdir ' + str(run.directory))):
            print(f'  {run.directory / name}: {what}')
    return metrics


def validation_loader(settings, workers=2):
    """What the settings' task is evaluated on, in batches."""
    data = DATASETS.create(**settings['val_data'])
    names = settings['task'].get('class_names')
    if names is not None and data.class_names != names:
        raise ValueError(f'{settings["val_data"]["path"]}: has the classes {data.class_names}, not {names}')
    return Loader(data, min(8, len(data)), shuffle=False, seed=0, workers=workers, last='keep')


def open_run(directory, which, ctx, **keywords):
    """(run, its task with the weights of a checkpoint, the checkpoint's path). `keywords` replace those of the task."""
    run = Run.open(directory)
    task = TASKS.create(**{**run.settings['task'], 'accumulate': 1, 'amp': None, **keywords}, ctx=ctx)
    return run, task, run.load_networks(task, which)


def write_picture(path, picture):
    """Writes an RGB picture as a JPEG, and makes its folder. ValueError if it is too large for one."""
    height, width = picture.shape[:2]
    if max(height, width) > 65500:   # of libjpeg
        raise ValueError(f'{path}: a JPEG has at most 65500 pixels a side: {width} x {height}')
    _, content = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())


def words(metrics):
    return ', '.join(f'{name} {value:.4g}' for name, value in metrics.items())


# -- a command's end -------------------------------------------------------------------------------------------------

def call(main):
    """Runs a script's main(). What is the user's to mend is one line on stderr, and the exit code 1."""
    try:
        code = main()
        mx.nd.waitall()   # an error that nobody waits for would leave the exit code 0
    except (CheckpointError, TrainingError, RecordError, ImageError, OSError, ValueError) as error:
        plain = isinstance(error, OSError) and error.filename   # without its number
        print(f'{Path(sys.argv[0]).stem}: {f"{error.filename}: {error.strerror}" if plain else error}', file=sys.stderr)
        code = 1
    sys.exit(code)
