"""Pictures as features of a classifier, by which two sets of pictures are compared.

FID and KID are published for features of an Inception network with weights of its own. Features of another network
give other numbers. So the name of a metric says whose features it has: 'FID (cifar_resnet32 features)'.
"""
import warnings

import mxnet as mx
import numpy as np

from ..graph.last_dense import before_last_dense
from ..memory import require
from ..pictures.chw import to_chw
from ..pictures.resize import resize
from ..reading import last_line
from . import frechet
from .kernel_distance import kernel_distance
from .picture_sets import check_set

__all__ = ['PictureFeatures']

_AT_ONCE = 64   # pictures


class PictureFeatures:
    """Computes the input of a classifier's last fully connected layer, of pictures of any size.

    Pictures are resized to the network's size without regard to their aspect ratio: by area where neither side grows,
    and else cubically.

    Parameters
    ----------
    net : HybridBlock
        a classifier, its weights loaded; it is used in prediction mode and not changed
    name : str
        of the network, for the names of metrics
    size : int
        pixels of a side of its input
    mean, std : three numbers each
        red, green, blue of 0..255: it takes (rgb - mean) / std
    ctx : list of Context, optional
        where the network is; default: the CPU

    Attributes
    ----------
    name : str
    length : int
        numbers of a feature

    Raises
    ------
    ValueError
        if the network does not end with a fully connected layer, or takes no pictures of this size.
    """

    def __init__(self, net, name, size, mean, std, ctx=None):
        self.name, self._size, self._mean, self._std = name, size, mean, std
        self._ctx = ctx or [mx.cpu()]
        symbol = before_last_dense(net(mx.sym.var('data')))
        if symbol is None:
            raise ValueError(f'{name}: must be a classifier, whose last layer is fully connected')
        parameters = net.collect_params()
        self._parameters = [None if key == 'data' else parameters[key] for key in symbol.list_inputs()]
        self._compute = mx.nd.CachedOp(symbol, [('static_alloc', True)])
        self.length = self._features(np.zeros((1, size, size, 3), np.uint8), self._ctx[0]).shape[1]

    def label(self, metric):
        """'FID' -> 'FID (cifar_resnet32 features)'"""
        return f'{metric} ({self.name} features)'

    def __call__(self, pictures):
        """The features of pictures.

        Parameters
        ----------
        pictures : uint8 array [N, H, W, 3]
            RGB, at least one; a grey picture is repeated to three channels

        Returns
        -------
        float32 array [N, D]; D is `length`

        Raises ValueError for an array that is not such.
        """
        check_set('pictures', pictures, 1)
        require(f'pictures: {self.length} features of each of {len(pictures)}', 4 * len(pictures) * self.length)
        found = np.empty((len(pictures), self.length), 'float32')
        waiting = None   # is read after the next part has been begun
        for number, start in enumerate(range(0, len(pictures), _AT_ONCE)):
            part = pictures[start:start + _AT_ONCE]
            begun = start, self._features(part, self._ctx[number % len(self._ctx)])
            for first, features in filter(None, [waiting]):
                found[first:first + len(features)] = features.asnumpy()
            waiting = begun
        found[waiting[0]:] = waiting[1].asnumpy()
        return found

    def distances(self, real, made):
        """The distances of two sets of pictures.

        FID needs more pictures than a feature has numbers. With fewer it is left out, and a RuntimeWarning says so.

        Parameters
        ----------
        real, made : uint8 arrays [N, H, W, 3] and [M, H, W, 3]
            of at least 2 pictures each

        Returns
        -------
        dict of name -> float
            'FID (NAME features)': see :func:`gluonzoo.metrics.frechet.frechet_distance`; 'KID x 1000 (NAME features)':
            1000 times :func:`gluonzoo.metrics.kernel_distance.kernel_distance`

        Raises ValueError for arrays that are not such.
        """
        features, fewest, found = [self(real), self(made)], min(len(real), len(made)), {}
        if fewest >= frechet.least(self.length):
            found[self.label('FID')] = frechet.frechet_distance(*features)
        else:
            warnings.warn(f'{self.label("FID")}: needs at least {frechet.least(self.length)} pictures of each kind; '
                          f'there are {fewest}', RuntimeWarning, stacklevel=2)
        found[self.label('KID x 1000')] = 1e3 * kernel_distance(*features)
        return found

    def _features(self, pictures, ctx):
        """[n, H, W, 3] -> NDArray [n, D]. Does not wait."""
        images = to_chw([resize(picture, self._size, self._size) for picture in pictures], self._mean, self._std)
        x = mx.nd.array(images, ctx=ctx)
        try:
            y = self._compute(*(x if parameter is None else parameter.data(ctx) for parameter in self._parameters))
            return y.reshape((len(pictures), -1))   # some networks leave maps of one pixel
        except mx.MXNetError as error:
            raise ValueError(f'{self.name}: takes no pictures of {self._size} x {self._size} pixels: '
                             f'{last_line(error)}') from error
