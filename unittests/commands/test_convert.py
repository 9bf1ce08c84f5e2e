"""gluonzoo convert: from a file of PyTorch's to one of ours and back, or to nothing."""
import numpy as np
import pytest
import safetensors.numpy
from run_checks import error_of

import gluonzoo
from gluonzoo.commands.main import main

SETTINGS = '{"in_channels": 3, "width": 4, "norm": "none"}'
OFFICIAL = {'net.0.weight': (4, 3, 1, 1), 'net.0.bias': (4,),
            'net.2.weight': (8, 4, 1, 1), 'net.5.weight': (1, 8, 1, 1)}
OURS = ['body.0.bias', 'body.0.weight', 'body.2.weight', 'body.4.weight']


@pytest.fixture
def run(tmp_path):
    """Converts weights of the shapes given; the path of the output, or what main returns that is not 0."""
    def run(shapes, model='pixelgan', settings=SETTINGS, out='out.safetensors', prefix=''):
        rng = np.random.default_rng(0)
        run.weights = {name: rng.normal(size=shape).astype('f4') for name, shape in shapes.items()}
        safetensors.numpy.save_file({prefix + name: array for name, array in run.weights.items()},
                                    tmp_path / 'theirs.safetensors')
        return main(['convert', '--model', model, '--settings', settings, '--weights',
                     str(tmp_path / 'theirs.safetensors'), '--out', str(tmp_path / out)]) or tmp_path / out
    return run


def test_output_holds_the_parameters_by_their_names(run, capsys):
    out = run(OFFICIAL)
    arrays = safetensors.numpy.load_file(out)
    assert sorted(arrays) == OURS
    np.testing.assert_array_equal(arrays['body.4.weight'], run.weights['net.5.weight'])
    assert capsys.readouterr().out == f'{out}: 4 arrays of pixelgan, 56 numbers\n'
    net = gluonzoo.get_model('pixelgan', in_channels=3, width=4, norm='none')
    assert sorted(net._collect_params_with_prefix()) == OURS
    assert sorted(path.name for path in out.parent.iterdir()) == ['out.safetensors', 'theirs.safetensors']


def test_prefix_is_left_out_and_said(run, capsys):
    arrays = safetensors.numpy.load_file(run(OFFICIAL, prefix='module.'))
    np.testing.assert_array_equal(arrays['body.0.bias'], run.weights['net.0.bias'])
    assert "'module.' of all names is left out" in capsys.readouterr().out


def test_a_pth_file(tmp_path):
    torch = pytest.importorskip('torch')
    torch.save({name: torch.ones(shape) for name, shape in OFFICIAL.items()}, tmp_path / 'theirs.pth')
    assert main(['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--weights', str(tmp_path / 'theirs.pth'),
                 '--out', str(tmp_path / 'out.safetensors')]) == 0
    assert safetensors.numpy.load_file(tmp_path / 'out.safetensors')['body.2.weight'].sum() == 32


def test_back_to_torch(run, tmp_path, capsys):
    """All arrays as they were, by the official names."""
    ours = run(OFFICIAL)
    capsys.readouterr()
    back = tmp_path / 'back.safetensors'
    assert main(['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--weights', str(ours), '--to-torch',
                 '--out', str(back)]) == 0
    assert capsys.readouterr().out == f'{back}: 4 arrays of pixelgan, by the official names, 56 numbers\n'
    arrays = safetensors.numpy.load_file(back)
    assert arrays.keys() == OFFICIAL.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, run.weights[name])


def test_to_torch_takes_ours_alone(run, tmp_path, capsys):
    run(OFFICIAL)
    error = error_of(['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--to-torch',
                      '--weights', str(tmp_path / 'theirs.safetensors'), '--out', str(tmp_path / 'back.safetensors')],
                     capsys)
    assert "unknown here: 'net.0.weight'" in error and "not in the file: 'body.0.weight'" in error
    assert not (tmp_path / 'back.safetensors').exists()


def test_nothing_is_written_if_it_does_not_fit(run, tmp_path, capsys):
    out = tmp_path / 'out.safetensors'
    out.write_text('the former one')
    for shapes, settings, said in (
            ({**OFFICIAL, 'net.9.weight': (1,)}, SETTINGS, "unknown here: 'net.9.weight'"),
            (OFFICIAL, '{"norm": "layer"}', "norm: must be 'batch', 'instance' or 'none': 'layer'"),
            (OFFICIAL, '{"widht": 3}', "unknown argument 'widht'")):
        assert run(shapes, settings=settings) == 1
        error = capsys.readouterr().err
        assert error.startswith('gluonzoo convert: ') and said in error
    assert out.read_text() == 'the former one'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.safetensors', 'theirs.safetensors']


def test_weights_that_are_not_there(tmp_path, capsys):
    error = error_of(['convert', '--model', 'pixelgan', '--weights', str(tmp_path / 'none.pth'),
                      '--out', str(tmp_path / 'out.safetensors')], capsys)
    assert error.startswith('gluonzoo convert: ') and 'none.pth' in error and error.count('\n') == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('model', ['unet512', 'dsod300'])   # unknown; without official weights
def test_models(run, model, capsys):
    assert run(OFFICIAL, model=model) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"gluonzoo convert: --model: '{model}' has no official weights; there are centernet_")
    assert 'unet256' in error and error.count('\n') == 1


@pytest.mark.parametrize('changes, message', [
    (dict(settings='width=4'), 'must be JSON'), (dict(settings='[' * 100_000), 'must be JSON'),
    (dict(settings='[4]'), 'must be a JSON object'),
    (dict(settings='{"name": "x"}'), "must not have 'name', which --model is"),
    (dict(out='out.params'), 'must end with .safetensors')])
def test_arguments(run, changes, message, capsys):
    with pytest.raises(SystemExit) as ended:
        run(OFFICIAL, **changes)
    assert ended.value.code == 2 and message in capsys.readouterr().err
