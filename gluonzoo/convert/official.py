"""Between a network and the weights of the official PyTorch code."""
import numpy as np

from .errors import WeightsError, at_most
from .parameters import faults, float_parameters, put

__all__ = ['load_weights', 'torch_state', 'with_prefix', 'without_prefix', 'without_wrappers']

# What PyTorch's DataParallel and torch.compile put before all names.
_WRAPPERS = ('module.', '_orig_mod.')
_NAMED = 10   # beginnings of names that a message names


def without_prefix(weights, prefix='module.'):
    """The weights, less a prefix that all their names have: PyTorch's DataParallel writes 'module.'.

    If not all names have the prefix, the weights are returned as they are.
    """
    if not all(name.startswith(prefix) for name in weights):
        return weights
    return {name[len(prefix):]: array for name, array in weights.items()}


def without_wrappers(weights):
    """The weights, less what DataParallel ('module.') and torch.compile ('_orig_mod.') have put before all names.

    Returns
    -------
    dict of name -> array
    str: what has been left out, '' if nothing
    """
    left_out = ''
    while weights:
        prefix = next((prefix for prefix in _WRAPPERS if all(name.startswith(prefix) for name in weights)), None)
        if prefix is None:
            break
        weights, left_out = without_prefix(weights, prefix), left_out + prefix
    return weights, left_out


def with_prefix(weights, prefix):
    """Those of the weights whose names begin with `prefix`, less this prefix: one network of several.

    Raises WeightsError if there are none, naming how names begin.
    """
    found = {name[len(prefix):]: array for name, array in weights.items() if name.startswith(prefix)}
    if not found:
        beginnings = sorted({name.partition('.')[0] + '.' for name in weights if '.' in name})
        raise WeightsError(f'--prefix: no name begins with {prefix!r}; they begin with '
                           f'{", ".join(map(repr, beginnings[:_NAMED])) or "no prefix"}')
    return found


def load_weights(net, weights, name_map, finite=True, names=None):
    """Puts official weights into a network: all of them, or none.

    Parameters
    ----------
    net : HybridBlock
        initialized
    weights : dict of official name -> NumPy array
        see :func:`read_weights`; with the map's prefix or without it
    name_map : NameMap
    finite : bool
        whether numbers must be finite
    names : list of str, optional
        the parameters that the weights are of; default: all. The others keep their values.

    Returns
    -------
    list of the names that the network has no use for, and the map says so; without PyTorch's counters of batches

    Raises
    ------
    ValueError
        if the network is not initialized
    WeightsError
        that lists names that are unknown or missing, shapes and dtypes that do not fit, and arrays that are not finite,
        20 of them at most. The network has not been changed then.
    """
    parameters = float_parameters(net)
    ours = name_map.inverse(parameters if names is None else names)
    given = without_prefix(weights, name_map.prefix)
    weights = {name: array for name, array in given.items() if name_map.uses(name)}
    found = [f'unknown here: {name!r}' for name in weights if name not in ours]
    for official, name in ours.items():
        if official not in weights:
            found.append(f'not in the file: {official!r} ({name!r})')
            continue
        shape = name_map.official_shape(name, parameters[name].shape)
        found += [f'{official!r} ({name!r}): {fault}'
                  for fault in faults(weights[official], shape, parameters[name].dtype, finite)]
    if found:
        found = at_most(found) + _hint(weights, ours)
        raise WeightsError('\n  '.join([f'the weights do not fit {type(net).__name__}:', *found]))
    put(parameters, {name: name_map.to_ours(name, weights[official]) for official, name in ours.items()})
    return [name for name in given if name not in weights and not name_map.counts(name)]


def _hint(weights, ours):
    """What would mend it: the names are ours, or those of the official code behind a prefix."""
    if weights and set(weights) <= set(ours.values()):
        return ['these are our own names already: gluonzoo predict and train take the file as it is']
    official = max(ours, key=len, default='')
    for name in weights:
        prefix = name[:-len(official)]
        if prefix.endswith('.') and name.endswith(official) and all(prefix + other in weights for other in ours):
            return [f'--prefix {prefix} takes those that begin so']
    return []


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
