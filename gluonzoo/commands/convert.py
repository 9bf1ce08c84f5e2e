"""Turns weights of the official PyTorch code into a file of ours, or a network of ours into one for that code.

    gluonzoo convert --model unet256 --weights facades_label2photo/latest_net_G.pth --out generator.safetensors
    gluonzoo convert --model patchgan --weights latest_net_D.pth --out discriminator.safetensors \\
        --settings '{"in_channels": 3, "norm": "instance"}'
    gluonzoo convert --model unet256 --weights generator.safetensors --to-torch --out latest_net_G.safetensors

Theirs are read as torch.save(net.state_dict(), path) or a .safetensors file holds them; PyTorch is not needed, and
nothing in the file is run. Files from before PyTorch 1.6 are read too. In a checkpoint of a training, --key says where
the weights are; in a file of several networks, --prefix says how the names of one begin::

    gluonzoo convert --model ghostnet_1_0 --weights checkpoint.pth --key state_dict --out ghostnet.safetensors
    gluonzoo convert --model unet256 --weights checkpoint.pth --key nets --prefix netG. --out generator.safetensors

Ours have the names of the network's parameters, as the files of a checkpoint do;
gluonzoo predict --model takes them, and gluonzoo train --weights. What --to-torch writes is for
net.load_state_dict(safetensors.torch.load_file(path)) in the official code. The output appears when all is right, or
not at all.
"""
import argparse
from collections import Counter
from pathlib import Path


def settings(text):
    """A type for argparse: a JSON object."""
    import json

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
                        help='.pth or .safetensors of the official code; with --to-torch .safetensors of ours')
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--key', help='of a checkpoint: where the weights are, such as state_dict or models.generator')
    where.add_argument('--ema', action='store_true', help='of a checkpoint: the moving average of the weights')
    parser.add_argument('--prefix',
                        help='only weights whose names begin so, such as netG.; it is left out of the names')
    parser.add_argument('--allow-not-finite', action='store_true', help='take weights that are infinite or NaN')
    parser.add_argument('--to-torch', action='store_true', help='from ours to theirs')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE', help='.safetensors')


def check(parser, args):
    if args.out.suffix != '.safetensors':
        parser.error(f'--out: must end with .safetensors: {args.out}')
    for name in ('key', 'ema', 'prefix'):
        if args.to_torch and getattr(args, name):
            parser.error(f'--{name}: is of official weights, not of ours')


def run(args):
    from ..convert import NAME_MAPS, load_own_weights, torch_state
    from ..files import folder_for, replacing
    from ..train import CheckpointError
    from ..train.parameters import named_parameters
    from ..train.storage import write_arrays
    from .resolve import make_network

    if args.model not in NAME_MAPS:
        raise ValueError(f'--model: {args.model!r} has no official weights; there are {", ".join(sorted(NAME_MAPS))}')
    net = make_network(args.model, **args.settings)
    net.initialize()
    name_map = NAME_MAPS[args.model](net)
    if args.to_torch:
        load_own_weights(net, args.weights, finite=not args.allow_not_finite)
        arrays = torch_state(net, name_map)
    else:
        load_official(net, name_map, args)
        arrays = {name: parameter.data().asnumpy() for name, parameter in named_parameters(net).items()}
    with folder_for(args.out), replacing(args.out) as (partial,):
        try:
            write_arrays(partial, arrays)
        except CheckpointError as error:   # it names the file that is not finished yet
            raise CheckpointError(f'{args.out}: cannot be written: {error.__cause__}') from error
    whose = f'{args.model}, by the official names' if args.to_torch else args.model
    print(f'{args.out}: {len(arrays)} arrays of {whose}, {sum(array.size for array in arrays.values()):,} numbers')


def load_official(net, name_map, args):
    """Puts the official weights that the arguments name into a network, and says what is left out."""
    from ..convert import load_weights, read_weights, with_prefix, without_wrappers

    weights, wrappers = without_wrappers(read_weights(args.weights, args.key, args.ema))
    if args.prefix:
        total = len(weights)
        weights, more = without_wrappers(with_prefix(weights, args.prefix))
        wrappers += more
        print(f'{len(weights)} of {total} names begin with {args.prefix!r}; the others are left out.')
    if wrappers:
        print(f'The prefix {wrappers!r} of all names is left out.')
    ignored = load_weights(net, weights, name_map, finite=not args.allow_not_finite)
    if ignored:
        kinds = Counter(name.rpartition('.')[2] for name in ignored)
        said = ', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))
        print(f'Ignored, since {args.model} has no use for them: {said}')
