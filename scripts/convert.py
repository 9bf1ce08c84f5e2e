"""Turns weights that were trained in PyTorch into a file of ours.

    python scripts/convert.py --model unet256 --weights facades_label2photo/latest_net_G.pth --out generator.safetensors
    python scripts/convert.py --model patchgan --weights latest_net_D.pth --out discriminator.safetensors \\
        --settings '{"in_channels": 3, "norm": "instance"}'

The weights are those of the official code, as torch.save(net.state_dict(), path) or a .safetensors file holds them;
PyTorch is not needed, and nothing in the file is run. The output holds the network's parameters by their names, as the
files of a checkpoint do. It appears when all is right, or not at all.
"""
import argparse
import json
from pathlib import Path

from common import call

from gluonzoo.convert import NAME_MAPS, load_weights, read_weights, without_prefix
from gluonzoo.registry import get_model
from gluonzoo.train.storage import PARTIAL, write_arrays


def settings(text):
    """A type for argparse: a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'must be JSON: {error}') from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'must be a JSON object: {text}')
    return value


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', required=True, choices=sorted(NAME_MAPS))
    parser.add_argument('--settings', type=settings, default={}, metavar='JSON', help="the model's keywords")
    parser.add_argument('--weights', required=True, type=Path, metavar='FILE', help='.pth or .safetensors')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE', help='.safetensors')
    args = parser.parse_args(arguments)
    if args.out.suffix != '.safetensors':
        parser.error(f'--out: must end with .safetensors: {args.out}')

    net = get_model(args.model, **args.settings)
    net.initialize()
    theirs = read_weights(args.weights)
    plain = without_prefix(theirs)
    if plain is not theirs:
        print("The prefix 'module.' of all names is left out.")
    load_weights(net, plain, NAME_MAPS[args.model](net))

    arrays = {name: parameter.data().asnumpy() for name, parameter in net._collect_params_with_prefix().items()}
    partial = args.out.with_name(args.out.name + PARTIAL)
    try:
        write_arrays(partial, arrays)
        partial.replace(args.out)
    finally:
        partial.unlink(missing_ok=True)
    print(f'{args.out}: {len(arrays)} arrays of {args.model}, {sum(array.size for array in arrays.values()):,} numbers')


if __name__ == '__main__':
    call(main)
