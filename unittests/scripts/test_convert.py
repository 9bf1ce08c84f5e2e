"""scripts/convert.py: from a file of PyTorch's to one of ours, or to nothing."""

import convert
import numpy as np
import pytest
import safetensors.numpy

import gluonzoo

SETTINGS = '{"in_channels": 3, "width": 4, "norm": "none"}'
OFFICIAL = {'net.0.weight': (4, 3, 1, 1), 'net.0.bias': (4,),
            'net.2.weight': (8, 4, 1, 1), 'net.5.weight': (1, 8, 1, 1)}
OURS = ['body.0.bias', 'body.0.weight', 'body.2.weight', 'body.4.weight']


@pytest.fixture
def run(tmp_path):
    """Converts weights of the shapes given; the path of the output."""
    def run(shapes, model='pixelgan', settings=SETTINGS, out='out.safetensors', prefix=''):
        rng = np.random.default_rng(0)
        run.weights = {name: rng.normal(size=shape).astype('f4') for name, shape in shapes.items()}
        safetensors.numpy.save_file({prefix + name: array for name, array in run.weights.items()},
                                    tmp_path / 'theirs.safetensors')
        convert.main(['--model', model, '--settings', settings, '--weights', str(tmp_path / 'theirs.safetensors'),
                      '--out', str(tmp_path / out)])
        return tmp_path / out
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
    convert.main(['--model', 'pixelgan', '--settings', SETTINGS, '--weights', str(tmp_path / 'theirs.pth'),
                  '--out', str(tmp_path / 'out.safetensors')])
    assert safetensors.numpy.load_file(tmp_path / 'out.safetensors')['body.2.weight'].sum() == 32


def test_nothing_is_written_if_it_does_not_fit(run, tmp_path):
    out = tmp_path / 'out.safetensors'
    out.write_text('the former one')
    with pytest.raises(gluonzoo.convert.WeightsError, match="unknown here: 'net.9.weight'"):
        run({**OFFICIAL, 'net.9.weight': (1,)})
    with pytest.raises(ValueError, match="norm: must be 'batch', 'instance' or 'none': 'layer'"):
        run(OFFICIAL, settings='{"norm": "layer"}')
    with pytest.raises(ValueError, match="unknown argument 'widht'"):
        run(OFFICIAL, settings='{"widht": 3}')
    assert out.read_text() == 'the former one'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.safetensors', 'theirs.safetensors']


@pytest.mark.parametrize('changes, message', [
    (dict(model='unet512'), "invalid choice: 'unet512'"), (dict(settings='width=4'), 'must be JSON'),
    (dict(settings='[4]'), 'must be a JSON object'), (dict(out='out.params'), 'must end with .safetensors')])
def test_arguments(run, changes, message, capsys):
    with pytest.raises(SystemExit):
        run(OFFICIAL, **changes)
    assert message in capsys.readouterr().err
