"""Evaluates what a run has trained, on the validation data that it was trained with or on others.

    gluonzoo evaluate --run runs/dsod_pikachu
    gluonzoo evaluate --run runs/dsod_pikachu --which last --picture found.jpg
    gluonzoo evaluate --run runs/ghost_centernet --set task.flip=true --set task.scales=[0.6,1,1.2,1.5,1.8]
"""
from pathlib import Path

from ..recipes.arguments import at_least
from .arguments import add_run_arguments


def add_arguments(parser):
    add_run_arguments(parser)
    parser.add_argument('--data', type=Path, help='other validation data, or where they lie now: as the --data of '
                        'gluonzoo train, or the path of the validation data in it')
    parser.add_argument('--workers', type=at_least(1), default=2, help='threads that load data (default: %(default)s)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the numbers here too')
    parser.add_argument('--picture', type=Path, metavar='FILE',
                        help='write what is made of the first batch here, as a JPEG')


def run(args):
    import json
    import math
    import sys
    from contextlib import closing

    from tqdm import tqdm

    from ..data.dataset import left_out
    from ..files import naming, replacing
    from ..pictures.jpeg import write_jpeg
    from . import resolve
    from .failures import Failures

    task, settings, checkpoint = resolve.open_run(args.run, args.which or 'best', resolve.contexts(args.devices),
                                                  args.set, args.code, not args.allow_not_finite)
    if args.data:
        settings['val_data'] = resolve.moved_data(settings['val_data'], args.data)
    loader = resolve.validation_loader(settings, args.workers)
    with tqdm(loader.epoch(0), 'evaluate', len(loader), unit=' batches', leave=False) as batches:
        metrics = task.evaluate(batches)   # an error has a line of its own, not the bar's
    skipped = len(getattr(loader.dataset, 'skipped', ()))
    print(f'{checkpoint}, {len(loader.dataset) - skipped} items of {settings["val_data"].get("path", "val_data")}'
          f'{f", and {skipped} that cannot be read" * bool(skipped)}:')
    for name, value in metrics.items():
        print(f'  {name:20} {value:.4f}')
    for line in left_out(loader.dataset):
        print(line)
    failures = Failures()   # of one file; the other is written all the same
    if args.json:
        found = {name: value if math.isfinite(value) else None for name, value in metrics.items()}   # JSON has no NaN
        content = {'checkpoint': str(checkpoint), 'data': settings['val_data'], **found}
        with failures.noted(), naming(args.json):
            args.json.parent.mkdir(parents=True, exist_ok=True)
            with replacing(args.json) as (partial,):
                partial.write_text(json.dumps(content, indent=2) + '\n')
    if args.picture:
        with closing(loader.epoch(0)) as batches:
            picture = task.picture(next(batches))
        with failures.noted() as failed:
            write_jpeg(args.picture, picture)
        if not failed:
            print(f'{args.picture}: what it makes of the first batch')
    for line in failures:
        print(f'not written: {line}', file=sys.stderr)
    return 1 if failures else 0
