"""Makes pictures from noise, with the generator that a run has trained.

    gluonzoo sample --run runs/dcgan_faces --count 64 --seed 3 --out grid.png
    gluonzoo sample --run runs/dcgan_faces --count 1000 --out made/              # a folder: a file for each
    gluonzoo sample --run runs/dcgan_faces --interpolate 3 8 --out walk.gif      # or .png: side by side
    gluonzoo sample --model dcgan_generator --weights dcgan.safetensors --out grid.png

A seed always makes the same pictures, with any --count (by rounding, a colour may differ by 1 of 255). Where the run
has a moving average of the weights, it makes them.
"""
from pathlib import Path

from ..recipes.arguments import at_least, between
from .arguments import add_model_arguments, add_run_arguments, check_run_or_model, open_run_or_model

MOST_PIXELS = 1 << 28   # of a sheet: 800 MB
STILL, ANIMATED = ('.png', '.jpg', '.jpeg'), '.gif'   # what --out may end with


def add_arguments(parser):
    add_run_arguments(parser, required=False)
    add_model_arguments(parser)
    parser.add_argument('--count', type=between(1, 10 ** 6), metavar='N', help='pictures (default: 64)')
    parser.add_argument('--seed', type=at_least(0), help='other pictures (default: 0)')
    parser.add_argument('--truncation', type=at_least(.01, float), metavar='T',
                        help='keep the noise within -T .. T, such as 1: fewer bad pictures, and fewer kinds of them; '
                        'with --interpolate, the noise of both ends')
    parser.add_argument('--interpolate', type=at_least(0), nargs=2, metavar=('A', 'B'),
                        help='the way from the first picture of the seed A to that of the seed B')
    parser.add_argument('--steps', type=between(2, 10 ** 4), metavar='N',
                        help='pictures on that way (default: 16; of a .gif, 48)')
    parser.add_argument('--columns', type=at_least(1), metavar='N',
                        help='of the sheet (default: 8; with --interpolate, all in one row)')
    parser.add_argument('--out', type=Path, default=Path('samples.png'), metavar='FILE|FOLDER',
                        help='a sheet of all as .png or .jpg; an animation as .gif, with --interpolate; or a folder, '
                        'for single files (default: %(default)s)')


def check(parser, args):
    check_run_or_model(parser, args)
    for name in ('count', 'seed'):
        if args.interpolate and getattr(args, name) is not None:
            parser.error(f'--{name}: not with --interpolate, which has --steps and two seeds')
    if args.steps and not args.interpolate:
        parser.error('--steps: only with --interpolate')
    suffix = args.out.suffix.lower()
    if suffix == ANIMATED and not args.interpolate:
        parser.error(f'--out: only --interpolate makes an animation: {args.out}')
    if suffix and suffix not in (*STILL, ANIMATED):
        parser.error(f'--out: must end with {", ".join(STILL)} or {ANIMATED}, or have no suffix, which means a folder: '
                     f'{args.out}')
    if args.columns and suffix not in STILL:
        parser.error(f'--columns: only of a sheet, not of {args.out}')


def run(args):
    from ..files import require_replaceable
    from ..tasks import Task

    if args.out.suffix:
        require_replaceable(args.out)   # before the work
    elif args.out.exists() and not args.out.is_dir():
        raise ValueError(f'--out: must be a folder, or end with {", ".join(STILL)}: {args.out}')
    task, settings, _ = open_run_or_model(args)
    if type(task).sample is Task.sample:
        raise ValueError(f'{settings["task"]["name"]}: makes nothing from noise; gluonzoo predict takes its pictures')
    if args.out.suffix:
        check_size(args, *task.sample(1)[0].shape[:2])
    if args.interpolate:
        steps = args.steps or (48 if args.out.suffix.lower() == ANIMATED else 16)
        pictures, columns = task.walk(*args.interpolate, steps, args.truncation), steps
    else:
        pictures, columns = task.sample(args.count or 64, args.seed or 0, args.truncation), 8
    write(args.out, pictures, args.columns or columns)
    print(f'{args.out}: {len(pictures)} pictures of {pictures[0].shape[1]} x {pictures[0].shape[0]} pixels')


def check_size(args, height, width):
    """ValueError, before the work, if so many pictures of a size are too many for one file."""
    count = (args.steps or 1) if args.interpolate else (args.count or 1)
    if count * (height + 2) * (width + 2) > MOST_PIXELS:
        raise ValueError(f'--{"steps" if args.interpolate else "count"}: {count} pictures are too many for one file; '
                         '--out FOLDER writes single ones')


def write(out, pictures, columns):
    from ..files import folder_for
    from ..pictures.contact_sheet import contact_sheet
    from ..pictures.written import write_animation, write_picture

    suffix = out.suffix.lower()
    if suffix == ANIMATED:
        write_animation(out, pictures)
    elif suffix:
        write_picture(out, contact_sheet(pictures, columns, gap=2))
    else:
        digits = len(str(len(pictures) - 1))
        with folder_for(out / 'first'):
            for number, picture in enumerate(pictures):
                write_picture(out / f'{number:0{digits}}.png', picture)
