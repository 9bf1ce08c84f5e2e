"""gluonzoo convert: from a file of PyTorch's to one of ours and back, or to nothing."""
import numpy as np
import pytest
import safetensors.numpy
from full_disk import full_disk
from run_checks import error_of
from torch_pickles import entries, function, legacy, old_storage, tensor

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


def convert(tmp_path, weights, *more):
    return main(['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--weights', str(weights),
                 '--out', str(tmp_path / 'out.safetensors'), *more])


def state_of(names, number):
    """As a part of a pickle: weights by official names, whose storages are all of one value."""
    storage = old_storage(number, length=32)
    return entries({name: tensor(shape, np.cumprod((1, *shape[:0:-1]))[::-1].tolist(), 0, storage)
                    for name, shape in names.items()})


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint in the format before PyTorch 1.6: weights of 1 in state_dict, and as ema of 2; a network besides."""
    net = function('networks', 'PixelDiscriminator') + b')\x81}b'
    names = {f'module.netD.{name}': shape for name, shape in {**OFFICIAL, 'total_ops': (1,)}.items()}
    others = {'module.netG.weight': (2, 2)}
    content = entries({'epoch': b'K\x03', 'net': net, 'state_dict': state_of({**names, **others}, '0'),
                       'model_ema': state_of({**names, **others}, '1')})
    storages = {str(i): np.full(32, i + 1, '<f4').tobytes() for i in range(2)}
    (tmp_path / 'checkpoint.pth').write_bytes(legacy(b'\x80\x02' + content + b'.', storages))
    return tmp_path / 'checkpoint.pth'


@pytest.mark.parametrize('where, value', [(['--key', 'state_dict'], 1), (['--ema'], 2)])
def test_a_network_of_a_checkpoint(tmp_path, checkpoint, capsys, where, value):
    assert convert(tmp_path, checkpoint, *where, '--prefix', 'netD.') == 0
    arrays = safetensors.numpy.load_file(tmp_path / 'out.safetensors')
    assert sorted(arrays) == OURS and all((array == value).all() for array in arrays.values())
    assert capsys.readouterr().out == (
        "5 of 6 names begin with 'netD.'; the others are left out.\nThe prefix 'module.' of all names is left out.\n"
        'Ignored, since pixelgan has no use for them: 1 total_ops\n'
        f'{tmp_path / "out.safetensors"}: 4 arrays of pixelgan, 56 numbers\n')


@pytest.mark.parametrize('options, said', [
    ([], "not a state_dict by itself: 'epoch' (int), 'net' (networks.PixelDiscriminator), 'state_dict' (dict), "
         "'model_ema' (dict) not being tensors. Weights are here: --key state_dict or --key model_ema\n"),
    (['--key', 'net'], '--key net: holds what networks.PixelDiscriminator would make, such as a whole network'),
    (['--ema', '--prefix', 'nets.'], "--prefix: no name begins with 'nets.'; they begin with 'netD.', 'netG.'\n"),
    (['--ema'], '\n  --prefix netD. takes those that begin so\n')])
def test_what_a_checkpoint_is_not(tmp_path, checkpoint, capsys, options, said):
    error = error_of(['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--weights', str(checkpoint), '--out',
                      str(tmp_path / 'out.safetensors'), *options], capsys)
    assert error.startswith('gluonzoo convert: ') and said in error
    assert not (tmp_path / 'out.safetensors').exists()


def test_weights_that_are_not_finite(run, tmp_path, capsys):
    ours = run(OFFICIAL)
    theirs = {**run.weights, 'net.0.bias': np.array([1, np.nan, 2, 3], 'f4')}
    safetensors.numpy.save_file(theirs, tmp_path / 'theirs.safetensors')
    assert convert(tmp_path, tmp_path / 'theirs.safetensors') == 1
    assert "'net.0.bias' ('body.0.bias'): has values that are not finite" in capsys.readouterr().err
    assert np.isfinite(safetensors.numpy.load_file(ours)['body.0.bias']).all()   # the former file
    assert convert(tmp_path, tmp_path / 'theirs.safetensors', '--allow-not-finite') == 0
    np.testing.assert_array_equal(safetensors.numpy.load_file(ours)['body.0.bias'], theirs['net.0.bias'])
    assert convert(tmp_path, ours, '--to-torch') == 1
    assert "'body.0.bias': has values that are not finite" in capsys.readouterr().err
    assert convert(tmp_path, ours, '--to-torch', '--allow-not-finite') == 0
    np.testing.assert_array_equal(safetensors.numpy.load_file(ours)['net.0.bias'], theirs['net.0.bias'])


def test_arguments_of_checkpoints(tmp_path, capsys):
    for words, said in ((['--to-torch', '--key', 'x'], '--key: is of official weights, not of ours'),
                        (['--to-torch', '--prefix', 'x.'], '--prefix: is of official weights'),
                        (['--ema', '--key', 'x'], '--key: not allowed with argument --ema')):
        with pytest.raises(SystemExit):
            convert(tmp_path, 'x.pth', *words)
        assert said in capsys.readouterr().err


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


def test_a_full_disk_leaves_the_former_file(run, tmp_path, capsys):
    for folder, there in ((tmp_path / 'new', []), (tmp_path, ['out.safetensors', 'theirs.safetensors'])):
        out = folder / 'out.safetensors'
        if there:
            out.write_text('the former one')
        words = ['convert', '--model', 'pixelgan', '--settings', SETTINGS, '--weights',
                 str(tmp_path / 'theirs.safetensors'), '--out', str(out)]
        run(OFFICIAL, out='theirs_too.safetensors')
        (tmp_path / 'theirs_too.safetensors').unlink()
        with full_disk(100):
            error = error_of(words, capsys)
        assert error.startswith(f'gluonzoo convert: {out}: cannot be written: ') and error.count('\n') == 1
        assert 'File too large' in error and (sorted(path.name for path in folder.iterdir()) if folder.exists()
                                              else []) == there
    assert out.read_text() == 'the former one'


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
