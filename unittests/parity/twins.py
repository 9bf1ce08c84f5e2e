"""Compares a network with its twin in PyTorch: the same weights, the same outputs, the same gradients."""
import mxnet as mx
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

from gluonzoo.convert import load_weights, torch_state


def shake(twin, seed=0):
    """Gives every vector of a twin, running statistics included, values that a mistake would show in."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in [*twin.named_parameters(), *twin.named_buffers()]:
            if values.ndim == 1:
                values += .2 * torch.randn(values.shape, generator=random)
            if name.endswith('running_var'):
                values.abs_().add_(.5)


def copy_weights(twin, net, name_map):
    """Fills `net` with the weights of `twin` through the converter. -> {name in the twin: parameter of `net`}"""
    load_weights(net, {name: values.numpy() for name, values in twin.state_dict().items()}, name_map)
    parameters = net._collect_params_with_prefix()
    ours = name_map.inverse(parameters)
    return {name: parameters[ours[name]] for name, _ in twin.named_parameters()}


def check_same_state(twin, net, name_map):
    """What the converter makes of `net`, which has the weights of `twin`, is what `twin` has: all names, every bit."""
    state = torch_state(net, name_map)
    wanted = {name_map.prefix + name: values.numpy() for name, values in twin.state_dict().items()}
    assert state.keys() == wanted.keys()
    for name, array in state.items():
        assert array.dtype == wanted[name].dtype and array.shape == wanted[name].shape, name
        assert name.endswith('.num_batches_tracked') or array.tobytes() == wanted[name].tobytes(), name


def give_weights(net, twin, name_map, directory):
    """Fills `twin` with weights that `net` gets here, through the converter and a file, as the official code loads it.

    Where the names have a prefix, it is the attribute by which another module has the network there.
    """
    rng = np.random.default_rng(0)
    for name, parameter in net._collect_params_with_prefix().items():
        values = rng.normal(0, .2, parameter.shape)
        if len(parameter.shape) > 1:   # outputs neither vanish nor grow
            values *= 5 * (2 / np.prod(parameter.shape[1:])) ** .5
        elif name.endswith(('gamma', 'running_var')):
            values = abs(values) + .7
        parameter.set_data(mx.nd.array(values, dtype=parameter.dtype))
    path = directory / 'theirs.safetensors'
    safetensors.numpy.save_file(torch_state(net, name_map), path)
    module = torch.nn.ModuleDict({name_map.prefix[:-1]: twin}) if name_map.prefix else twin
    module.load_state_dict(safetensors.torch.load_file(path), strict=True)


def as_list(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def compare_outputs(twin, net, x, flip=False, tolerance=1e-4):
    """In prediction mode. The tolerance is relative to the greatest output; `flip` turns the colours for `net`."""
    twin.eval()
    with torch.no_grad():
        wanted = [out.numpy() for out in as_list(twin(torch.from_numpy(x)))]
    found = [out.asnumpy() for out in as_list(net(mx.nd.array(x[:, ::-1] if flip else x, dtype=x.dtype)))]
    assert [out.shape for out in found] == [out.shape for out in wanted]
    for a, b in zip(found, wanted):
        assert abs(b).max() > 0 and abs(a - b).max() < tolerance * abs(b).max()


def compare_gradients(twin, net, weights, x, flip=False, tolerance=1e-3):
    """In training mode, of a random weighted sum of all outputs, for every weight; relative to its greatest gradient.

    In float64, where a ReLU of the one has hardly a chance to be on while that of the other is off. (A bias in front of
    a batch normalisation has no gradient but rounding.)
    """
    rng = np.random.default_rng(0)
    twin.train()
    outputs = as_list(twin(torch.from_numpy(x)))
    heads = [rng.normal(size=tuple(out.shape)) for out in outputs]
    torch.autograd.backward(outputs, [torch.from_numpy(head) for head in heads])
    with mx.autograd.record():
        outputs = as_list(net(mx.nd.array(x[:, ::-1] if flip else x, dtype=x.dtype)))
    mx.autograd.backward(outputs, [mx.nd.array(head, dtype='float64') for head in heads])
    pairs = {name: (weights[name].grad().asnumpy(), values.grad.numpy()) for name, values in twin.named_parameters()}
    greatest = max(abs(wanted).max() for _, wanted in pairs.values())
    for name, (found, wanted) in pairs.items():
        if flip and found.ndim == 4 and found.shape[1] == 3:
            found = found[:, ::-1]
        assert abs(found - wanted).max() < tolerance * abs(wanted).max() + 1e-9 * greatest, name
