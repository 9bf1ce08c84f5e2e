"""What `gluonzoo export` does for files of less precision, which are judged before they are kept."""
import math
from pathlib import Path

from ..recipes.arguments import at_least

CALIBRATION = 256   # pictures that ranges are taken from; more change them little
LEAST = 32   # and how many of them, however large they are
KEPT = 1 << 28   # bytes of them that are in memory at a time, if more than the least
AT_ONCE = 8   # pictures in memory while the ranges are taken
MADE = 64   # pictures that a generator makes in place of those of a folder


def add_arguments(parser):
    parser.add_argument('--precision', choices=('float16', 'int8'),
                        help='with --onnx: a file of half or of a quarter of the size; int8 with --calibrate')
    parser.add_argument('--quantize', choices=('int8',), help="MXNet's own files in 8 bits, with --calibrate")
    parser.add_argument('--calibrate', type=Path, metavar='FOLDER',
                        help='pictures such as the network gets in use, from which int8 takes ranges of numbers')
    parser.add_argument('--max-drop', type=at_least(0, float), metavar='X',
                        help="no file if the task's own metric on the run's validation data becomes worse by more")
    parser.add_argument('--data', type=Path,
                        help='other validation data, or where they lie now, as of gluonzoo evaluate')


def wanted(args):
    """Whether the arguments ask for less precision."""
    return bool(args.precision or args.quantize)


def check(parser, args):
    """parser.error unless the arguments go together."""
    if wanted(args) and not (args.run or args.model):
        parser.error(f'--{"precision" if args.precision else "quantize"}: only for a --run or a --model')
    if args.precision and not args.onnx:
        parser.error("--precision: is of ONNX files, with --onnx; MXNet's own form: --quantize int8")
    if args.quantize and args.onnx:
        parser.error("--quantize: is MXNet's own form; with --onnx: --precision int8")
    if args.quantize and any(not device.startswith('cpu') for device in args.devices):
        parser.error(f"--quantize: MXNet's form of 8 bits is for the CPU, not for {', '.join(args.devices)}")
    if args.calibrate and args.precision != 'int8' and not args.quantize:
        parser.error('--calibrate: only with --precision int8 or --quantize int8')
    for name in ('max_drop', 'data'):
        if getattr(args, name) is not None and not (wanted(args) and args.run):
            parser.error(f'--{name.replace("_", "-")}: only for a --run with --precision or --quantize')


def write(task, settings, exported, dynamic, args):
    """Writes what a task exports in less precision, and prints what that has cost.

    Parameters
    ----------
    task, settings
        of :func:`~gluonzoo.commands.resolve.open_run`
    exported : Exported
    dynamic : list of str
        as of :func:`~gluonzoo.export.to_onnx`
    args : argparse.Namespace

    Raises
    ------
    ValueError
        if the pictures to calibrate with are missing or do not fit, or the metric drops by more than `--max-drop`
    """
    from ..export import to_small_onnx, to_small_symbol

    form = args.precision or args.quantize
    parts = exported._asdict()
    block = parts.pop('block')
    parts['metadata'] = {**exported.metadata, 'precision': form}
    if form == 'int8':
        parts['calibration'], said = calibration(task, settings, exported, dynamic, args)
        parts['metadata']['calibrated_with'] = said

    def judge(compute):
        return judged(task, settings, exported, compute, form, dynamic, args)

    if args.onnx:
        differences = to_small_onnx(block, args.out, **parts, precision=form, judge=judge, dynamic=dynamic,
                                    opset=args.opset or 13)
        paths = [args.out]
    else:
        paths, differences = to_small_symbol(block, args.out, **parts, judge=judge)
    print(f'{" ".join(map(str, paths))}: {form}; differs from float32 by {max(differences.values()):.1g} of the '
          f'greatest number ({", ".join(f"{name} {value:.1g}" for name, value in differences.items())})')


# -- the ranges of numbers -------------------------------------------------------------------------------------------

def calibration(task, settings, exported, dynamic, args):
    """What the network gets from the pictures of `--calibrate`, prepared as the task prepares them.

    Returns
    -------
    list of dict of name -> array, in batches that the file takes
    str, what they are, for the metadata
    """
    from ..tasks import Task
    from ..tasks.base import chunks
    from ..tasks.stand_in import inputs_of

    if type(task).predict is Task.predict and type(task).sample is not Task.sample:
        if args.calibrate:
            raise ValueError(f'--calibrate: {settings["task"]["name"]} takes no pictures; it is calibrated with noise')
        calls = inputs_of(task, exported.block, lambda: task.sample(MADE))
        said = f'the noise of {MADE} pictures'
    else:
        if args.calibrate is None:
            raise ValueError('int8: needs --calibrate FOLDER, with pictures such as the network gets in use')
        calls, count = [], 0
        size = sum(4 * math.prod(shape[1:]) for shape in shapes_of(exported).values())
        files = chosen(args.calibrate, min(CALIBRATION, max(LEAST, KEPT // size)))
        for photos in chunks(readable(files), AT_ONCE):
            calls += inputs_of(task, exported.block, lambda photos=photos: task.predict(photos))
            count += len(photos)
        if not count:
            raise ValueError(f'--calibrate: no picture of {args.calibrate} can be read')
        said = f'{count} pictures'
    shapes = shapes_of(exported)
    found = [batch for call in calls for batch in batches(dict(zip(shapes, call)), shapes, dynamic, args.onnx)]
    return found, said


def shapes_of(exported):
    """The shapes of what a network takes: dict of name -> tuple."""
    return {name: getattr(value, 'shape', value) for name, value in exported.inputs.items()}


def chosen(folder, most):
    """The pictures of a folder: list of Path, at most so many, evenly from all of it. ValueError if it has none."""
    from ..pictures.decode import SUFFIXES
    from .predict import find

    if not folder.is_dir():
        raise ValueError(f'--calibrate: must be a folder of pictures: {folder}')
    files = [file for file, _ in find([folder], SUFFIXES)]
    if not files:
        raise ValueError(f'--calibrate: no pictures ({", ".join(sorted(SUFFIXES))}) in {folder}')
    count = min(len(files), most)
    return [files[i * len(files) // count] for i in range(count)]


def readable(files):
    """Yields the pictures of files. What cannot be read is said, and left out."""
    import sys

    from tqdm import tqdm

    from ..pictures.decode import read_image
    from .errors import said_of

    for file in tqdm(files, 'calibrate', unit=' pictures', leave=False, disable=None):
        try:
            image = read_image(file)
        except (OSError, ValueError) as error:
            said = said_of(error)
            print(f'left out: {said if str(file) in said else f"{file}: {said}"}', file=sys.stderr)
        else:
            yield image


def batches(arrays, shapes, dynamic, fixed):
    """Yields one call of a network in batches that its file takes: dicts of name -> array.

    A file of a fixed batch size may get images twice, to fill the last batch. ValueError if images have another size
    than the file takes.
    """
    first = next(iter(arrays.values()))
    count = shapes[next(iter(shapes))][0] if fixed and 'batch' not in dynamic else len(first)
    for name, array in arrays.items():
        if fixed and 'size' not in dynamic and array.shape[1:] != tuple(shapes[name][1:]):
            raise ValueError(f'{name}: the task makes {list(array.shape[1:])} of these pictures, and the file takes '
                             f'{list(shapes[name][1:])}; export with --size dynamic, or with another --size')
    for start in range(0, len(first), count):
        places = [min(place, len(first) - 1) for place in range(start, start + count)]
        yield {name: array[places] for name, array in arrays.items()}


# -- what it costs ---------------------------------------------------------------------------------------------------

def judged(task, settings, exported, compute, form, dynamic, args):
    """The metric of the task in float32 and with a smaller form of its network: a dict for the metadata.

    Parameters
    ----------
    compute : function of a dict of arrays -> list of arrays
        the smaller form
    form : str
        its name

    Raises ValueError if the metric drops by more than `--max-drop`.
    """
    from ..tasks.stand_in import stand_in

    try:
        loader = validation(task, settings, args)
    except (OSError, ValueError) as error:
        if args.max_drop is not None:
            raise
        print(f'the accuracy is not measured: {error}')
        return {}
    metric, better = task.main_metric
    exact = evaluated(task, loader, 'float32')[metric]
    with stand_in(task, exported.block, computing(exported, compute, dynamic, args.onnx)):
        low = evaluated(task, loader, form)[metric]
    drop = exact - low if better == 'max' else low - exact
    print(f'{metric} of {len(loader.dataset)} items of {settings["val_data"].get("path", "val_data")}: {exact:.6g} in '
          f'float32, {low:.6g} in {form}')
    if args.max_drop is not None and not drop <= args.max_drop:
        raise ValueError(f'--max-drop: {metric} becomes worse by {drop:.3g}, and {args.max_drop:g} is allowed; no file '
                         'is written')
    return {'accuracy': {'metric': metric, 'better': better, 'float32': exact, form: low,
                         'items': len(loader.dataset)}}


def validation(task, settings, args):
    """What the task is judged on, in batches. ValueError or OSError if there is no such data."""
    from . import resolve

    if 'val_data' not in settings:
        raise ValueError('there are no validation data without a run')
    if args.data:
        settings['val_data'] = resolve.moved_data(settings['val_data'], args.data)
    loader = resolve.validation_loader(settings)
    task.check_data('val_data', loader.dataset)
    return loader


def evaluated(task, loader, form):
    from tqdm import tqdm

    with tqdm(loader.epoch(0), f'evaluate in {form}', len(loader), unit=' batches', leave=False,
              disable=None) as progress:
        return task.evaluate(progress)


def computing(exported, compute, dynamic, fixed):
    """A smaller form as a function of NDArrays -> list of NDArrays, of any number of images."""
    import mxnet as mx
    import numpy as np

    shapes = shapes_of(exported)

    def answer(*inputs):
        arrays = {name: array.asnumpy() for name, array in zip(shapes, inputs)}
        parts = [compute(batch) for batch in batches(arrays, shapes, dynamic, fixed)]
        return [mx.nd.array(np.concatenate(output)[:len(inputs[0])], ctx=inputs[0].context) for output in zip(*parts)]
    return answer
