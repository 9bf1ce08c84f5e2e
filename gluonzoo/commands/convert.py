"""Turns official weights into a file of ours, or a network of ours into a file for the official code.

    gluonzoo convert --model unet256 --weights facades_label2photo/latest_net_G.pth --out generator.safetensors
    gluonzoo convert --model patchgan --weights latest_net_D.pth --out discriminator.safetensors \\
        --settings '{"in_channels": 3, "norm": "instance"}'
    gluonzoo convert --model unet256 --weights generator.safetensors --to-torch --out latest_net_G.safetensors

The end of its name says what the official file is:

    .weights              of darknet, as yolov3.weights and darknet53.weights
    .conv.74              of darknet, the backbone alone, to start a training from: gluonzoo train --partial
    .params               of GluonCV, as yolo3_darknet53_coco-*.params and darknet53-*.params
    .safetensors          arrays by the names of the official PyTorch code
    .pth, and any other   what torch.save(net.state_dict(), path) has written, also before PyTorch 1.6

    gluonzoo convert --model yolo3_darknet53 --weights yolov3.weights --out yolo3.safetensors
    gluonzoo convert --model yolo3_darknet53 --weights yolov3-voc.weights --out voc.safetensors \\
        --settings '{"classes": 20}'
    gluonzoo convert --model yolo3_darknet53 --weights darknet53.conv.74 --out start.safetensors
    gluonzoo convert --model yolo3_darknet53 --weights yolo3.safetensors --to-darknet --out yolov3.weights

WS-DAN's networks take whole checkpoints of GuYuc's code, and the weights that torchvision has for their backbones: the
trunk alone, to start a training from with gluonzoo train --partial.

    gluonzoo convert --model wsdan_resnet50 --weights model_bestc.ckpt --key state_dict --out birds.safetensors
    gluonzoo convert --model wsdan_resnet50 --weights resnet50-0676ba61.pth --out start.safetensors

Neither PyTorch nor darknet is needed, and nothing in a file is run. In a checkpoint of a training with PyTorch, --key
says where the weights are; in a file of several networks, --prefix says how the names of one begin::

    gluonzoo convert --model ghostnet_1_0 --weights checkpoint.pth --key state_dict --out ghostnet.safetensors
    gluonzoo convert --model unet256 --weights checkpoint.pth --key nets --prefix netG. --out generator.safetensors

Ours have the names of the network's parameters, as the files of a checkpoint do;
gluonzoo predict --model takes them, and gluonzoo train --weights. darknet's weights want pictures of RGB 0..1,
GluonCV's want ImageNet's mean and deviation taken out: our file says which, and the commands that take the file heed
it. For weights that want others, say mean and std in --settings. What --to-torch writes is for
net.load_state_dict(safetensors.torch.load_file(path)) in the official code. The output appears when all is right, or
not at all.
"""
import argparse
import json
import re
from math import prod
from pathlib import Path


def settings(text):
    """A type for argparse: a JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f'must be JSON: {error}') from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'must be a JSON object: {text}')
    if 'name' in value:
        raise argparse.ArgumentTypeError(f"must not have 'name', which --model is: {text}")
    return value


def add_arguments(parser):
    parser.add_argument('--model', required=True, help='one of gluonzoo models that has official weights')
    parser.add_argument('--settings', type=settings, default={}, metavar='JSON', help="the model's keywords")
    parser.add_argument('--weights', required=True, type=Path, metavar='FILE',
                        help='official: .weights or .conv.74 of darknet, .params of GluonCV, .pth or .safetensors of '
                        'PyTorch; with --to-torch or --to-darknet .safetensors of ours')
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--key', help='of a checkpoint: where the weights are, such as state_dict or models.generator')
    where.add_argument('--ema', action='store_true', help='of a checkpoint: the moving average of the weights')
    parser.add_argument('--prefix',
                        help='only weights whose names begin so, such as netG.; it is left out of the names')
    parser.add_argument('--allow-not-finite', action='store_true', help='take weights that are infinite or NaN')
    back = parser.add_mutually_exclusive_group()
    back.add_argument('--to-torch', action='store_true', help='from ours to theirs, for PyTorch')
    back.add_argument('--to-darknet', action='store_true', help='from ours to theirs, for darknet')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE',
                        help='.safetensors; with --to-darknet .weights')


def check(parser, args):
    suffix = '.weights' if args.to_darknet else '.safetensors'
    if args.out.suffix != suffix:
        parser.error(f'--out: must end with {suffix}: {args.out}')
    for name in ('key', 'ema', 'prefix'):
        if getattr(args, name) and (args.to_torch or args.to_darknet):
            parser.error(f'--{name}: is of official weights, not of ours')
        if getattr(args, name) and kind_of(args.weights) != 'torch':
            parser.error(f'--{name}: is of files of PyTorch: {args.weights}')


def kind_of(path):
    """The kind of an official weight file by its name: a key of :data:`gluonzoo.commands.official_weights.KINDS`."""
    if re.search(r'\.conv\.\d+$', path.name.lower()):
        return 'backbone'
    return {'.weights': 'darknet', '.params': 'gluoncv'}.get(path.suffix.lower(), 'torch')


def run(args):
    from ..convert import CONVERTED
    from .official_weights import KINDS

    if args.model not in CONVERTED:
        raise ValueError(f'--model: {args.model!r} has no official weights; there are {", ".join(CONVERTED)}')
    back = 'torch' if args.to_torch else 'darknet' if args.to_darknet else None
    kind = KINDS[back or kind_of(args.weights)]
    if args.model not in kind.models:
        others = ', '.join(sorted({other.ends for other in KINDS.values() if args.model in other.models}))
        raise ValueError(f'--model: {args.model!r} has no official weights of {kind.whose}; the names of its files end '
                         f'with {others}: {args.weights}')
    if back:
        to_official(kind, args)
    else:
        to_ours(kind, args)


def to_ours(kind, args):
    from ..convert.convention import OF_NETWORK, as_metadata
    from ..train.parameters import named_parameters

    net = initialized(args.model, {**kind.convention, **args.settings})
    names = kind.load(net, kind.models[args.model], args)
    parameters = named_parameters(net)
    arrays = {name: parameters[name].data().asnumpy() for name in names}
    own = {key: args.settings[key] for key in OF_NETWORK if key in args.settings}
    said = kind.convention or not wants_the_usual(net, args)
    write_arrays(args.out, arrays, as_metadata({'mean': net.mean, 'std': net.std, **own}) if said else {})
    tell(args, args.model, arrays.values())
    if said:
        print(f'They want (RGB of 0..255 - {list(net.mean)}) / {list(net.std)}, as the file says.')


def wants_the_usual(net, args):
    """Whether weights want pictures as the network does that is made with no more than its name."""
    from ..convert.convention import KEYWORDS, same
    from ..registry import MODELS

    defaults = MODELS.signature(args.model).parameters
    return all(same(getattr(net, key), defaults[key].default) for key in KEYWORDS if key in defaults)


def to_official(kind, args):
    from ..convert import load_own_weights, save_darknet, torch_state
    from ..convert.convention import same
    from ..files import folder_for, replacing
    from ..train.parameters import named_parameters

    net = initialized(args.model, {**_own_keywords(args), **args.settings})
    load_own_weights(net, args.weights, finite=not args.allow_not_finite)
    if args.to_torch:
        arrays = torch_state(net, kind.models[args.model](net))
        write_arrays(args.out, arrays)
        tell(args, f'{args.model}, by the official names', arrays.values())
        return
    for key, values in kind.convention.items():
        if not same(getattr(net, key), values):
            raise ValueError(f'--to-darknet: darknet puts pictures in with {key} {list(values)}; the weights in '
                             f'{args.weights} want {list(getattr(net, key))}')
    with folder_for(args.out), replacing(args.out) as (partial,):
        save_darknet(net, partial)
    tell(args, f'{args.model}, in the order of darknet', named_parameters(net).values())


def _own_keywords(args):
    """What a file of ours says of its network's keywords, of those that the model takes."""
    from ..registry import MODELS
    from .input_convention import wanted_by

    taken = MODELS.signature(args.model).parameters
    return {key: value for key, value in wanted_by(args.weights).items() if key in taken}


def initialized(model, keywords):
    from .resolve import make_network

    net = make_network(model, **keywords)
    net.initialize()
    return net


def write_arrays(path, arrays, metadata=None):
    """Writes a safetensors file whole, or leaves what is there."""
    from ..files import folder_for, replacing
    from ..train import CheckpointError, storage

    with folder_for(path), replacing(path) as (partial,):
        try:
            storage.write_arrays(partial, arrays, metadata)
        except CheckpointError as error:   # it names the file that is not finished yet
            raise CheckpointError(f'{path}: cannot be written: {error.__cause__}') from error


def tell(args, what, arrays):
    print(f'{args.out}: {len(arrays)} arrays of {what}, {sum(prod(array.shape) for array in arrays):,} numbers')
