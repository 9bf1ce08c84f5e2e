"""gluonzoo/commands/user_code.py, and the way of a user with a file of their own: train, evaluate, predict, resume."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_checks import check_error_is_one_line, error_of, save_noise, scalars

import gluonzoo
from gluonzoo.commands import user_code
from gluonzoo.commands.main import main
from gluonzoo.registry import DATASETS, MODELS, TASKS, TRANSFORMS
from gluonzoo.train import Run

MY_NET = '''
"""Tells dark squares from light ones."""
from mxnet.gluon import HybridBlock, nn

from gluonzoo.registry import DATASETS, MODELS


class MyNet(HybridBlock):
    def __init__(self, classes, width):
        super().__init__()
        self.body = nn.HybridSequential()
        self.body.add(nn.Conv2D(width, 3, 2, 1, activation='relu'), nn.GlobalAvgPool2D(), nn.Dense(classes))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def my_net(classes=2, width=4):
    return MyNet(classes, width)


@DATASETS.register('my_squares')
class MySquares:
    arrays = (3, 8, 8), (1,)
    class_names = ['dark', 'light']

    def __init__(self, count):
        self.count, self.skipped = count, {}

    def __len__(self):
        return self.count

    def item(self, i, rng, out):
        image, label = out
        image[:] = rng.normal(i % 2, 1, image.shape)
        label[:] = i % 2
        return out


def add_arguments(parser):
    parser.add_argument('--width', type=int, default=4)


def settings(args):
    return {'task': {'name': 'classification', 'net': {'name': 'my_net', 'width': args.width},
                     'class_names': ['dark', 'light'], 'size': 8,
                     'optimizer': {'name': 'sgd', 'learning_rate': 0.1 if args.lr is None else args.lr}},
            'train_data': {'name': 'my_squares', 'count': 4}, 'val_data': {'name': 'my_squares', 'count': 3},
            'fit': {'batch_size': args.batch_size or 2, 'epochs': args.epochs or 1, 'schedule': {'name': 'constant'}}}
'''


def start_anew(patch):
    """What files have registered so far is forgotten when the test is over, as in a process of its own."""
    for registry in (DATASETS, MODELS, TASKS, TRANSFORMS):
        registry.names()   # loads gluonzoo's own, which are never forgotten
        patch.setattr(registry, '_targets', {name: target for name, target in registry._targets.items()
                                             if not target.__module__.startswith('gluonzoo_code_')})
    patch.setattr(user_code, '_loaded', {})
    patch.setattr(sys, 'path', list(sys.path))
    for name in [name for name in sys.modules if name.startswith('gluonzoo_code_')]:
        patch.delitem(sys.modules, name)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    start_anew(monkeypatch)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """The directory of a run of one epoch of two steps, with the file beside it."""
    folder = tmp_path_factory.mktemp('mine')
    (folder / 'my_net.py').write_text(MY_NET)
    with pytest.MonkeyPatch.context() as patch:
        start_anew(patch)
        assert main(['train', str(folder / 'my_net.py'), '--run', str(folder / 'run'), '--width', '3']) == 0
    return folder / 'run'


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


# -- a run -----------------------------------------------------------------------------------------------------------

def test_a_run_keeps_the_code(run):
    settings = Run.open(run).settings
    assert settings['code'] == {'file': 'my_net.py', 'sha256': hashlib.sha256(MY_NET.encode()).hexdigest()}
    assert (run / 'code' / 'my_net.py').read_text() == MY_NET
    assert settings['task']['net'] == {'name': 'my_net', 'width': 3}
    assert [step for step, name, _ in scalars(run) if name == 'loss'] == [1, 2]
    assert {'top1', 'top5'} <= {name for _, name, _ in scalars(run)}


def test_by_default_the_run_has_the_name_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path / 'my_net.py', MY_NET).parent)
    assert main(['train', 'my_net.py']) == 0
    assert [path.name for path in (tmp_path / 'runs').iterdir()] == ['my_net']


@pytest.mark.parametrize('command', ['evaluate', 'predict', 'export'])
def test_without_code_one_line_says_what_is_needed(run, tmp_path, capsys, command):
    save_noise(tmp_path / 'photos', {'a.png': (9, 9, 3)})
    more = {'evaluate': [], 'predict': ['--images', str(tmp_path / 'photos'), '--out', str(tmp_path / 'out')],
            'export': ['--out', str(tmp_path / 'out')]}[command]
    check_error_is_one_line([command, '--run', str(run), *more], f'gluonzoo {command}: {run}: was made with my_net.py, '
                            f'which is not imported by itself: --code my_net.py (a copy is {run}/code/my_net.py)\n',
                            capsys)
    assert 'my_net' not in MODELS.names() and not (tmp_path / 'out').exists()


def test_with_code(run, tmp_path, recwarn):
    code = ['--run', str(run), '--code', str(run / 'code' / 'my_net.py')]   # the copy is as good
    assert main(['evaluate', *code, '--json', str(tmp_path / 'found.json')]) == 0
    trained = {name: value for step, name, value in scalars(run) if step == 2}
    found = json.loads((tmp_path / 'found.json').read_text())
    assert found['top1'] == pytest.approx(trained['top1']) and found['top5'] == 1
    save_noise(tmp_path / 'photos', {'a.png': (9, 12, 3)})
    assert main(['predict', *code, '--images', str(tmp_path / 'photos'), '--out', str(tmp_path / 'out')]) == 0
    image, = json.loads((tmp_path / 'out' / 'predictions.json').read_text())['images']
    assert {each['class'] for each in image['classes']} == {'dark', 'light'}
    assert not [warning for warning in recwarn if 'has changed' in str(warning.message)]


def test_code_that_has_changed_is_warned_of(run, tmp_path):
    changed = write(tmp_path / 'my_net.py', MY_NET + '\n# better\n')
    with pytest.warns(RuntimeWarning, match=f'^{changed}: has changed since the run was begun; a copy of then is '
                                            f'{run}/code/my_net.py$'):
        assert main(['evaluate', '--run', str(run), '--code', str(changed)]) == 0


def test_resume(run, tmp_path, capsys, monkeypatch):
    """With the file that it was, wherever that is now; and not with another."""
    copy = tmp_path / 'run'
    shutil.copytree(run, copy)
    before = (copy / 'settings.json').read_bytes()
    changed = write(tmp_path / 'new' / 'my_net.py', MY_NET + '\n# better\n')
    words = ['--run', str(copy), '--resume', '--epochs', '2', '--width', '3']
    error = error_of(['train', str(changed), *words], capsys)
    assert error == (f'gluonzoo train: {copy}: cannot be resumed: my_net.py has changed since the run was begun; the '
                     'run keeps a copy, code/my_net.py\n')
    assert (copy / 'settings.json').read_bytes() == before and len(scalars(copy)) == len(scalars(run))
    start_anew(monkeypatch)
    assert main(['train', str(write(tmp_path / 'old' / 'my_net.py', MY_NET)), *words]) == 0
    assert [step for step, name, _ in scalars(copy) if name == 'loss'] == [1, 2, 3, 4]


# -- a file that cannot be used --------------------------------------------------------------------------------------

def test_a_file_that_raises_shows_its_own_traceback(tmp_path, capsys):
    file = write(tmp_path / 'my_net.py', 'def inner():\n    return {}["missing"]\n\n\ninner()\n')
    error = error_of(['train', str(file)], capsys)
    lines = error.splitlines()
    assert lines[0] == f'gluonzoo train: {file}: cannot be imported:' and lines[-1] == "KeyError: 'missing'"
    assert f'File "{file}", line 5, in <module>' in error and f'File "{file}", line 2, in inner' in error
    assert error.count('Traceback') == 1 and str(Path(gluonzoo.__file__).parent) not in error
    assert 'gluonzoo_code_my_net' not in sys.modules


def test_a_file_with_a_syntax_error(tmp_path, capsys):
    file = write(tmp_path / 'my_net.py', 'x = 1\ndef settings(args:\n')
    error = error_of(['train', str(file)], capsys)
    assert error.startswith(f'gluonzoo train: {file}: cannot be imported:\n') and f'File "{file}", line 2' in error
    assert 'SyntaxError: ' in error.splitlines()[-1] and str(Path(gluonzoo.__file__).parent) not in error


def test_a_file_that_registers_what_is_there(tmp_path, capsys):
    file = write(tmp_path / 'my_net.py', 'from gluonzoo.registry import MODELS\n\n\n@MODELS.register\n'
                                         'def unet256():\n    pass\n')
    assert error_of(['train', str(file)], capsys).endswith(
        "ValueError: model 'unet256' is registered already, by gluonzoo.models.unet\n")


@pytest.mark.parametrize('place, raised, said', [
    ('        image, label = out\n', 'raise ValueError("mine")', 'ValueError: mine'),   # in a thread of the loader
    ('        image, label = out\n', 'np.zeros(3)[:] = np.zeros(4)', 'ValueError: could not broadcast'),
    ('        image, label = out\n', 'open("/none")', 'FileNotFoundError: '),
    ('    def __init__(self, classes, width):\n', '{}["mine"]', "KeyError: 'mine'"),
    ('def settings(args):\n', 'part.fail()', 'ValueError: of a file beside it')])
def test_what_it_raises_later_has_its_own_traceback(tmp_path, capsys, place, raised, said):
    indent = ' ' * (len(place) - len(place.lstrip()) + 4 * place.rstrip().endswith(':'))
    write(tmp_path / 'part_of_mine.py', 'def fail():\n    raise ValueError("of a file beside it")\n')
    text = MY_NET.replace('from mxnet', 'import numpy as np\nimport part_of_mine as part\nfrom mxnet', 1)
    file = write(tmp_path / 'my_net.py', text.replace(place, f'{place}{indent}{raised}\n'))
    error = error_of(['train', str(file), '--run', str(tmp_path / 'run')], capsys)
    lines = error.splitlines()
    assert lines[0] == 'gluonzoo train: Traceback (most recent call last):' and lines[-1].startswith(said), error
    assert f'File "{file}"' in lines[1] and raised in error and str(Path(gluonzoo.__file__).parent) not in error


def test_what_we_say_of_its_use_is_one_line(tmp_path, capsys):
    text = 'from gluonzoo.data import CocoDetection\n\n\ndef settings(args):\n    CocoDetection("/none.json")\n'
    check_error_is_one_line(['train', str(write(tmp_path / 'my_net.py', text))],
                            'gluonzoo train: /none.json: no such file', capsys)


@pytest.mark.parametrize('text', ['', 'settings = 3'])
def test_a_file_without_settings(tmp_path, capsys, text):
    file = write(tmp_path / 'my_net.py', text)
    check_error_is_one_line(['train', str(file)], f'gluonzoo train: {file}: must define settings(args), which returns '
                            'the settings of a training\n', capsys)


def test_a_file_that_is_not_there(tmp_path, capsys):
    file = tmp_path / 'my_net.py'
    check_error_is_one_line(['train', str(file)], f'gluonzoo train: {file}: No such file or directory\n', capsys)
    check_error_is_one_line(['train', 'my_net'], "gluonzoo train: recipe: unknown 'my_net'; there are ", capsys)


def test_a_pipe_is_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / 'my_net.py')
    check_error_is_one_line(['train', str(tmp_path / 'my_net.py')],
                            f'gluonzoo train: {tmp_path}/my_net.py: is a pipe; must be an ordinary file\n', capsys)


def test_a_file_that_is_not_python(run, tmp_path, capsys):
    file = write(tmp_path / 'my_net.txt', MY_NET)
    check_error_is_one_line(['evaluate', '--run', str(run), '--code', str(file)],
                            f'gluonzoo evaluate: {file}: must be a Python file, with a name that ends with .py', capsys)


GOOD = ("{'task': {'name': 'classification'}, 'train_data': {'name': 'x'}, 'val_data': {'name': 'x'}, "
        "'fit': {'batch_size': 2, 'epochs': 1, 'schedule': {'name': 'constant'}}}")


@pytest.mark.parametrize('returned, said', [
    ('None', "must return a dict with a dict 'task'"), ('[3]', "must return a dict with a dict 'task'"),
    ('{}', "must return a dict with a dict 'task'"), ("{'task': 'dsod'}", "must return a dict with a dict 'task'"),
    ("{'task': {}}", "must have 'task' with 'name'"),
    (f"{{**{GOOD}, 'val_data': {{}}}}", "must have 'val_data' with 'name'"),
    (f"{{**{GOOD}, 'fit': {{'batch_size': 2, 'epochs': 1}}}}", "must have 'fit' with 'schedule'"),
    (f"{{**{GOOD}, 'fits': {{}}}}", "has an unknown 'fits'; known are task, train_data, val_data, engine, fit"),
    (f"{{**{GOOD}, 'fit': {{**{GOOD}['fit'], 'emma': .9}}}}", "has an unknown 'fit.emma'; known are batch_size, "),
    (f"{{**{GOOD}, 'engine': {{'clip': 1}}}}", "has an unknown 'engine.clip'; known are devices, "),
    (f"{{**{GOOD}, 'engine': 3}}", "must return a dict with a dict 'engine'"),
    (GOOD, "unknown dataset 'x'; known: "), (GOOD.replace("'classification'", "'classify'"), "unknown task 'classify'"),
    (GOOD.replace("'x'", "'coco_detection'"), "dataset 'coco_detection': missing a required argument: 'path'")])
def test_settings_that_are_none(tmp_path, capsys, returned, said):
    file = write(tmp_path / 'my_net.py', f'def settings(args):\n    return {returned}\n')
    error = error_of(['train', str(file), '--run', str(tmp_path / 'run')], capsys)
    assert error.startswith('gluonzoo train: ') and said in error and error.count('\n') == 1
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('net, said', [
    ("{'name': 'my_netto'}", "unknown model 'my_netto'; did you mean my_net"),
    ("{'width': 3}", "must be a dict with a 'name'"),
    ("'my_net'", ": 'my_net'"), ('None', 'task.net: must be a dict')])
def test_networks_that_are_none(tmp_path, capsys, net, said):
    text = MY_NET.replace("{'name': 'my_net', 'width': args.width}", net)
    assert text != MY_NET
    file = write(tmp_path / 'my_net.py', text)
    error = error_of(['train', str(file), '--run', str(tmp_path / 'run')], capsys)
    assert said in error and error.count('\n') == 1 and not (tmp_path / 'run').exists()


def test_weights_need_a_network(tmp_path, capsys):
    file = write(tmp_path / 'my_net.py', MY_NET.replace("'net': {'name': 'my_net', 'width': args.width},", ''))
    check_error_is_one_line(['train', str(file), '--run', str(tmp_path / 'run'), '--weights', 'x'],
                            "gluonzoo train: --weights: settings(args) has no network 'net'", capsys)


# -- the import ------------------------------------------------------------------------------------------------------

def test_a_file_is_imported_once(tmp_path):
    file = write(tmp_path / 'my_net.py', 'x = object()')
    code = user_code.load(file)
    assert user_code.load(tmp_path / '..' / tmp_path.name / 'my_net.py') is code
    assert (code.path, code.content) == (file, b'x = object()')
    assert code.settings == {'file': 'my_net.py', 'sha256': hashlib.sha256(b'x = object()').hexdigest()}


def test_two_files_of_one_name(tmp_path):
    codes = [user_code.load(write(tmp_path / folder / 'my_net.py', f'x = {folder!r}')) for folder in 'ab']
    assert [code.module.x for code in codes] == ['a', 'b']
    assert all(sys.modules[code.module.__name__] is code.module for code in codes)


def test_a_file_is_a_module_like_others(tmp_path):
    """dataclasses and pickle look it up; what it raises later is named by its lines."""
    file = write(tmp_path / 'my_net.py', 'from __future__ import annotations\nimport dataclasses\nimport pickle\n\n\n'
                 '@dataclasses.dataclass\nclass Numbers:\n    width: int = 3\n\n\n'
                 'def again():\n    return pickle.loads(pickle.dumps(Numbers(4)))\n')
    module = user_code.load(file).module
    assert module.again() == module.Numbers(4) and module.__file__ == str(file) and module.__name__ != '__main__'


def test_files_beside_it(tmp_path, monkeypatch):
    """Those of its folder can be imported, at the start and later; and they hide nothing that is installed."""
    monkeypatch.chdir('/')
    write(tmp_path / 'my_first_part.py', 'x = 1')
    write(tmp_path / 'my_second_part.py', 'x = 2')
    write(tmp_path / 'json.py', 'raise RuntimeError')
    write(tmp_path / 'argparse.py', 'raise RuntimeError')
    file = write(tmp_path / 'my_net.py', 'import json\nimport my_first_part\n\n\n'
                 'def settings(args):\n    import argparse\n    import my_second_part\n'
                 '    return my_first_part.x, my_second_part.x\n')
    assert user_code.load(file).module.settings(None) == (1, 2)


# -- as a program ----------------------------------------------------------------------------------------------------

def test_the_process_ends_with_exit_code_1_and_no_traceback_of_ours(tmp_path):
    file = write(tmp_path / 'my_net.py', 'raise TypeError("mine")\n')
    done = subprocess.run([sys.executable, '-m', 'gluonzoo.commands.main', 'train', str(file)], capture_output=True,
                          text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == 'TypeError: mine'
    assert done.stderr.count('Traceback') == 1 and str(Path(gluonzoo.__file__).parent) not in done.stderr
