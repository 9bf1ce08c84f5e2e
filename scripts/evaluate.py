"""Evaluates what a run has trained, on the run's own validation data or on other data of the same kind.

    python scripts/evaluate.py --run runs/dsod_pikachu
    python scripts/evaluate.py --run runs/dsod_pikachu --data data/mine/val.rec --which last
    python scripts/evaluate.py --run runs/ghost_centernet --flip --scales 0.6 1 1.2 1.5 1.8
"""
import argparse
import json
import math
from contextlib import closing
from pathlib import Path

import common
from tqdm import tqdm

from gluonzoo.pictures.jpeg import write_jpeg


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', type=Path, required=True, help='the directory of the run')
    parser.add_argument('--which', choices=('best', 'last'), default='best', help='checkpoint (default: %(default)s)')
    parser.add_argument('--data', type=Path, help='in place of the path of the validation data')
    common.add_test_arguments(parser)
    common.add_devices(parser)
    parser.add_argument('--workers', type=common.at_least(1), default=2, help='threads that load data')
    parser.add_argument('--json', type=Path, help='write the numbers here too')
    parser.add_argument('--picture', type=Path, help='write what is made of the first batch here, as a JPEG')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse(argv)
    run, task, checkpoint = common.open_run(args.run, args.which, args.devices, **common.overrides(args))
    settings = run.settings
    if args.data:
        settings = {**settings, 'val_data': {**settings['val_data'], 'path': str(args.data)}}
    loader = common.validation_loader(settings, args.workers)
    batches = tqdm(loader.epoch(0), 'evaluate', len(loader), unit=' batches', leave=False)
    metrics = task.evaluate(batches)
    skipped = len(getattr(loader.dataset, 'skipped', ()))
    print(f'{checkpoint}, {len(loader.dataset) - skipped} items of {settings["val_data"]["path"]}'
          f'{f", and {skipped} that cannot be read" * bool(skipped)}:')
    for name, value in metrics.items():
        print(f'  {name:20} {value:.4f}')
    if args.json:
        found = {name: value if math.isfinite(value) else None for name, value in metrics.items()}   # JSON has no NaN
        args.json.write_text(json.dumps({'checkpoint': str(checkpoint), 'data': settings['val_data'], **found},
                                        indent=2) + '\n')
    if args.picture:
        with closing(loader.epoch(0)) as batches:
            write_jpeg(args.picture, task.picture(next(batches)))
        print(f'{args.picture}: what it makes of the first batch')


if __name__ == '__main__':
    common.call(main)
