"""Shows whether a critic's loss tells how good the pictures of its generator are, which is the claim of WGAN.

    python scripts/critic_curve.py --run runs/wgan_gp_faces_small --out curve.png

prints the correlation of the loss (its estimate of the distance, without the penalty, a mean over each epoch) with the
sliced Wasserstein distance (SWD) after the epochs, and draws both. For comparison, it prints the SWD of two sets of
real pictures, as large as the validation data: no generator can be better than that but by chance.
"""
import argparse
from pathlib import Path

import gluonzoo  # noqa: F401  first: it makes MXNet importable

# isort: split
import numpy as np
from scipy.stats import pearsonr, spearmanr

from gluonzoo.commands.errors import said_of
from gluonzoo.commands.resolve import make_dataset
from gluonzoo.files import folder_for, require_replaceable
from gluonzoo.metrics.sliced_wasserstein import sliced_wasserstein
from gluonzoo.pictures.chw import from_signed
from gluonzoo.recipes.arguments import at_least
from gluonzoo.train import Run
from gluonzoo.train.callbacks import read_scalars


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', type=Path, required=True, help='of gluonzoo train dcgan, wgan or wgan_gp')
    parser.add_argument('--skip', type=at_least(0), default=0, metavar='N', help='leave out the first N epochs')
    parser.add_argument('--out', type=Path, help='the plot, .png')
    args = parser.parse_args(argv)
    if args.out and args.out.suffix.lower() != '.png':
        parser.error(f'--out: must end with .png: {args.out}')
    try:
        if args.out:
            require_replaceable(args.out)   # before the work
        settings = Run.open(args.run).settings
        if settings['task']['name'] != 'generation':
            raise ValueError(f'--run: must have a generator from noise: {settings["task"]["name"]}')
        losses, distances = (values[args.skip:] for values in curves(args.run / 'scalars.csv'))
        if len(losses) < 3:
            raise ValueError(f'--run: must have three epochs or more to compare: {len(losses)}')
        floor = of_real_pictures(settings)
        print(f'{len(losses)} epochs: SWD {distances[0]:.1f} after the first, {distances.min():.1f} at best, '
              f'{distances[-1]:.1f} after the last; {floor:.1f} of real pictures')
        print(f'correlation of the critic\'s estimate with SWD: {pearsonr(losses, distances)[0]:.3f} (Pearson), '
              f'{spearmanr(losses, distances)[0]:.3f} (of ranks)')
        if args.out:
            draw(args.out, losses, distances, floor, args.skip)
    except Exception as error:
        said = said_of(error)
        if said is None:
            raise
        parser.exit(1, f'critic_curve.py: {said}\n')


def curves(path):
    """The critic's mean estimate of the distance in each epoch, and SWD after it: two arrays."""
    rows = list(read_scalars(path))
    steps = [step for step, name, _ in rows if name == 'SWD']
    distances = [value for _, name, value in rows if name == 'SWD']
    estimates = {}
    for step, name, value in rows:
        if name in ('D_fake', 'D_real'):
            estimates[step] = estimates.get(step, 0) - value
    epochs = np.searchsorted(steps, list(estimates))   # a step belongs to the epoch that ends with it or later
    means = [np.mean([value for value, at in zip(estimates.values(), epochs) if at == epoch])
             for epoch in range(len(steps))]
    return np.array(means), np.array(distances)


def of_real_pictures(settings):
    """SWD between the validation data and as many pictures of the training data, prepared alike."""
    validation, count = pictures(settings, 'val_data')
    training, _ = pictures({**settings, 'train_data': {**settings['train_data'],
                                                       'transform': settings['val_data']['transform']}},
                           'train_data', count)
    count = min(len(validation), len(training))
    return sliced_wasserstein(validation[:count], training[:count])['SWD']


def pictures(settings, part, most=None):
    """The first pictures of a part of the data, uint8 [N, S, S, 3], and how many."""
    dataset = make_dataset(settings, part)
    made = [from_signed(dataset.transform(dataset.sample(i), None, (None,))[0])
            for i in range(min(len(dataset), most or len(dataset)))]
    made = np.stack(made)
    return made.repeat(3 // made.shape[-1], axis=-1), len(made)


def draw(path, losses, distances, floor, skipped):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout='constrained')   # not of pyplot, which would keep it
    left = figure.subplots()
    epochs = np.arange(len(losses)) + 1 + skipped
    left.plot(epochs, distances, color='tab:blue', label='SWD of made pictures')
    left.axhline(floor, color='tab:blue', linestyle=':', label='SWD of real pictures')
    left.set(xlabel='epoch', ylabel='SWD', ylim=(0, None))
    right = left.twinx()
    right.plot(epochs, losses, color='tab:orange', label="critic's estimate")
    right.set(ylabel="critic's estimate of the distance")
    figure.legend(loc='outside upper center', ncols=3)
    with folder_for(path):
        figure.savefig(path, dpi=110)
    print(path)


if __name__ == '__main__':
    main()
