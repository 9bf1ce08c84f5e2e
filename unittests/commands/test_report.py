"""gluonzoo report: what is on the page of a run, also of one that is damaged or whose data are elsewhere."""
import html
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from full_disk import full_disk
from run_checks import check_error_is_one_line, error_of

from gluonzoo.commands.main import main
from gluonzoo.train import Run


@pytest.fixture
def copied(detector, tmp_path):
    """A run of its own, to be changed."""
    return Path(shutil.copytree(detector, tmp_path / 'run'))


def report(run, *words):
    """The text of the page."""
    assert main(['report', str(run), *words]) == 0
    out = words[words.index('--out') + 1] if '--out' in words else run / 'report.html'
    return html.unescape(Path(out).read_text())


def test_a_page_with_an_evaluation(copied, capsys):
    page = report(copied)
    said = capsys.readouterr()
    size = (copied / 'report.html').stat().st_size / 1e6
    assert said.out == f'{copied}/report.html: {size:.1f} MB; open it with a browser\n' and said.err == ''
    best = Run.open(copied).checkpoint('best').name
    for text in ('<td>single_shot_detection</td>', '2 of 2 epochs, 4 updates', f'Of {best}, on 3 items',
                 'precision and recall at IoU 0.5', '<h2>Examples</h2>', '>net.growth_rate</th>',
                 'train to epoch 4', '<figcaption>class_loss', 'main metric is mAP', 'that trained last'):
        assert text in page, text
    assert page.count('class="sample"') == 2 and page.count('data:image/jpeg;base64,') == 3


def test_without_an_evaluation(copied, tmp_path, capsys):
    out = tmp_path / 'new' / 'page.html'
    page = report(copied, '--out', str(out), '--no-evaluation')
    assert page.count('data:image/jpeg;base64,') == 2 and '<section id="evaluation"' not in page
    assert not (copied / 'report.html').exists() and capsys.readouterr().err == ''


def test_of_many_pictures_of_the_training_some(copied, monkeypatch):
    monkeypatch.setattr('gluonzoo.commands.report.PICTURES', 2)
    for name in 'abc':
        shutil.copy(copied / 'samples' / 'epoch-001.jpg', copied / f'{name}.jpg')
    page = report(copied, '--no-evaluation')
    assert '<figcaption>b<' in page and '<figcaption>c<' not in page and '2 of 3 pictures of the evaluation' in page


def test_the_run_is_not_changed(copied):
    before = {path: path.read_bytes() for path in copied.rglob('*') if path.is_file()}
    report(copied)
    after = {path: path.read_bytes() for path in copied.rglob('*') if path.is_file()}
    del after[copied / 'report.html']
    assert after == before


def test_data_that_are_not_there(copied, pikachu, tmp_path, capsys):
    """The page is written and says so; where the data lie now, they are used."""
    settings = copied / 'settings.json'
    settings.write_text(settings.read_text().replace(str(pikachu), str(tmp_path / 'gone')))
    page = report(copied)
    reason = f'not evaluated: {tmp_path}/gone/val.rec: '
    assert reason in page and capsys.readouterr().err.startswith(reason)
    assert '3 items of the validation data' in report(copied, '--data', str(pikachu))
    said = error_of(['report', str(copied), '--data', str(tmp_path / 'nothing')], capsys)
    assert str(tmp_path / 'nothing') in said


def test_a_checkpoint_that_is_asked_for_must_be_whole(copied, capsys):
    for path in copied.glob('checkpoints/*/net.safetensors'):
        path.write_bytes(b'damaged')
    assert 'not evaluated: ' in report(copied)
    assert 'net.safetensors: damaged' in error_of(['report', str(copied), '--which', 'last'], capsys)


@pytest.mark.parametrize('damage, said', [
    (lambda run: (run / 'scalars.csv').write_bytes(b'\0' * 100), 'scalars.csv is damaged'),
    (lambda run: (run / 'scalars.csv').unlink(), 'scalars.csv is not there'),
    (lambda run: (run / 'samples' / 'epoch-002.jpg').write_bytes(b'\xff\xd8'), 'epoch 2 cannot be shown'),
    (lambda run: [path.write_text('{}') for path in run.glob('checkpoints/*/state.json')], 'checkpoint cannot be read'),
    (lambda run: (run / 'environment.json').write_text('no'), 'environment.json cannot be read: '),
    (lambda run: shutil.rmtree(run / 'checkpoints'), 'has no checkpoint yet')])
def test_a_damaged_run_has_a_page_that_says_so(copied, damage, said):
    damage(copied)
    page = report(copied)
    assert said in page and '<h2>Settings</h2>' in page


def test_code_of_the_users_own(copied, tmp_path, capsys):
    """It is not imported by itself; the page is there all the same."""
    settings = copied / 'settings.json'
    settings.write_text(settings.read_text().replace('"single_shot_detection"', '"my_task"').replace(
        '{\n', '{\n  "code": {"file": "mine.py", "sha256": "0"},\n', 1))
    page = report(copied)
    assert 'was made with mine.py, which is not imported by itself' in page and '<td>my_task</td>' in page
    assert f'--code {copied}/code/mine.py' in page and 'class="sample"' in page


def test_the_command_that_goes_on_does(copied, monkeypatch):
    """As it stands on the page, but for a training that is one epoch longer."""
    page = report(copied, '--no-evaluation')
    words = shlex.split(re.search(r'<code>(python -c .*?)</code>', page, re.S)[1].replace('= 4;', '= 3;'))
    assert words[:2] == ['python', '-c'] and ' = 3; ' in words[2]
    monkeypatch.setattr(sys, 'argv', ['-c', *words[3:]])
    exec(words[2], {})
    assert Run.open(copied).checkpoints()[-1].name == 'step-00000006'


@pytest.mark.parametrize('settings', [
    {'revision': 3}, {'revision': 3, 'task': {'name': ['a'], 'net': {'name': {}}}, 'fit': {}, 'val_data': {}},
    {'revision': 3, 'task': {'name': 'classification', 'net': None}, 'train_data': {'deep': None}, 'more': [[[[{}]]]]}])
def test_settings_of_no_training(copied, settings):
    """Of what cannot be made there is a page, which shows the settings."""
    deep = settings.get('train_data', {})
    for _ in range(100 if deep else 0):
        deep['deep'] = {'deep': deep['deep']}
    (copied / 'settings.json').write_text(json.dumps(settings))
    assert 'not evaluated: ' in report(copied)


@pytest.mark.parametrize('words, said', [
    (['nothing/here'], 'gluonzoo report: nothing/here: no run here: it has no settings.json'),
    (['RUN', '--out', 'FOLDER'], 'gluonzoo report: FOLDER: is a folder; must be a file, or not there'),
    (['RUN', '--out', '/dev/null'], 'gluonzoo report: /dev/null: is a device; must be a file, or not there'),
    (['RUN', '--out', 'FOLDER/file/page.html'], 'gluonzoo report: FOLDER/file: File exists'),
    (['RUN', '--set', 'task.nothing=1'], 'nothing'),
    (['RUN', '--devices', 'gpu:99'], 'gluonzoo report: --devices: gpu(99) is not there')])
def test_mistakes_are_one_line_and_leave_no_file(detector, tmp_path, capsys, words, said):
    (tmp_path / 'file').write_text('')
    words, said = ([each.replace('RUN', str(detector)).replace('FOLDER', str(tmp_path)) for each in part]
                   for part in (words, [said]))
    message = error_of(['report', *words], capsys)
    assert said[0] in message and len(message.strip().splitlines()) == 1
    assert not (detector / 'report.html').exists() and [path.name for path in tmp_path.iterdir()] == ['file']


def test_what_cannot_be_written_is_told_before_the_work(detector, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('gluonzoo.commands.report.evaluate', lambda *_: pytest.fail('the work was begun'))
    (tmp_path / 'file').write_text('')
    for out in (tmp_path / 'file' / 'page.html', tmp_path / f'{300 * "a"}.html'):
        assert str(tmp_path) in error_of(['report', str(detector), '--out', str(out)], capsys)
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def test_no_evaluation_goes_with_none_of_its_arguments(capsys):
    with pytest.raises(SystemExit):
        main(['report', 'run', '--no-evaluation', '--data', 'here'])
    assert capsys.readouterr().err.endswith('--data: is of the evaluation, and not with --no-evaluation\n')


def test_a_full_disk_leaves_the_former_page(copied, capsys):
    (copied / 'report.html').write_text('former')
    with full_disk(1000):
        check_error_is_one_line(['report', str(copied), '--no-evaluation'],
                                f'gluonzoo report: {copied}/report.html: File too large', capsys)
    assert (copied / 'report.html').read_text() == 'former' and not list(copied.glob('*.partial'))
