"""gluonzoo data: its arguments. What becomes of them, the tests of gluonzoo/data/fetch ask."""
import inspect
from pathlib import Path

import pytest

from gluonzoo.commands import data
from gluonzoo.commands.main import main
from gluonzoo.data.drawn import birds, faces, mascot, pairs, seasons
from gluonzoo.data.fetch import coco, dataset_folder, fine_grained, unpaired
from gluonzoo.data.fetch.pairs import ORIGINALS


@pytest.mark.parametrize('words, message', [
    (['pikachu', '--synthetic', '--train', '0'], 'argument --train: must be at least 1: 0'),
    (['pikachu', '--synthetic', '--size', '63'], 'argument --size: must be at least 64: 63'),
    (['pikachu', '--synthetic', '--seed', '-1'], 'argument --seed: must be at least 0: -1'),
    (['pikachu', '--synthetic', '--val', 'x'], 'argument --val: '), (['pikachu', '--synthetic', '--valid'], '--valid'),
    (['coco', '--train', '0'], 'must be at least 1: 0'), (['coco', '--seed', '-1'], 'must be at least 0: -1'),
    (['coco', '--val', 'x'], '--val'), (['coco', '--parts', 'test2017'], "invalid choice: 'test2017'"),
    (['coco', '--parts'], '--parts'), (['coco', '--size', '3'], '--size'),
    (['coco', '--synthetic', '--parts', 'val2017'], '--parts: is of the original'),
    ([], 'required: DATASET'), (['shoes'], "invalid choice: 'shoes'"), (['facades', '--synthetic'], '--synthetic'),
    (['maps', '--train', '5'], '--train'), (['pairs', '--md5', 'x'], '--md5'),
    (['pairs', '--size', '31'], 'must be at least 32: 31'),
    (['cifar10', '--synthetic', '--train', '9'], 'argument --train: must be at least 10: 9'),
    (['cifar10', '--val', '9'], 'argument --val: must be at least 10: 9'), (['cifar10', '--size', '64'], '--size'),
    (['cifar100', '--synthetic'], '--synthetic: nothing draws 100 classes; gluonzoo data cifar10 --synthetic draws'),
    (['cifar100', '--train', '10'], '--train'),
    (['digits', '--seed', '1'], '--seed: is of what --synthetic draws'),
    (['digits', '--synthetic', '--train', '9'], 'argument --train: must be 10 to 1000000: 9'),
    (['digits', '--synthetic', '--size', '64'], '--size'),
    (['unpaired'], 'NAME or --synthetic is needed; NAME is one of apple2orange, summer2winter_yosemite, '),
    (['unpaired', 'horses'], "invalid choice: 'horses'"),
    (['unpaired', 'maps', '--synthetic'], 'NAME: is of an original, which --synthetic does not get'),
    (['unpaired', '--synthetic', '--sha256', 64 * 'a'], '--sha256: is of an original, which --synthetic does not'),
    (['unpaired', 'maps', '--sha256', 63 * 'a'], 'argument --sha256: must be 64 hexadecimal digits: aaa'),
    (['unpaired', 'maps', '--sha256', 64 * 'g'], 'argument --sha256: must be 64 hexadecimal digits: ggg'),
    (['maps', '--md5', 31 * 'a'], 'argument --md5: must be 32 hexadecimal digits: aaa'),
    (['unpaired', 'maps', '--size', '64'], '--size: is of what --synthetic draws'),
    (['unpaired', '--synthetic', '--train', '1'], 'argument --train: must be 2 to 1000000: 1'),
    (['unpaired', '--synthetic', '--size', '31'], 'argument --size: must be 32 to 2048: 31'),
    (['faces', '--train', '5'], '--train: is of what --synthetic draws'),
    (['faces', '--synthetic', '--size', '2049'], 'argument --size: must be 32 to 2048: 2049'),
    (['folder'], 'required: PICTURES'), (['folder', 'x', '--size', '7'], 'argument --size: must be 8 to 4096: 7'),
    (['folder', 'x', '--synthetic'], '--synthetic'),
    (['pictures', '--train', '4'], 'argument --train: must be at least 5: 4'),
    (['pictures', '--seed', '-1'], 'must be at least 0: -1'),
    (['cub', '--train', '11'], 'argument --train: must be 12 to 1000000: 11'), (['cars', '--parts', 'x'], '--parts'),
    (['cub', '--synthetic', '--train', '99999999999'], 'argument --train: must be 12 to 1000000: 99999999999'),
    (['cub', '--synthetic', '--val', '1000001'], 'argument --val: must be 12 to 1000000: 1000001'),
    (['cub', '--synthetic', '--size', '2049'], 'argument --size: must be 64 to 2048: 2049'),
    (['dogs', '--size', '63'], 'argument --size: must be 64 to 2048: 63'), (['aircraft', '--archive'], '--archive'),
    (['cars', '--synthetic', '--archive', 'x'], '--archive: is of the original, which --synthetic does not get')])
def test_arguments_that_make_no_sense(words, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['data', *words, *(['--out', str(tmp_path / 'out')] if words else [])])
    assert ended.value.code == 2 and message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('dataset', ['pikachu', 'coco', 'facades', 'maps', 'edges2shoes', 'pairs', 'cifar10',
                                     'cifar100', 'digits', 'pictures', 'cub', 'aircraft', 'cars', 'dogs', 'faces'])
def test_where_it_goes(dataset, monkeypatch):
    taken = []
    monkeypatch.setattr(data, 'run', lambda args: taken.append(args.out))
    main(['data', dataset])
    main(['data', dataset, '--out', 'here'])
    assert taken == [Path('data', 'synthetic_pairs' if dataset == 'pairs' else dataset), Path('here')]


@pytest.mark.parametrize('words, folder', [
    (['--synthetic'], 'synthetic_unpaired'), (['horse2zebra'], 'horse2zebra'),
    (['maps'], 'unpaired_maps'), (['facades'], 'unpaired_facades')])   # pairs have these names, too
def test_where_two_domains_go(words, folder, monkeypatch):
    taken = []
    monkeypatch.setattr(data, 'run', lambda args: taken.append(args.out))
    main(['data', 'unpaired', *words])
    main(['data', 'unpaired', *words, '--out', 'here'])
    assert taken == [Path('data', folder), Path('here')]


def test_a_checksum_in_capitals_is_the_same(monkeypatch):
    taken = []
    monkeypatch.setattr(data, 'run', lambda args: taken.append(args.sha256 if 'sha256' in args else args.md5))
    main(['data', 'unpaired', 'maps', '--sha256', 32 * 'aB'])
    main(['data', 'maps', '--md5', 16 * 'F0'])
    assert taken == [32 * 'ab', 16 * 'f0']


def test_names_and_numbers_that_stand_here_too():
    """They must be known for the help, before anything is imported that knows them."""
    assert data.COCO_PARTS == tuple(coco.ORIGINAL) and tuple(data.ORIGINAL_PAIRS) == tuple(ORIGINALS)
    assert tuple(data.FINE_GRAINED_DATASETS) == tuple(fine_grained.ORIGINALS)
    assert data.ORIGINAL_DOMAINS == tuple(unpaired.ORIGINALS)
    assert data.CARS_FILES == {file.name: file.md5 for file in fine_grained.ORIGINALS['cars'].files}
    assert data.FINE_GRAINED['size'] == inspect.signature(birds.picture).parameters['size'].default
    assert data.PIKACHU['size'] == inspect.signature(mascot.picture).parameters['size'].default
    assert data.PAIRS['size'] == inspect.signature(pairs.pair).parameters['size'].default
    assert data.UNPAIRED['size'] == inspect.signature(seasons.landscape).parameters['size'].default
    assert data.FACES['size'] == inspect.signature(faces.face).parameters['size'].default


def test_the_help_of_cars_names_its_files(capsys):
    """With their MD5 sums; that of the others does not, since they are downloaded."""
    for name in data.FINE_GRAINED_DATASETS:
        with pytest.raises(SystemExit):
            main(['data', name, '--help'])
        said = capsys.readouterr().out
        assert f'gluonzoo data {name} --synthetic ' in said and 'NAME' not in said
        for file, md5 in data.CARS_FILES.items():
            assert (f'{md5}  {file}' in said) == (name == 'cars')


def test_a_number_that_is_not_given_is_that_of_the_help(tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(dataset_folder.DatasetFolder, 'get', lambda self, *args, **more: taken.append((args, more)))
    main(['data', 'coco', '--out', str(tmp_path), '--val', '7'])
    main(['data', 'pikachu', '--out', str(tmp_path), '--synthetic'])
    main(['data', 'cifar10', '--out', str(tmp_path), '--seed', '3'])
    assert taken == [(({'train': 1000, 'val': 7, 'seed': 0}, ['val']), {'original': True}),
                     (({'train': 900, 'val': 100, 'size': 512, 'seed': 0}, []), {'original': False}),
                     (({'train': 5000, 'val': 1000, 'seed': 3}, ['seed']), {'original': True})]
