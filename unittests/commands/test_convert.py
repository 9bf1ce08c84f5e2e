"""gluonzoo convert: from an official file to one of ours and back, or to nothing."""
import json

import darknet_twin
import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from full_disk import full_disk
from run_checks import error_of
from torch_pickles import entries, function, legacy, old_storage, tensor

import gluonzoo
from gluonzoo import get_model
from gluonzoo.commands.main import main
from gluonzoo.convert import GLUONCV_MAPS

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


# -- darknet and GluonCV ---------------------------------------------------------------------------------------------

YOLO = ['convert', '--model', 'yolo3_darknet53', '--settings']
ZERO_TO_ONE = {'mean': [0, 0, 0], 'std': [255, 255, 255]}
IMAGENET = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}


def yolo(weights, out, *more, **settings):
    return main([*YOLO, json.dumps({'classes': 3, **darknet_twin.SETTINGS, **settings}), '--weights', str(weights),
                 '--out', str(out), *more])


def yolo_error(capsys, weights, out, *more, **settings):
    """The one line of an error, which leaves no file."""
    before = sorted(out.parent.iterdir())
    assert yolo(weights, out, *more, **settings) == 1
    error = capsys.readouterr().err
    assert error.startswith('gluonzoo convert: ') and error.count('\n') == 1 and sorted(out.parent.iterdir()) == before
    return error[len('gluonzoo convert: '):-1]


def metadata_of(path):
    with safetensors.safe_open(path, framework='numpy') as file:
        return json.loads(file.metadata()['network'])


@pytest.fixture
def darknet(tmp_path):
    """A .weights file of a small YOLOv3 of three classes."""
    layers = [*darknet_twin.backbone(), *darknet_twin.heads(3)]
    (tmp_path / 'net.weights').write_bytes(darknet_twin.content(layers))
    return tmp_path / 'net.weights'


def test_from_darknet_and_back(darknet, tmp_path, capsys):
    ours, back, again = (tmp_path / name for name in ('ours.safetensors', 'back.weights', 'again.safetensors'))
    assert yolo(darknet, ours) == 0
    assert capsys.readouterr().out == (
        f'{ours}: 196 arrays of yolo3_darknet53, {(darknet.stat().st_size - 20) // 4:,} numbers\n'
        'They want (RGB of 0..255 - [0, 0, 0]) / [255, 255, 255], as the file says.\n')
    assert metadata_of(ours) == ZERO_TO_ONE
    arrays = safetensors.numpy.load_file(ours)
    bias = np.frombuffer(darknet.read_bytes()[20:20 + 64], '<f4')
    np.testing.assert_array_equal(arrays['backbone.stem.norm.beta'], bias)
    assert yolo(ours, back, '--to-darknet') == 0
    assert f'{back}: 196 arrays of yolo3_darknet53, in the order of darknet, ' in capsys.readouterr().out
    assert back.read_bytes() == darknet.read_bytes()
    assert yolo(back, again) == 0
    for name, array in safetensors.numpy.load_file(again).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_from_a_backbone(tmp_path, capsys):
    (tmp_path / 'darknet53.conv.74').write_bytes(darknet_twin.content(darknet_twin.backbone()))
    out = tmp_path / 'start.safetensors'
    assert yolo(tmp_path / 'darknet53.conv.74', out) == 0
    assert 'The backbone alone: gluonzoo train --partial starts from it.\n' in capsys.readouterr().out
    arrays = safetensors.numpy.load_file(out)
    assert len(arrays) == 18 * 5 and all(name.startswith('backbone.') for name in arrays)
    assert metadata_of(out) == ZERO_TO_ONE


def test_darknet_files_that_do_not_fit(darknet, tmp_path, capsys):
    out, size = tmp_path / 'out.safetensors', darknet.stat().st_size
    assert yolo_error(capsys, darknet, out, classes=4) == (
        f'{darknet}: must have {size + 4 * 3 * (129 + 65 + 33):,} bytes for YOLO3 of 4 classes; it has {size:,}, and '
        """ends in layer 41 of 41, scales.2.output: it fits with 3 classes: --settings '{"classes": 3}'""")
    whole = darknet.read_bytes()
    for content, said in ((whole[:-4], 'ends in layer 41 of 41'), (whole + b'1234', '4 of them after the last layer'),
                          (b'\0\0\0\0\3' + whole[5:], 'header begins with 0, 3, 0'),
                          (b'PK\x03\x04' + whole[4:], 'not a file of darknet, but a PyTorch file'),
                          (whole[:-4] + np.float32('nan').tobytes(), 'scales.2.output.weight: has values that are')):
        darknet.write_bytes(content)
        error = yolo_error(capsys, darknet, out)
        assert error.startswith(f'{darknet}: ') and said in error
    assert yolo(darknet, out, '--allow-not-finite') == 0


def test_a_full_disk_leaves_no_half_of_a_darknet_file(darknet, tmp_path, capsys):
    ours, back = tmp_path / 'ours.safetensors', tmp_path / 'back.weights'
    assert yolo(darknet, ours) == 0
    capsys.readouterr()
    with full_disk(100_000):
        assert yolo_error(capsys, ours, back, '--to-darknet') == f'{back}: File too large'
    back.write_text('the former one')
    with full_disk(100_000):
        yolo_error(capsys, ours, back, '--to-darknet')
    assert back.read_text() == 'the former one'


def test_the_input_convention(darknet, tmp_path, capsys):
    """--settings say it where the official file cannot; what our file says, nobody can change."""
    ours, back = tmp_path / 'ours.safetensors', tmp_path / 'back.weights'
    assert yolo(darknet, ours, **IMAGENET) == 0
    assert metadata_of(ours) == IMAGENET and 'They want (RGB of 0..255 - [123.675, ' in capsys.readouterr().out
    error = yolo_error(capsys, ours, back, '--to-darknet')
    assert error == (f'--to-darknet: darknet puts pictures in with mean [0, 0, 0]; the weights in {ours} want '
                     '[123.675, 116.28, 103.53]')
    assert yolo(ours, back, '--to-darknet', **ZERO_TO_ONE) == 1
    assert 'mean [123.675, 116.28, 103.53] of the input in the file, [0, 0, 0] here' in capsys.readouterr().err
    # A file of a checkpoint does not say it.
    safetensors.numpy.save_file(safetensors.numpy.load_file(ours), ours)
    assert yolo(ours, back, '--to-darknet') == 0


def test_from_gluoncv(tmp_path, capsys):
    """By GluonCV's names; that these are its networks' own, test_gluoncv.py shows."""
    classifier = get_model('darknet53', classes=5, **darknet_twin.SETTINGS)
    classifier.initialize()
    ours = classifier._collect_params_with_prefix()
    theirs = {name: ours[mine].data() for name, mine in GLUONCV_MAPS['darknet53'](classifier).inverse(ours).items()}
    mx.nd.save(str(tmp_path / 'net.params'), theirs)
    words = ['convert', '--model', 'darknet53', '--weights', str(tmp_path / 'net.params'), '--out',
             str(tmp_path / 'out.safetensors'), '--settings']
    assert main([*words, json.dumps({'classes': 5, **darknet_twin.SETTINGS})]) == 0
    assert metadata_of(tmp_path / 'out.safetensors') == IMAGENET
    for name, array in safetensors.numpy.load_file(tmp_path / 'out.safetensors').items():
        np.testing.assert_array_equal(array, ours[name].data().asnumpy())
    capsys.readouterr()
    error = error_of([*words, json.dumps({'classes': 6, **darknet_twin.SETTINGS})], capsys)
    assert error == (f'gluonzoo convert: {tmp_path / "net.params"}: is of 5 classes, the network here of 6: --settings '
                     """'{"classes": 5}'\n""")


@pytest.mark.parametrize('model, weights, more, said', [
    ('ghostnet_0_5', 'x.weights', [], "'ghostnet_0_5' has no official weights of darknet; the names of its files end "
     'with .pth or .safetensors: x.weights'),
    ('ghostnet_0_5', 'X.WEIGHTS', [], "'ghostnet_0_5' has no official weights of darknet;"),
    ('ghostnet_0_5', 'x.params', [], "'ghostnet_0_5' has no official weights of GluonCV;"),
    ('yolo3_darknet53', 'x.weights.1', [], "'yolo3_darknet53' has no official weights of PyTorch; the names of its "
     'files end with .conv.74, .params, .weights: x.weights.1'),
    ('yolo3_mobilenet1_0', 'x.conv.15', [], "'yolo3_mobilenet1_0' has no official weights of darknet;"),
    ('yolo3_darknet53', 'x.pth', [], "'yolo3_darknet53' has no official weights of PyTorch;"),
    ('yolo3_darknet53', 'x.safetensors', ['--to-torch'], "'yolo3_darknet53' has no official weights of PyTorch;"),
    ('unet256', 'x.safetensors', ['--to-darknet'], "'unet256' has no official weights of darknet;")])
def test_models_and_kinds_of_files(tmp_path, capsys, model, weights, more, said):
    out = tmp_path / f'out{".weights" if "--to-darknet" in more else ".safetensors"}'
    error = error_of(['convert', '--model', model, '--weights', weights, '--out', str(out), *more], capsys)
    assert error.startswith(f'gluonzoo convert: --model: {said}')


@pytest.mark.parametrize('words, said', [
    (['--to-darknet', '--out', 'x.safetensors'], '--out: must end with .weights: x.safetensors'),
    (['--out', 'x.weights'], '--out: must end with .safetensors: x.weights'),
    (['--to-darknet', '--to-torch', '--out', 'x.weights'], '--to-torch: not allowed with argument --to-darknet'),
    (['--prefix', 'net.', '--out', 'x.safetensors'], '--prefix: is of files of PyTorch: x.weights'),
    (['--to-darknet', '--ema', '--out', 'x.weights'], '--ema: is of official weights, not of ours')])
def test_arguments_of_darknet(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['convert', '--model', 'yolo3_darknet53', '--weights', 'x.weights', *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err
