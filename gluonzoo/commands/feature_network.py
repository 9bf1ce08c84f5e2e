"""The network on whose features FID and KID are measured: what users say of it, and what a task is given."""
from pathlib import Path

__all__ = ['add_arguments', 'check', 'put']


def add_arguments(parser):
    parser.add_argument('--features', metavar='RUN | MODEL', help='of a generator: measure FID and KID, too, on the '
                        'features of this classifier: the directory of its run, or with --feature-weights its name, of '
                        'gluonzoo models')
    parser.add_argument('--feature-weights', type=Path, metavar='FILE',
                        help="of the --features: what gluonzoo convert writes, or a network's file of a checkpoint")


def check(task, name, args):
    """ValueError unless the arguments go together and fit the task, which settings call `name`."""
    if args.feature_weights and not args.features:
        raise ValueError('--feature-weights: are of --features, which says what network they are of')
    if args.features and not hasattr(task, 'features'):
        raise ValueError(f'--features: the task {name} measures nothing by features; generation and cyclegan do')


def put(task, args):
    """Gives a task the features, if the arguments say some. Returns a line that says which they are, or None.

    Raises OSError or ValueError if there is no such classifier, or it cannot be used.
    """
    if not args.features:
        return None
    from ..metrics.picture_features import PictureFeatures
    from ..reading import quoted
    from ..registry import list_models
    from ..tasks.classifier import Classifier
    from . import resolve

    ctx = resolve.contexts(args.devices)
    if args.feature_weights:
        opened = resolve.open_model(args.features, args.feature_weights, ctx, finite=not args.allow_not_finite)
    elif args.features in list_models() and not Path(args.features).exists():
        raise ValueError(f'--features: the model {args.features} needs weights: --feature-weights FILE')
    else:
        opened = resolve.open_run(args.features, ctx=ctx, code=args.code, finite=not args.allow_not_finite)
    if not isinstance(opened.task, Classifier):
        raise ValueError(f'--features: must be a classifier: {args.features} is of the task '
                         f'{quoted(opened.settings["task"]["name"])}')
    name, = opened.task.used
    model, look = opened.settings['task'][name]['name'], opened.task.look
    task.features = PictureFeatures(opened.task.networks[name], model, ctx=ctx, **look)
    return (f'features: {task.features.length} of {model}, {opened.source}; it sees pictures of '
            f'{look["size"]} x {look["size"]} pixels')
