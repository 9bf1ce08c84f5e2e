"""Gets a dataset, or draws a small one that needs no network.

    gluonzoo data pikachu                 # detection: 900 pictures, one class
    gluonzoo data coco                    # detection: COCO 2017, 20 GB
    gluonzoo data facades                 # image to image; also maps and edges2shoes
    gluonzoo data pairs                   # image to image, drawn
    gluonzoo data unpaired horse2zebra    # image to image without pairs; also summer2winter_yosemite and others
    gluonzoo data faces                   # to make more of: 13,233 photos of faces
    gluonzoo data folder PICTURES         # to make more of: small copies of your own pictures
    gluonzoo data cifar10                 # classification: 60,000 small pictures, 10 classes; also cifar100
    gluonzoo data digits                  # classification: 1,797 handwritten digits that come with scikit-learn
    gluonzoo data pictures                # classification: a folder a class, drawn
    gluonzoo data cub                     # fine-grained classification: birds; also aircraft, cars and dogs
    gluonzoo data pikachu --synthetic     # drawn, in the form of the original; also coco, cifar10, cub, unpaired ...

Each becomes a folder, and dataset.json in it says what the folder holds. gluonzoo data DATASET --help says more.
"""
import inspect
from pathlib import Path

from ..recipes.arguments import at_least, between, checksum
from .arguments import add_command

# What is drawn, unless the arguments say otherwise.
PIKACHU = {'train': 900, 'val': 100, 'size': 512, 'seed': 0}
COCO = {'train': 1000, 'val': 100, 'seed': 0}
PAIRS = {'train': 400, 'val': 50, 'size': 256, 'seed': 0}
UNPAIRED = {'train': 400, 'val': 50, 'size': 64, 'seed': 0}
FACES = {'train': 4000, 'val': 1000, 'size': 64, 'seed': 0}
DIGITS = {'train': 5000, 'val': 1000, 'seed': 0}
CIFAR10 = {'train': 5000, 'val': 1000, 'seed': 0}
PICTURES = {'train': 600, 'val': 150, 'seed': 0}
FINE_GRAINED = {'train': 3000, 'val': 600, 'size': 128, 'seed': 0}
MOST = 10 ** 6   # pictures of each part: of birds, 10 GB

COCO_PARTS = ('annotations', 'val2017', 'train2017')
DRAWN_IF_ASKED = {'unpaired': UNPAIRED, 'faces': FACES, 'digits': DIGITS}   # and not where the original fails
_DRAWN = 'gluonzoo data cifar10 --synthetic draws a dataset of 10 classes, without a network'
FINE_GRAINED_DATASETS = {
    'cub': 'CUB-200-2011: birds of 200 species, 5,994 pictures to train on and 5,794 to test with, 1.2 GB',
    'aircraft': 'FGVC-Aircraft: 100 variants of aircraft, 6,667 pictures to train on and 3,333 to test with, 2.8 GB',
    'cars': 'Stanford Cars: 196 models of cars, 8,144 pictures to train on and 8,041 to test with, 2 GB',
    'dogs': 'Stanford Dogs: 120 breeds, 12,000 pictures to train on and 8,580 to test with, 0.8 GB'}
_DOWNLOADS = {'cub': 'downloads it; goes on where it broke off, keeps what is right',
              'cars': 'its authors offer it no longer: says what is needed, and draws birds'}
CARS_FILES = {'car_devkit.tgz': 'c3b158d763b6e2245038c8ad08e45376',   # name -> MD5 sum
              'cars_test_annos_withlabels.mat': 'b0a2b23655a3edd16d84508592a98d10',
              'cars_train.tgz': '065e5b463ae28d29e77c1b4b166cfe61', 'cars_test.tgz': '4ce7ebf6a94d07f1952d94dd34c4d501'}
_FILES = {'cars': '\nThe files, whatever they are called, must have these MD5 sums:\n\n' + ''.join(
    f'    {md5}  {name}\n' for name, md5 in CARS_FILES.items())}
ORIGINAL_PAIRS = {'facades': '30 MB: maps of the parts of fronts, and photos of them',
                  'maps': '240 MB: aerial photos, and street maps',
                  'edges2shoes': '2 GB: photos of shoes, and their edges'}
ORIGINAL_DOMAINS = ('apple2orange', 'summer2winter_yosemite', 'horse2zebra', 'monet2photo', 'cezanne2photo',
                    'ukiyoe2photo', 'vangogh2photo', 'iphone2dslr_flower', 'maps', 'facades')


def add_arguments(parser):
    datasets = parser.add_subparsers(dest='dataset', metavar='DATASET', required=True)

    dataset = _add(datasets, 'pikachu', pikachu.__doc__, pikachu, 'data/pikachu')
    dataset.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    _add_settings(dataset, 'the synthetic dataset, asked for or not', PIKACHU, (
        ('train', 1, 'pictures to train on'), ('val', 1, 'pictures to validate with'),
        ('size', 64, 'their sides in pixels'), ('seed', 0, 'another seed, other pictures')))

    for name, what in ORIGINAL_PAIRS.items():
        dataset = _add(datasets, name, f'Pairs, {what}.\n{original_pairs.__doc__}', original_pairs, f'data/{name}')
        dataset.add_argument('--md5', type=checksum(32),
                             help='what the MD5 of the archive must be, if it is not the known one')

    dataset = _add(datasets, 'pairs', pairs.__doc__, pairs, 'data/synthetic_pairs')
    dataset.add_argument('--synthetic', action='store_true', help='as it is anyway')
    _add_settings(dataset, 'what is drawn', PAIRS, (
        ('train', 1, 'pairs to train on'), ('val', 1, 'pairs to validate with'),
        ('size', 32, 'the sides of their pictures in pixels'), ('seed', 0, 'other houses')))

    dataset = _add(datasets, 'unpaired', unpaired.__doc__, unpaired, None)
    dataset.add_argument('name', nargs='?', choices=ORIGINAL_DOMAINS, metavar='NAME', help=f'of an original: '
                         f'{", ".join(ORIGINAL_DOMAINS)}')
    dataset.add_argument('--sha256', type=checksum(64),
                         help='what the SHA-256 of the archive must be, if it is not the known one')
    dataset.add_argument('--synthetic', action='store_true', help='draw two domains, download nothing')
    _add_settings(dataset, 'what is drawn', UNPAIRED, (
        ('train', (2, MOST), 'pictures of each domain to train on'),
        ('val', (1, MOST), 'pictures of each domain to validate with'),
        ('size', (32, 2048), 'their sides in pixels'), ('seed', 0, 'other landscapes')))

    dataset = _add(datasets, 'faces', faces.__doc__, faces, 'data/faces')
    dataset.add_argument('--synthetic', action='store_true', help='draw faces, download nothing')
    _add_settings(dataset, 'what is drawn', FACES, (
        ('train', (1, MOST), 'faces to train on'), ('val', (1, MOST), 'faces to validate with'),
        ('size', (32, 2048), 'the sides of the pictures in pixels'), ('seed', 0, 'other faces')))

    dataset = _add(datasets, 'folder', folder.__doc__, folder, 'data/folder')
    dataset.add_argument('pictures', type=Path, metavar='PICTURES', help='the folder of your pictures')
    dataset.add_argument('--size', type=between(8, 4096), default=128,
                         help='pixels of the shorter sides of the copies (default: %(default)s)')

    dataset = _add(datasets, 'coco', coco.__doc__, coco, 'data/coco')
    dataset.add_argument('--parts', nargs='+', choices=COCO_PARTS, help='of the original (default: all)')
    dataset.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    _add_settings(dataset, 'the synthetic dataset, asked for or not', COCO, (
        ('train', 1, 'pictures to train on'), ('val', 1, 'pictures to validate with'),
        ('seed', 0, 'another seed, other pictures')))

    dataset = _add(datasets, 'cifar10', cifar10.__doc__, cifar10, 'data/cifar10')
    dataset.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
    _add_settings(dataset, 'the synthetic dataset, asked for or not', CIFAR10, (
        ('train', 10, 'pictures to train on'), ('val', 10, 'pictures to validate with'),
        ('seed', 0, 'another seed, other pictures')))

    dataset = _add(datasets, 'cifar100', cifar100.__doc__, cifar100, 'data/cifar100')
    dataset.add_argument('--synthetic', action='store_true', help='not of this dataset: nothing draws 100 classes')

    dataset = _add(datasets, 'digits', digits.__doc__, digits, 'data/digits')
    dataset.add_argument('--synthetic', action='store_true', help='draw digits')
    _add_settings(dataset, 'what is drawn', DIGITS, (
        ('train', (10, MOST), 'digits to train on'), ('val', (10, MOST), 'digits to validate with'),
        ('seed', 0, 'other digits')))

    dataset = _add(datasets, 'pictures', pictures.__doc__, pictures, 'data/pictures')
    dataset.add_argument('--synthetic', action='store_true', help='as it is anyway')
    _add_settings(dataset, 'what is drawn', PICTURES, (
        ('train', 5, 'pictures to train on'), ('val', 5, 'pictures to validate with'),
        ('seed', 0, 'another seed, other pictures')))

    for name, what in FINE_GRAINED_DATASETS.items():
        doc = fine_grained.__doc__.replace('NAME', name).replace('DOWNLOADS', _DOWNLOADS.get(name, _DOWNLOADS['cub']))
        doc = inspect.cleandoc(doc) + '\n' + _FILES.get(name, '')
        dataset = _add(datasets, name, f'{what}.\n\n{doc}', fine_grained, f'data/{name}')
        dataset.add_argument('--synthetic', action='store_true', help='draw a dataset, download nothing')
        dataset.add_argument('--archive', nargs='+', type=Path, default=[], metavar='FILE',
                             help='files of the original that are there already, which are checked by their MD5 sums, '
                             'used and left where they are')
        _add_settings(dataset, 'the synthetic dataset, asked for or not', FINE_GRAINED, (
            ('train', (12, MOST), 'pictures to train on'), ('val', (12, MOST), 'pictures to test with'),
            ('size', (64, 2048), 'the longer sides of the pictures in pixels'),
            ('seed', 0, 'another seed, other pictures')))


def check(parser, args):
    if getattr(args, 'archive', None) and args.synthetic:
        parser.error('--archive: is of the original, which --synthetic does not get')
    if args.dataset == 'coco' and args.synthetic and args.parts:
        parser.error('--parts: is of the original, which --synthetic does not get')
    if args.dataset == 'cifar100' and args.synthetic:
        parser.error(f'--synthetic: nothing draws 100 classes; {_DRAWN}')
    if args.dataset in DRAWN_IF_ASKED and not args.synthetic:
        given = next((name for name in DRAWN_IF_ASKED[args.dataset] if getattr(args, name) is not None), None)
        if given:
            parser.error(f'--{given}: is of what --synthetic draws')
    if args.dataset == 'unpaired':
        _check_unpaired(parser, args)


def _check_unpaired(parser, args):
    if args.synthetic and (args.name or args.sha256):
        parser.error(f'{"NAME" if args.name else "--sha256"}: is of an original, which --synthetic does not get')
    if not args.synthetic and not args.name:
        parser.error(f'NAME or --synthetic is needed; NAME is one of {", ".join(ORIGINAL_DOMAINS)}')
    if args.out is None:   # maps and facades are names of pairs, too
        args.out = Path('data', 'synthetic_unpaired' if args.synthetic else
                        f'unpaired_{args.name}' if args.name in ORIGINAL_PAIRS else args.name)


def run(args):
    print(f'{args.out}: {args.get(args)}')


# -- the datasets: each function gets one and returns words that say which; its docstring is the help ----------------

def pikachu(args):
    """The Pikachu detection dataset: 900 pictures to train on, 100 to validate with, of one class.

        gluonzoo data pikachu                 # downloads it; goes on where it broke off, keeps what is right
        gluonzoo data pikachu --synthetic     # draws such a dataset, without a network

    Both give train.rec, train.idx, val.rec, val.idx and classes.txt, in the same format. dataset.json says which of the
    two the folder holds; they are never mixed. If the original cannot be reached, the drawn one is made instead.
    """
    from ..data.fetch.pikachu import Pikachu

    return Pikachu(args.out).get(*_settings(args, PIKACHU), original=not args.synthetic)


def coco(args):
    """COCO 2017: 118,287 pictures to train on and 5,000 to validate with, of 80 classes; or a small drawn dataset.

        gluonzoo data coco                 # downloads 20 GB, needs 42 on the way; goes on where it broke off
        gluonzoo data coco --parts annotations val2017     # 1 GB: all that an evaluation needs
        gluonzoo data coco --synthetic     # draws 1,000 and 100 pictures of 4 classes, without a network

    All give annotations/instances_train2017.json and annotations/instances_val2017.json, train2017/*.jpg and
    val2017/*.jpg, in the same format. dataset.json says which of the two the folder holds; they are never mixed. If the
    original cannot be reached, the drawn one is made instead.
    """
    from ..data.fetch.coco import COCO as Folder

    return Folder(args.out, args.parts or COCO_PARTS).get(*_settings(args, COCO), original=not args.synthetic)


def original_pairs(args):
    """
    A picture in the folders train, val and, of facades, test shows the two of a pair side by side. The pairs are those
    of the authors of pix2pix. The folder appears when all is there and has been checked; if it is there already,
    nothing is done.
    """
    from ..data.fetch.download import DownloadError
    from ..data.fetch.pairs import get_original

    try:
        return get_original(args.dataset, args.out, args.md5)
    except DownloadError as error:
        raise DownloadError(f'{error}\ngluonzoo data pairs draws a dataset that needs no network.') from error


def pairs(args):
    """Pairs, drawn: maps of the parts of fronts of houses, and pictures of them.

    A picture in the folders train and val shows the two of a pair side by side. The folder appears when all is there;
    if it is there already, nothing is done.
    """
    from ..data.fetch.pairs import get_synthetic

    settings, _ = _settings(args, PAIRS)
    return get_synthetic(args.out, settings)


def unpaired(args):
    """Pictures of two domains, A and B, without partners, to turn one into the other.

        gluonzoo data unpaired horse2zebra        # downloads 117 MB
        gluonzoo data unpaired --synthetic        # draws landscapes in summer and in winter, without a network

    The originals are those of the authors of CycleGAN. Both give trainA, trainB, testA and testB. The folder appears
    when all is there and has been checked; if it is there already, nothing is done. By default it is data/NAME, or
    data/synthetic_unpaired. A folder with trainA, trainB, testA and testB from elsewhere needs none of this: give it to
    gluonzoo train.

    No drawn landscape is in both trainA and trainB. testA and testB show the same landscapes under the same names: how
    well one season is turned into the other can be measured, although nothing learns from pairs. Two drawn datasets of
    one seed and of other numbers of pictures share landscapes, whatever the part; another --seed gives others.
    """
    from ..data.fetch.download import DownloadError
    from ..data.fetch.unpaired import get_original, get_synthetic

    if args.synthetic:
        return get_synthetic(args.out, _settings(args, UNPAIRED)[0])
    try:
        return get_original(args.name, args.out, args.sha256)
    except DownloadError as error:
        raise DownloadError(f'{error}\ngluonzoo data unpaired --synthetic draws two domains that need no network.'
                            ) from error


def faces(args):
    """Faces, to make more of: 13,233 photos of 250 x 250 pixels, Labeled Faces in the Wild; or drawn ones.

        gluonzoo data faces                   # downloads 243 MB
        gluonzoo data faces --synthetic       # draws 4,000 and 1,000 faces, without a network

    The photos lie in a folder for each person; a training takes a tenth of them to validate with. The drawn faces are
    in the folders train and val. Two drawn datasets of one seed begin with the same faces, whatever their part; another
    --seed gives others. The folder appears when all is there; if it is there already, nothing is done.
    """
    from ..data.fetch.download import DownloadError
    from ..data.fetch.faces import get_original, get_synthetic

    if args.synthetic:
        return get_synthetic(args.out, _settings(args, FACES)[0])
    try:
        return get_original(args.out)
    except DownloadError as error:
        raise DownloadError(f'{error}\ngluonzoo data faces --synthetic draws faces, which need no network.') from error


def folder(args):
    """Small copies of your own pictures, to make more of such pictures.

        gluonzoo data folder PHOTOS --size 64 --out data/photos

    A training takes any folder of pictures as it is. It is faster with small copies: large photos take long to decode,
    each time. A tenth of the pictures comes to the folder val, the others to train. Pictures that cannot be read are
    left out, and named. Your pictures stay as they are. The folder appears when all is there; if it is there already,
    nothing is done.
    """
    from ..data.fetch.own_pictures import get_small_copies

    return get_small_copies(args.pictures, args.out, args.size)


def cifar10(args):
    """CIFAR-10: 50,000 pictures to train on and 10,000 to validate with, 32 x 32 pixels, of 10 classes; or a drawn one.

        gluonzoo data cifar10                 # downloads 170 MB; goes on where it broke off, keeps what is right
        gluonzoo data cifar10 --synthetic     # draws 5,000 and 1,000 pictures of 10 other classes, without a network

    Both give data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt, in the same format.
    dataset.json says which of the two the folder holds; they are never mixed. If the original cannot be reached, the
    drawn one is made instead. The archive is that of bytes alone; the one with pickles is never opened.
    """
    from ..data.fetch.cifar import CIFAR10 as Folder

    return Folder(args.out).get(*_settings(args, CIFAR10), original=not args.synthetic)


def cifar100(args):
    """CIFAR-100: 50,000 pictures to train on and 10,000 to validate with, 32 x 32 pixels, of 100 classes.

        gluonzoo data cifar100     # downloads 169 MB; goes on where it broke off, keeps what is right

    It gives train.bin, test.bin, fine_label_names.txt and coarse_label_names.txt.
    """
    from ..data.fetch.cifar import get_cifar100
    from ..data.fetch.download import ChecksumError, DownloadError

    try:
        return get_cifar100(args.out)
    except ChecksumError:
        raise
    except DownloadError as error:
        raise DownloadError(f'{error}\n{_DRAWN}.') from error


def fine_grained(args):
    """
        gluonzoo data NAME                     # DOWNLOADS
        gluonzoo data NAME --archive FILE ...  # the original from files that are there already
        gluonzoo data NAME --synthetic         # draws birds of 12 classes in its form, without a network

    The drawn birds differ in the colour of a small part, the crown of the head; all else is random. dataset.json says
    which of the two the folder holds; they are never mixed. If the original cannot be reached, the drawn one is made
    instead, but not where --archive names files. Files of the original that are in the folder are taken, too, and stay
    there; what is downloaded is removed once it is unpacked. A folder with the lists and pictures of the original from
    elsewhere needs none of this: gluonzoo train reads it as it is.

    Two drawn datasets of one seed begin with the same pictures: what one with few pictures is tested with, one with
    more may train on. Within a dataset no picture is there twice. Another --seed gives other pictures.
    """
    from ..data.fetch.fine_grained import FineGrained

    folder = FineGrained(args.out, args.dataset, args.archive)
    return folder.get(*_settings(args, FINE_GRAINED), original=not args.synthetic)


def digits(args):
    """Handwritten digits: 1,437 to train on, 360 to validate with. They come with scikit-learn: no network is needed.

        gluonzoo data digits                  # the handwritten ones
        gluonzoo data digits --synthetic      # draws 5,000 and 1,000 digits

    The handwritten ones are real, of 8 x 8 pixels, enlarged to 32 x 32; the drawn ones are sharp. The files have the
    form of CIFAR-10's, so that all that reads CIFAR-10 reads them. The folder appears when all is there; if it is there
    already, nothing is done.
    """
    from ..data.fetch.digits import get_digits, get_drawn_digits

    if args.synthetic:
        return get_drawn_digits(args.out, _settings(args, DIGITS)[0])
    return get_digits(args.out)


def pictures(args):
    """Pictures of five classes, drawn: train and val, in each a folder a class with JPEG files of many sizes.

    It is a small dataset in the form of ImageNet and of own photos. The folder appears when all is there; if it is
    there already, nothing is done.
    """
    from ..data.fetch.pictures import get_pictures

    settings, _ = _settings(args, PICTURES)
    return get_pictures(args.out, settings)


# -- what their arguments have in common -----------------------------------------------------------------------------

def _add(datasets, name, doc, get, out):
    parser = add_command(datasets, name, doc)
    parser.add_argument('--out', type=Path, default=out and Path(out),
                        help='the folder' + ' (default: %(default)s)' * (out is not None))
    parser.set_defaults(get=get)
    return parser


def _add_settings(parser, title, drawn, rows):
    """Adds an argument for each setting of a drawn dataset; rows: name, least value (or least and most), what it is."""
    group = parser.add_argument_group(title)
    for name, limits, what in rows:
        kind = between(*limits) if isinstance(limits, tuple) else at_least(limits)
        group.add_argument(f'--{name}', type=kind, help=f'{what} (default: {drawn[name]})')


def _settings(args, drawn):
    """All settings of a drawn dataset, and the names of those that the user has chosen."""
    given = [name for name in drawn if getattr(args, name) is not None]
    return {**drawn, **{name: getattr(args, name) for name in given}}, given
