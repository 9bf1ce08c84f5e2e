"""Between a network and the weights of the official PyTorch code."""
import numpy as np

from .errors import WeightsError
from .parameters import faults, float_parameters, put

__all__ = ['without_prefix', 'load_weights', 'torch_state']


def without_prefix(weights, prefix='module.'):
    """The weights, less a prefix that all their names have: PyTorch's DataParallel writes 'module.'.

    If not all names have the prefix, the weights are returned as they are.
    """
    if not all(name.startswith(prefix) for name in weights):
        return weights
    return {name[len(prefix):]: array for name, array in weights.items()}


def load_weights(net, weights, name_map):
    """Puts official weights into a network: all of them, or none.

    Parameters
    ----------
    net : HybridBlock
        initialized
    weights : dict of official name -> NumPy array
        see :func:`read_weights`; with the map's prefix or without it
    name_map : NameMap

    Raises
    ------
    ValueError
        if the network is not initialized
    WeightsError
        that lists every name that is unknown or missing, every shape and dtype that does not fit, and every array that
        is not finite. The network has not been changed then.
    """
    parameters = float_parameters(net)
    ours = name_map.inverse(parameters)
    weights = {name: array for name, array in without_prefix(weights, name_map.prefix).items() if name_map.uses(name)}
    found = [f'unknown here: {name!r}' for name in weights if name not in ours]
    for official, name in ours.items():
        if official not in weights:
            found.append(f'not in the file: {official!r} ({name!r})')
            continue
        shape = name_map.official_shape(name, parameters[name].shape)
        found += [f'{official!r} ({name!r}): {fault}'
                  for fault in faults(weights[official], shape, parameters[name].dtype)]
    if found:
        raise WeightsError('\n  '.join([f'the weights do not fit {type(net).__name__}:', *found]))
    put(parameters, {name: name_map.to_ours(name, weights[official]) for official, name in ours.items()})


def torch_state(net, name_map):
    """The weights of a network as the official code's ``net.load_state_dict(state, strict=True)`` takes them.

    Parameters
    ----------
    net : HybridBlock
        initialized
    name_map : NameMap

    Returns
    -------
    dict of official name -> NumPy array
        copies, in C order: ``safetensors.numpy.save_file`` writes the wrong numbers of any other order. Names have the
        map's prefix. Every batch normalisation that has running statistics gets a counter of batches, which is 0.

    Raises
    ------
    ValueError
        if the network is not initialized
    """
    parameters = float_parameters(net)
    state = {}
    for official, name in name_map.inverse(parameters).items():
        array = parameters[name].list_data()[0].asnumpy()
        state[name_map.prefix + official] = np.array(name_map.to_official(name, array), order='C')
    for official in name_map.counters(parameters):
        state[name_map.prefix + official] = np.zeros((), np.int64)
    return state
