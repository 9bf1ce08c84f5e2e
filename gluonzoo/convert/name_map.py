"""The official name of each of our parameters. The rules stand here once, and serve both directions."""
import re
from typing import Callable, NamedTuple

import numpy as np

__all__ = ['NameMap', 'Transform']

# The last part of a name in Gluon -> in PyTorch: of normalisations, and of PReLU.
_PYTORCH = {'gamma': 'weight', 'beta': 'bias', 'alpha': 'weight'}

# PyTorch's batch normalisations count the batches that they have seen. MXNet's do not.
_COUNTER = 'num_batches_tracked'
# What thop.profile leaves in every layer of a network.
_PROFILE = r'total_(ops|params)'


class Transform(NamedTuple):
    """Converts a weight that the official code lays out in another way, in both directions.

    Both are functions of a NumPy array, and each undoes the other.
    """
    to_ours: Callable
    to_official: Callable


class NameMap:
    """The official names of a network's parameters, and how the arrays differ.

    Parameters
    ----------
    rules : list of (pattern, replacement)
        from our name to the official one, as :func:`re.sub` takes them. All of them are applied one after the other.
        The last part of the name needs no rule: see `leaves`.
    unused : list of pattern
        whole official names (:func:`re.fullmatch`) that a file may have and our network has no use for. Always
        among them are the counters of batches that PyTorch's normalisations keep, and the total_ops and total_params
        that thop adds to layers.
    transforms : dict of our name -> Transform
        for the weights that are laid out in another way
    prefix : str
        what the names in the official files begin with, all of them; the rules do without it
    leaves : dict of str -> str
        from the last part of our name to that of the official one. By default PyTorch's: 'gamma' and 'alpha' become
        'weight', and 'beta' becomes 'bias'.

    Examples
    --------
    >>> NameMap([(r'^body\\.(\\d+)\\.', r'features.\\1.')]).official('body.3.beta')
    'features.3.bias'
    """

    def __init__(self, rules, unused=(), transforms=None, prefix='', leaves=_PYTORCH):
        self.prefix, self._leaves = prefix, leaves
        self._rules = [(re.compile(pattern), replacement) for pattern, replacement in rules]
        self._unused = [re.compile(pattern)
                        for pattern in (rf'(.*\.)?({_COUNTER}|{_PROFILE})', *unused)]
        self._transforms = transforms or {}

    def official(self, name):
        """The official name, without the prefix, of our parameter `name`."""
        for pattern, replacement in self._rules:
            name = pattern.sub(replacement, name)
        path, dot, leaf = name.rpartition('.')
        return path + dot + self._leaves.get(leaf, leaf)

    def inverse(self, names):
        """The dict of official name, without the prefix, -> our name, for the `names` of all parameters of a network.

        Raises ValueError if the rules give two of them the same official name.
        """
        ours = {}
        for name in names:
            official = self.official(name)
            if official in ours:
                raise ValueError(f'rules: must not give {ours[official]!r} and {name!r} the same name: {official!r}')
            ours[official] = name
        return ours

    def counters(self, names):
        """The official names of the counters of batches, for the `names` of all parameters of a network.

        Every normalisation that has running statistics has a counter.
        """
        statistics = [self.official(name) for name in names if re.fullmatch(r'(.*\.)?running_mean', name)]
        return [name[:-len('running_mean')] + _COUNTER for name in statistics]

    def uses(self, official):
        """Whether our network has a use for a weight of this official name at all."""
        return not any(pattern.fullmatch(official) for pattern in self._unused)

    @staticmethod
    def counts(official):
        """Whether a weight of this official name is a counter of batches."""
        return official.rpartition('.')[2] == _COUNTER

    def official_shape(self, name, shape):
        """The shape that the official code has for our parameter `name` of this `shape`."""
        return self.to_official(name, np.broadcast_to(0., shape)).shape

    def to_ours(self, name, array):
        """The official array of our parameter `name`, as our parameter has it."""
        return self._transforms[name].to_ours(array) if name in self._transforms else array

    def to_official(self, name, array):
        """The array of our parameter `name`, as the official code has it."""
        return self._transforms[name].to_official(array) if name in self._transforms else array
