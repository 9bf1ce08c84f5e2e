"""From the names of other libraries' weights to ours."""
import re

import mxnet as mx
import numpy as np

from .errors import WeightsError

__all__ = ['NameMap', 'without_prefix', 'load_weights']

# PyTorch's last part of a name, and what Gluon's layers call the same.
_LEAVES = {
    'weight': ('weight', 'gamma', 'alpha'),   # of convolutions and dense layers, of normalisations, of PReLU
    'bias': ('bias', 'beta'),
}

# How often a batch normalisation has been trained, which MXNet does not count.
_UNUSED = r'.*\.num_batches_tracked'


class NameMap:
    """Which of our parameters each weight of a file is.

    Parameters
    ----------
    rules : list of (pattern, replacement)
        as :func:`re.sub` takes them. They are applied one after the other, all of them, to the whole name. The last
        part of it then becomes what our layer calls it: 'weight' of a normalisation is 'gamma', 'bias' is 'beta'.
    unused : list of pattern
        whole names of the file (:func:`re.fullmatch`) that our network has no use for. The counts of batches that
        PyTorch's normalisations keep are always among them.
    transforms : dict of our name -> function of an array
        for the weights that are laid out in another way

    Examples
    --------
    >>> NameMap([(r'^features\\.(\\d+)\\.', r'body.\\1.')]).name('features.3.bias', {'body.3.beta'})
    'body.3.beta'
    """

    def __init__(self, rules, unused=(), transforms=None):
        self._rules = [(re.compile(pattern), replacement) for pattern, replacement in rules]
        self._unused = [re.compile(pattern) for pattern in (_UNUSED, *unused)]
        self._transforms = transforms or {}

    def uses(self, name):
        """Whether the weight `name` of the file is one of ours at all."""
        return not any(pattern.fullmatch(name) for pattern in self._unused)

    def name(self, name, ours):
        """Which of our names, `ours`, the weight `name` of the file is; None if it is none of them."""
        for pattern, replacement in self._rules:
            name = pattern.sub(replacement, name)
        path, dot, leaf = name.rpartition('.')
        found = [path + dot + our_leaf for our_leaf in _LEAVES.get(leaf, (leaf,)) if path + dot + our_leaf in ours]
        return found[0] if len(found) == 1 else None

    def transform(self, ours, array):
        """The array of the file as our parameter `ours` has it."""
        return self._transforms[ours](array) if ours in self._transforms else array


def without_prefix(weights, prefix='module.'):
    """The weights, less a prefix that all their names have: PyTorch's DataParallel writes 'module.'.

    If it is not all of them, the weights as they are.
    """
    if not all(name.startswith(prefix) for name in weights):
        return weights
    return {name[len(prefix):]: array for name, array in weights.items()}


def load_weights(net, weights, name_map):
    """Puts the weights of another library into a network: all of them, or none.

    Parameters
    ----------
    net : HybridBlock
        initialized
    weights : dict of name -> NumPy array
        see :func:`read_weights`
    name_map : NameMap

    Raises
    ------
    ValueError
        if the network is not initialized
    WeightsError
        that lists every name that is unknown or missing, every shape and dtype that does not fit, and every array that
        is not finite. The network has not been changed then.
    """
    parameters = net._collect_params_with_prefix()
    if any(parameter._data is None for parameter in parameters.values()):
        raise ValueError('net: must be initialized, with the shapes of all parameters known')
    sources, unknown = {}, []
    for name in filter(name_map.uses, weights):
        ours = name_map.name(name, parameters)
        sources.setdefault(ours, []).append(name) if ours else unknown.append(name)
    faults = [f'unknown here: {name!r}' for name in unknown]
    faults += [f'not in the file: {name!r}' for name in parameters if name not in sources]
    arrays = {}
    for ours, names in sources.items():
        if len(names) > 1:
            faults.append(f'{ours!r} is more than one: {", ".join(map(repr, names))}')
            continue
        arrays[ours] = name_map.transform(ours, weights[names[0]])
        faults += [f'{names[0]!r} ({ours!r}): {fault}' for fault in _faults(arrays[ours], parameters[ours])]
    if faults:
        raise WeightsError('\n  '.join([f'the weights do not fit {type(net).__name__}:', *faults]))
    for ours, array in arrays.items():
        parameters[ours].set_data(mx.nd.array(array, dtype=parameters[ours].dtype))


def _faults(array, parameter):
    if array.shape != parameter.shape:
        yield f'shape {array.shape} in the file, {parameter.shape} here'
    elif array.dtype.kind != 'f':
        yield f'dtype {array.dtype} in the file, {np.dtype(parameter.dtype)} here'
    elif not np.isfinite(array.astype(parameter.dtype)).all():
        yield 'has values that are not finite'
