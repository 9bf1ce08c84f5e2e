"""Networks of GluonCV's model zoo, ready to be exported.

Source: github.com/dmlc/gluon-cv, gluoncv/model_zoo. Its weights cannot be downloaded any more: a network has random
weights, unless it is given a parameter file that somebody kept.
"""
import difflib
from contextlib import contextmanager
from typing import NamedTuple

import mxnet as mx

from ..convert import WeightsError
from ..convert.errors import at_most
from ..convert.mxnet_params import read_params
from ..convert.parameters import faults, float_parameters, put
from ..reading import quoted
from .errors import ExportError
from .tracing import examples, run

__all__ = ['GluonCVNetwork', 'gluoncv_network']


class GluonCVNetwork(NamedTuple):
    """A network and what :func:`gluonzoo.export.to_onnx` must know of it."""
    net: object
    inputs: dict
    """name -> shape"""
    outputs: list
    """names, or None"""
    objects: bool
    """whether the outputs together are the objects of a detector"""
    metadata: dict


_IMAGENET = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}   # of numbers from 0 to 255
_ALPHA_POSE = {'mean': [103.53, 116.535, 122.4], 'std': [255., 255., 255.]}
_CIFAR = {'mean': [125.307, 122.961, 113.8575], 'std': [51.5865, 50.847, 51.255]}

# What the name of a network contains -> height and width that it is made for. The first that fits.
_SIZES = [
    ('ssd_300', (300, 300)), ('ssd_512', (512, 512)), ('yolo3', (416, 416)), ('center_net', (512, 512)),
    ('rcnn', (600, 800)), ('fcn', (480, 480)), ('psp', (480, 480)), ('deeplab', (480, 480)), ('danet', (480, 480)),
    ('icnet', (480, 480)), ('pose', (256, 192)), ('cifar', (32, 32)), ('inceptionv3', (299, 299)),
    ('xception', (299, 299)), ('i3d', (224, 224)), ('c3d', (112, 112)), ('p3d', (224, 224)), ('', (224, 224))]
# Likewise what is done to its pixels.
_PIXELS = [('cifar', _CIFAR), ('alpha_pose', _ALPHA_POSE), ('', _IMAGENET)]
_FRAMES = [('i3d', 32), ('c3d', 16), ('p3d', 16), ('r2plus1d', 16), ('slowfast', 64)]   # of videos
_OBJECTS = {'ssd': 3, 'yolo': 3, 'center_net': 3, 'faster_rcnn': 3, 'mask_rcnn': 4}   # numbers of outputs


def gluoncv_network(name, params=None, size=None, batch=1, finite=True):
    """A network of GluonCV's model zoo, as it predicts.

    Parameters
    ----------
    name : str
        one of ``gluoncv.model_zoo.get_model_list()``
    params : str or Path, optional
        a file that ``net.save_parameters`` wrote, here or in any MXNet 1.x. By default the weights are random.
    size : (height, width), optional
        of its images; default: as GluonCV uses it
    batch : int
    finite : bool
        whether weights must be finite

    Returns
    -------
    GluonCVNetwork

    Raises
    ------
    ExportError
        if there is no such network, it can only be had with weights from the network, or it does not take the size
    WeightsError
        if the file cannot be read, or does not fit
    """
    make = _known(name)
    height, width = size or _first(_SIZES, name)
    frames = _first(_FRAMES, name, ())
    inputs = {'data': (batch, 3, *([frames] if frames else []), height, width)}
    with _no_download(name):
        net = make(name)
    for parameter in net.collect_params().values():
        if parameter._data is None and not parameter._deferred_init:   # some networks begin by themselves
            parameter.initialize(None, default_init=_RandomWeights())
    _require_shapes(net, name, inputs)
    if params is not None:
        _load(net, name, params, finite)
    count = next((count for kind, count in _OBJECTS.items() if name.startswith(kind)), 0)
    outputs = ['class_ids', 'scores', 'boxes', 'masks'][:count] or None
    return GluonCVNetwork(net, inputs, outputs, bool(count), _metadata(net, name, height, width, params, bool(count)))


def _metadata(net, name, height, width, params, objects):
    names = getattr(net, 'classes', None)
    notes = ['data is RGB: (pixels of 0 to 255 - mean) / std']
    if objects:
        notes.append('boxes are xmin, ymin, xmax, ymax in pixels of the input; rows of class -1 are none')
    if params is None:
        notes.append('the weights are random: give the file of its weights')
    return {'network': f'GluonCV {name}', 'input_size': [height, width], **_first(_PIXELS, name),
            'class_names': list(map(str, names)) if isinstance(names, (list, tuple)) else None, 'notes': notes}


def _known(name):
    """The function that makes a network of a name."""
    from gluoncv import model_zoo

    known = model_zoo.get_model_list()
    if name not in known:
        near = difflib.get_close_matches(name[:100].lower(), known)
        raise ExportError(f'--gluoncv: GluonCV has no network {quoted(name)}'
                          + (f'; did you mean {" or ".join(near)}?' if near else ''))

    def make(name):
        try:
            try:   # those that are built on another network
                return model_zoo.get_model(name, pretrained=False, pretrained_base=False)
            except (TypeError, Warning):   # MXNet raises the latter
                return model_zoo.get_model(name, pretrained=False)
        except ExportError:
            raise
        except Exception as error:   # as GluonCV says it: without classes, or with weights that are not there
            raise ExportError(f'--gluoncv: GluonCV cannot make {name} without more words: '
                              f'{" ".join(str(error).split())}') from error
    return make


@contextmanager
def _no_download(name):
    """Within, an ExportError comes of what would be downloaded."""
    from gluoncv.model_zoo import model_store

    def refuse(file, *_, **__):
        raise ExportError(f'--gluoncv: {name} cannot be made without the weights {file}, which GluonCV downloads')
    before = model_store.get_model_file
    model_store.get_model_file = refuse
    try:
        yield
    finally:
        model_store.get_model_file = before


def _first(table, name, default=None):
    return next((value for part, value in table if part in name), default)


class _RandomWeights(mx.init.Initializer):
    """Weights that keep the scale of what flows through them, so that outputs of networks are worth a comparison."""

    def _init_weight(self, name, array):
        if name.endswith(('gamma', 'var')):
            array[:] = 1
        elif array.ndim < 2:
            array[:] = 0
        else:
            mx.init.Xavier('gaussian', 'in', 2)._init_weight(name, array)


@contextmanager
def _own_statistics():
    """Within, batch normalisation takes the mean square of all that it is given for each running variance.

    It keeps them. Without them, numbers grow from block to block of a residual network with random weights, until all
    scores are 1. (Statistics of each channel would make much of rounding, where a channel has one number.)
    """
    plain = mx.nd.BatchNorm

    def batch_norm(data, gamma, beta, mean, variance, **attributes):
        variance[:] = data.square().mean()
        return plain(data, gamma, beta, mean, variance, **attributes)
    mx.nd.BatchNorm = batch_norm
    try:
        yield
    finally:
        mx.nd.BatchNorm = plain


def _require_shapes(net, name, inputs):
    """Has the network take an image, which completes its shapes. ExportError if it does not take it."""
    with _own_statistics():
        try:
            run(net, examples(inputs))
        except ExportError:
            raise
        except (AssertionError, TypeError, ValueError) as error:   # as GluonCV says it
            raise ExportError(f'--gluoncv: {name} does not take data {list(inputs["data"])}: {error}') from error


def _load(net, name, path, finite):
    """Puts a file of weights into a network."""
    parameters = float_parameters(net)
    arrays = read_params(path)
    if not any('.' in key for key in arrays):   # as it was before MXNet 1.4: names of layers, less the network's
        own = {id(parameter): key for key, parameter in parameters.items()}
        short = {parameter.name[len(net.prefix):]: own[id(parameter)] for parameter in net.collect_params().values()
                 if id(parameter) in own}
        arrays = {short.get(key, short.get(key[len(net.prefix):], key)): array for key, array in arrays.items()}
    found = [f'unknown to {name}: {quoted(key)}' for key in arrays if key not in parameters]
    for key, parameter in parameters.items():
        found += [f'{key!r}: {fault}' for fault in faults(arrays[key], parameter.shape, parameter.dtype, finite)
                  ] if key in arrays else [f'not in the file: {key!r}']
    if found:
        raise WeightsError('\n  '.join([f'{path} does not fit {name}:', *at_most(found)]))
    put(parameters, arrays)
