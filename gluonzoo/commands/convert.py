"""Turns weights of the official PyTorch code into a file of ours, or a network of ours into one for that code.

    gluonzoo convert --model unet256 --weights facades_label2photo/latest_net_G.pth --out generator.safetensors
    gluonzoo convert --model patchgan --weights latest_net_D.pth --out discriminator.safetensors \\
        --settings '{"in_channels": 3, "norm": "instance"}'
    gluonzoo convert --model unet256 --weights generator.safetensors --to-torch --out latest_net_G.safetensors

Theirs are read as torch.save(net.state_dict(), path) or a .safetensors file holds them; PyTorch is not needed, and
nothing in the file is run. Ours have the names of the network's parameters, as the files of a checkpoint do;
gluonzoo predict --model takes them, and gluonzoo train --weights. What --to-torch writes is for
net.load_state_dict(safetensors.torch.load_file(path)) in the official code. The output appears when all is right, or
not at all.
"""
import argparse
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
    parser.add_argument('--to-torch', action='store_true', help='from ours to theirs')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE', help='.safetensors')


def check(parser, args):
    if args.out.suffix != '.safetensors':
        parser.error(f'--out: must end with .safetensors: {args.out}')


def run(args):
    from ..convert import NAME_MAPS, load_own_weights, load_weights, read_weights, torch_state, without_prefix
    from ..files import replacing
    from ..train.parameters import named_parameters
    from ..train.storage import write_arrays
    from .resolve import make_network

    if args.model not in NAME_MAPS:
        raise ValueError(f'--model: {args.model!r} has no official weights; there are {", ".join(sorted(NAME_MAPS))}')
    net = make_network(args.model, **args.settings)
    net.initialize()
    name_map = NAME_MAPS[args.model](net)
    if args.to_torch:
        load_own_weights(net, args.weights)
        arrays = torch_state(net, name_map)
    else:
        theirs = read_weights(args.weights)
        plain = without_prefix(theirs)
        if plain is not theirs:
            print("The prefix 'module.' of all names is left out.")
        load_weights(net, plain, name_map)
        arrays = {name: parameter.data().asnumpy() for name, parameter in named_parameters(net).items()}
    with replacing(args.out) as (partial,):
        write_arrays(partial, arrays)
    whose = f'{args.model}, by the official names' if args.to_torch else args.model
    print(f'{args.out}: {len(arrays)} arrays of {whose}, {sum(array.size for array in arrays.values()):,} numbers')
