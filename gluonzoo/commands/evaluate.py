"""Evaluates what a run has trained, on the validation data that it was trained with or on others.

    gluonzoo evaluate --run runs/dsod_pikachu
    gluonzoo evaluate --run runs/dsod_pikachu --which last --picture found.jpg
    gluonzoo evaluate --run runs/cifar_resnet32 --pictures out/        # confusion matrix, worst mistakes
    gluonzoo evaluate --run runs/ghost_centernet --set task.flip=true --set task.scales=[0.6,1,1.2,1.5,1.8]
    gluonzoo evaluate --run runs/dsod_pikachu --precision bfloat16     # what less precision costs
    gluonzoo evaluate --run runs/dcgan --features runs/cifar_resnet32   # FID and KID of these features, too
    gluonzoo evaluate --run runs/dcgan --features inception_v3 --feature-weights inception_v3.safetensors
"""
from pathlib import Path

from ..recipes.arguments import at_least
from . import feature_network
from .arguments import add_run_arguments
from .errors import said_of
from .precision import add_precision_argument, computing_in


def add_arguments(parser):
    add_run_arguments(parser)
    parser.add_argument('--data', type=Path, help='other validation data, or where they lie now: as the --data of '
                        'gluonzoo train, or the path of the validation data in it')
    parser.add_argument('--workers', type=at_least(1), default=2, help='threads that load data (default: %(default)s)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the numbers here too')
    parser.add_argument('--picture', type=Path, metavar='FILE',
                        help='write what is made of the first batch here, as a JPEG')
    parser.add_argument('--pictures', type=Path, metavar='FOLDER',
                        help='write pictures of the whole evaluation here, such as the confusion matrix')
    add_precision_argument(parser)
    feature_network.add_arguments(parser)


def run(args):
    import math
    import sys

    from tqdm import tqdm

    from ..data.dataset import left_out
    from ..files import require_replaceable
    from ..tasks import Task
    from ..train.shown_metrics import table
    from . import resolve

    for path in filter(None, (args.json, args.picture)):
        require_replaceable(path)   # before the work
    if args.pictures and args.pictures.exists() and not args.pictures.is_dir():
        raise ValueError(f'--pictures: must be a folder, or not there: {args.pictures}')
    task, settings, checkpoint = resolve.open_run(args.run, args.which or 'best', resolve.contexts(args.devices),
                                                  args.set, args.code, not args.allow_not_finite)
    if args.pictures and type(task).evaluation_pictures is Task.evaluation_pictures:
        raise ValueError(f'--pictures: the task {settings["task"]["name"]} has none')
    feature_network.check(task, settings['task']['name'], args)
    if args.data:
        settings['val_data'] = resolve.moved_data(settings['val_data'], args.data)
    loader = resolve.validation_loader(settings, args.workers)
    task.check_data('val_data', loader.dataset)
    features = feature_network.put(task, args)
    with computing_in(args.precision, task), \
            tqdm(loader.epoch(0), 'evaluate', len(loader), unit=' batches', leave=False, disable=None) as batches:
        metrics = task.evaluate(batches)
    skipped = len(getattr(loader.dataset, 'skipped', ()))
    print(f'{checkpoint}, {len(loader.dataset) - skipped} items of {settings["val_data"].get("path", "val_data")}'
          f'{f", and {skipped} that cannot be read" * bool(skipped)}:')
    print('\n'.join(table(metrics, task.main_metric[0])))
    for line in [*filter(None, [features]), *left_out(loader.dataset)]:
        print(line)
    found = {name: value if math.isfinite(value) else None for name, value in metrics.items()}   # JSON has no NaN
    found = {'checkpoint': str(checkpoint), 'data': settings['val_data'],
             **({'features': features} if features else {}), **found}
    failed = [*failure(args.json, lambda: write_json(args.json, found)),
              *failure(args.picture, lambda: write_picture(args.picture, task, loader, args.precision)),
              *failure(args.pictures, lambda: write_pictures(args.pictures, task))]
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


def failure(path, write):
    """Writes a file, if there is a path. Returns a line that says why it could not be written, in a list, or none."""
    try:
        if path:
            write()
    except Exception as error:
        said = said_of(error)
        if said is None:
            raise
        named = str(path) in said or getattr(error, 'filename', None)
        return [f'not written: {said if named else f"{path}: {said}"}']
    return []


def write_json(path, content):
    import json

    from ..files import folder_for, replacing

    with folder_for(path), replacing(path) as (partial,):
        partial.write_text(json.dumps(content, indent=2) + '\n')


def write_picture(path, task, loader, precision):
    from contextlib import closing

    from ..pictures.jpeg import write_jpeg

    with computing_in(precision, task), closing(loader.epoch(0)) as batches:
        write_jpeg(path, task.picture(next(batches)))
    print(f'{path}: what it makes of the first batch')


def write_pictures(folder, task):
    from ..pictures.jpeg import write_jpeg

    for name, picture in task.evaluation_pictures().items():
        write_jpeg(folder / f'{name}.jpg', picture)
        print(f'{folder / name}.jpg: of all that was evaluated')
