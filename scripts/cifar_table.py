"""Trains the table of tricks: each combination with several seeds, and what each gives.

    python scripts/cifar_table.py --data data/cifar10 --epochs 200 --seeds 3        # the whole table
    python scripts/cifar_table.py --data data/digits --epochs 6 --batch-size 32 --lr 0.025 --small --no-flip
    python scripts/cifar_table.py --list                                            # what the rows are
    python scripts/cifar_table.py --data data/cifar10 --rows baseline cosine        # some of them

Each training is a run of its own, runs/cifar_table/ROW/seed-0 and so on. Run again, the table goes on where it broke
off, and trainings that are done are not repeated. After each one, table.md and table.json beside the runs are written
anew. Accuracies are those of the last epoch, not of the best one, which is chosen by the pictures it is measured with.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from gluonzoo.files import folder_for, replacing
from gluonzoo.reading import read_json
from gluonzoo.recipes.arguments import at_least
from gluonzoo.recipes.tricks import RATES


class Row(NamedTuple):
    """A combination of tricks."""
    words: str       # in the table
    arguments: str   # of gluonzoo train cifar
    published: str = ''   # per cent, as the tricks' public code reports it for CIFAR-10 and ResNet-32


# The first nine are the published table, in its order. There plain networks have shortcuts B, and were trained for 200
# epochs with a batch of 64 or for 400 with one of 128. Its numbers, called mAP@1, are the means of the classes'
# accuracies; whether they are of the last or of the best epoch is not said.
ROWS = {
    'baseline': Row('ResNet', '--shortcut B', '92.40'),
    'zero_gamma': Row('+ zero gamma', '--shortcut B --zero-gamma', '93.39'),
    'd': Row('ResNet-D', '--model {model}d', '93.06'),
    'd_zero_gamma': Row('ResNet-D + zero gamma', '--model {model}d --zero-gamma', '93.05'),
    'cosine': Row('+ cosine', '--shortcut B --cosine', '93.66'),
    'smoothing': Row('+ label smoothing 0.1', '--shortcut B --label-smoothing 0.1', '92.92'),
    'zero_gamma_cosine': Row('+ zero gamma, cosine', '--shortcut B --zero-gamma --cosine', '93.63'),
    'cosine_mixup': Row('+ cosine, mixup 1.0', '--shortcut B --cosine --mixup 1.0', '94.18'),
    'cosine_mixup_smoothing': Row('+ cosine, mixup 1.0, label smoothing 0.1',
                                  '--shortcut B --cosine --mixup 1.0 --label-smoothing 0.1', '94.38'),
    'a': Row('ResNet with shortcuts A', '--shortcut A'),
    'warmup': Row('+ warm-up of a tenth', '--shortcut B --warmup {warmup:g}'),
    'no_bias_decay': Row('+ no decay of bias, gamma, beta', '--shortcut B --no-bias-decay'),
    'ghm': Row('+ GHM-C, softmax', '--shortcut B --loss ghm_c'),
    'ghm_sigmoid': Row('+ GHM-C, sigmoid', '--shortcut B --loss ghm_c_sigmoid'),
    'sgdw': Row('+ SGDW, cosine', '--shortcut B --optimizer sgdw --cosine'),
    'adamw': Row('+ AdamW, cosine', '--shortcut B --optimizer adamw --cosine'),
    'sk': Row('ResNet-32 with selective kernels', '--model resnet32_sk'),
    'all': Row('ResNet-D + zero gamma, cosine, mixup 0.2, label smoothing 0.1, warm-up, no decay of bias',
               '--model {model}d --zero-gamma --cosine --mixup 0.2 --label-smoothing 0.1 --warmup {warmup:g} '
               '--no-bias-decay'),
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, help='as gluonzoo train cifar takes it')
    parser.add_argument('--epochs', type=at_least(1), default=164, help='of each training (default: %(default)s)')
    parser.add_argument('--seeds', type=at_least(1), default=3, help='trainings of each row (default: %(default)s)')
    parser.add_argument('--rows', nargs='+', choices=ROWS, default=list(ROWS), metavar='ROW', help='(default: all)')
    parser.add_argument('--model', default='resnet32', choices=[f'resnet{depth}' for depth in (20, 32, 44, 56, 110)],
                        help='the plain network (default: %(default)s)')
    parser.add_argument('--small', action='store_true', help='--model resnet20')
    parser.add_argument('--no-flip', action='store_true', help='do not mirror the pictures')
    parser.add_argument('--batch-size', type=at_least(1), default=128, help='(default: %(default)s)')
    parser.add_argument('--lr', type=at_least(0, float), help="of SGD; AdamW's is a fiftieth (default: the recipe's)")
    parser.add_argument('--out', type=Path, default=Path('runs/cifar_table'), help='(default: %(default)s)')
    parser.add_argument('--threads', type=at_least(1), help='of each training')
    parser.add_argument('--list', action='store_true', help='name the rows, and do nothing')
    args = parser.parse_args(argv)
    if args.list:
        for name, row in ROWS.items():
            print(f'{name:24} {row.words}')
        return 0
    if args.data is None:
        parser.error('--data: must be said')
    if args.small:
        args.model = 'resnet20'
    _begin(parser, args)
    failed = []
    for seed in range(args.seeds):   # a whole table of one seed first
        for name in args.rows:
            if not result_of(args, name, seed) and not train(args, name, seed):
                failed.append(f'{name}, seed {seed}')
            write(args)
    print((args.out / 'table.md').read_text())
    if failed:
        print(f'cifar_table: not trained: {"; ".join(failed)}', file=sys.stderr)
    return 1 if failed else 0


def _begin(parser, args):
    """Ends the program if the folder has a table of something else, whose trainings would be taken for these."""
    path = args.out / 'table.json'
    if path.exists():
        there = read_json(path).get('of')
        differ = [f'{key} {there.get(key)} there, {value} here' for key, value in conditions(args).items()
                  if there.get(key) != value] if isinstance(there, dict) else ['it is not of this program']
        if differ:
            parser.error(f'--out: {args.out} has another table: {"; ".join(differ)}')
    write(args)


def conditions(args):
    """What all trainings of a table have in common."""
    return {'data': str(args.data.resolve()), 'model': args.model, 'epochs': args.epochs,
            'batch_size': args.batch_size, 'lr': args.lr, 'flip': not args.no_flip}


def run_of(args, name, seed):
    return args.out / name / f'seed-{seed}'


def words_of(args, name):
    """The arguments of gluonzoo train cifar for a row, without those that say where."""
    row = ROWS[name].arguments.format(model=args.model, warmup=args.epochs / 10)
    own = row.split()
    model = [] if '--model' in own else ['--model', args.model]
    rate = None if args.lr is None else args.lr * RATES['adamw' if 'adamw' in own else 'sgd']
    return [*model, *own, '--epochs', str(args.epochs), '--batch-size', str(args.batch_size),
            *([] if rate is None else ['--lr', f'{rate:g}']), *(['--no-flip'] if args.no_flip else [])]


def train(args, name, seed):
    """Trains a row. Returns whether it came to the end."""
    run = run_of(args, name, seed)
    words = ['train', 'cifar', '--data', str(args.data), '--run', str(run), '--seed', str(seed), *words_of(args, name)]
    if args.threads:
        words += ['--threads', str(args.threads)]
    if (run / 'settings.json').exists():
        words.append('--resume')
    print(f'== {ROWS[name].words}, seed {seed}: gluonzoo {" ".join(words)}', flush=True)
    code = subprocess.run([sys.executable, '-m', 'gluonzoo.commands.main', *words]).returncode
    if code in (129, 130, 143, -2, -15):   # a signal, which was meant for the table
        sys.exit(code if code > 0 else 128 - code)
    return code == 0


def result_of(args, name, seed):
    """The metrics of the last epoch of a training that is done, dict of name -> float; None of another."""
    from gluonzoo.train import CheckpointError, Run
    from gluonzoo.train.checkpoint_files import read_state

    try:
        run = Run.open(run_of(args, name, seed))
        state = read_state(run.checkpoint('last'))
    except CheckpointError:
        return None
    return state['metrics'] if state['epoch'] == run.settings['fit']['epochs'] else None


def write(args):
    """Writes table.md and table.json of all that there is."""
    rows = []
    for name in ROWS:
        seeds = sorted(int(run.name.rpartition('-')[2]) for run in (args.out / name).glob('seed-*'))
        found = {seed: result_of(args, name, seed) for seed in seeds}
        found = {seed: metrics for seed, metrics in found.items() if metrics}
        if found:
            rows.append({'row': name, 'words': ROWS[name].words, 'arguments': words_of(args, name),
                         'published': ROWS[name].published,
                         **{measure: [metrics[measure] for metrics in found.values()]
                            for measure in ('top1', 'mean_class_top1')}, 'seeds': list(found)})
    paths = [args.out / name for name in ('table.md', 'table.json')]
    with folder_for(paths[0]), replacing(*paths) as (table, numbers):
        table.write_text(as_markdown(args, rows))
        numbers.write_text(json.dumps({'of': conditions(args), 'rows': rows}, indent=1) + '\n')


def as_markdown(args, rows):
    rate = '' if args.lr is None else f', rate {args.lr:g}'
    lines = [f'`{args.model}`, {args.epochs} epochs, batch {args.batch_size}{rate}; top-1 after the last epoch in per '
             'cent: mean, and standard deviation over the seeds.', '',
             '| | top-1 | mean of the classes | seeds | published: ResNet-32, CIFAR-10 |', '|---|---|---|---|---|']
    lines += [f'| {row["words"]} | {spread(row["top1"])} | {spread(row["mean_class_top1"])} | {len(row["seeds"])} | '
              f'{row["published"]} |' for row in rows]
    return '\n'.join(lines) + '\n'


def spread(values):
    """Parts as per cent: '92.40 ± 0.12'; of one value without a deviation."""
    values = [100 * value for value in values]
    return f'{statistics.mean(values):.2f}' + (f' ± {statistics.stdev(values):.2f}' if len(values) > 1 else '')


if __name__ == '__main__':
    sys.exit(main())
