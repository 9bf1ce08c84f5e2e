"""The table of tricks, on files of CIFAR-10's own form: trained, gone on with, and written."""
import json
import shutil
from types import SimpleNamespace

import cifar_table
import numpy as np
import pytest

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.train import parse


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Five files to train on, one to test, and the names, as the original has them, but few pictures."""
    folder = tmp_path_factory.mktemp('data') / 'cifar-10-batches-bin'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in (*(f'data_batch_{number}.bin' for number in range(1, 6)), 'test_batch.bin'):
        records = rng.integers(0, 256, (4, 3073), dtype='uint8')
        records[:, 0] = rng.integers(0, 10, 4)
        records.tofile(folder / name)
    (folder / 'batches.meta.txt').write_text('airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n')
    return folder.parent


def words_of(data, out, *more):
    return ['--data', str(data), '--out', str(out), '--epochs', '2', '--seeds', '2', '--small', '--batch-size', '10',
            '--threads', '1', '--rows', 'baseline', 'all', *more]


@pytest.fixture(scope='module')
def table(data, tmp_path_factory):
    out = tmp_path_factory.mktemp('table')
    assert cifar_table.main(words_of(data, out)) == 0
    return out


def test_what_it_writes(table, data):
    written = json.loads((table / 'table.json').read_text())
    assert [(row['row'], row['seeds'], len(row['top1'])) for row in written['rows']] == [
        ('baseline', [0, 1], 2), ('all', [0, 1], 2)]
    lines = (table / 'table.md').read_text().splitlines()
    assert lines[0].startswith('`resnet20`, 2 epochs, batch 10; top-1 after the last epoch')
    assert lines[2] == '| | top-1 | mean of the classes | seeds | published: ResNet-32, CIFAR-10 |'
    values = [100 * value for value in written['rows'][0]['top1']]
    assert lines[4] == (f'| ResNet | {np.mean(values):.2f} ± {np.std(values, ddof=1):.2f} | '
                        f'{cifar_table.spread(written["rows"][0]["mean_class_top1"])} | 2 | 92.40 |')
    settings = json.loads((table / 'all' / 'seed-1' / 'settings.json').read_text())
    assert settings['fit']['seed'] == 1 and settings['task']['mixup'] == .2
    assert settings['task']['net'] == {'name': 'cifar_resnet20d', 'classes': 10, 'zero_gamma': True}


def test_it_goes_on_where_it_broke_off(table, data, tmp_path, monkeypatch):
    """What is done is not done again; what is half done is resumed, and comes out as before."""
    out = tmp_path / 'table'
    shutil.copytree(table, out)
    shutil.rmtree(out / 'all' / 'seed-0')
    shutil.rmtree(out / 'baseline' / 'seed-1' / 'checkpoints' / 'step-00000004')
    (out / 'table.json').unlink()
    trained = []
    real = cifar_table.train
    monkeypatch.setattr(cifar_table, 'train',
                        lambda args, name, seed: trained.append((name, seed)) or real(args, name, seed))
    assert cifar_table.main(words_of(data, out)) == 0
    assert trained == [('all', 0), ('baseline', 1)]
    rows = [json.loads((folder / 'table.json').read_text())['rows'] for folder in (out, table)]
    assert rows[0] == rows[1]


def test_a_training_that_fails_does_not_end_the_table(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cifar_table, 'train', lambda args, name, seed: False)
    assert cifar_table.main(words_of(data, tmp_path / 'new')) == 1
    assert 'not trained: baseline, seed 0; all, seed 0; baseline, seed 1; all, seed 1' in capsys.readouterr().err


@pytest.mark.parametrize('more, said', [
    (['--epochs', '3'], 'epochs 2 there, 3 here'), (['--lr', '0'], 'lr None there, 0.0 here'),
    (['--no-flip'], 'flip True there, False here'), (['--batch-size', '5'], 'batch_size 10 there, 5 here')])
def test_trainings_of_another_table_are_not_taken(table, data, capsys, more, said):
    before = (table / 'table.json').read_bytes()
    with pytest.raises(SystemExit):
        cifar_table.main([*words_of(data, table), *more])
    assert f'--out: {table} has another table: {said}' in capsys.readouterr().err
    assert (table / 'table.json').read_bytes() == before


def test_a_part_leaves_the_rest_of_the_table(table, data):
    before = (table / 'table.json').read_bytes()
    assert cifar_table.main([*words_of(data, table), '--seeds', '1', '--rows', 'all']) == 0
    assert (table / 'table.json').read_bytes() == before


def test_every_row_is_a_training(data):
    for name in cifar_table.ROWS:
        for model in ('resnet20', 'resnet32'):
            args = SimpleNamespace(model=model, epochs=20, batch_size=10, lr=.5, no_flip=True)
            settings = make_settings(parse('cifar', ['--data', str(data), *cifar_table.words_of(args, name)]))
            assert settings['task']['optimizer']['learning_rate'] == (.01 if name == 'adamw' else .5)
            assert settings['fit']['epochs'] == 20 and not settings['train_data']['transform']['flip']


def test_spread():
    assert cifar_table.spread([.924]) == '92.40' and cifar_table.spread([.9, .92]) == '91.00 ± 1.41'


def test_list(capsys):
    assert cifar_table.main(['--list']) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(cifar_table.ROWS)
