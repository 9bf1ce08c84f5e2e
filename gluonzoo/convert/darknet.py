"""Which of the numbers in darknet's files are which of our parameters.

Of github.com/pjreddie/darknet: ``yolov3.weights`` is :func:`yolo3_darknet53`, ``darknet53.weights`` is
:func:`darknet53`, and ``darknet53.conv.74`` is the backbone of either. A file has the layers in the order of cfg/*.cfg:
the backbone, then of each scale, the coarsest first, the convolution that leads there from the one before, five
convolutions, a sixth, and the head. Our networks make their layers in the same order.
"""
from typing import NamedTuple

from .darknet_file import Layer, numbers_of, read_darknet, write_darknet
from .errors import WeightsError
from .parameters import faults, float_parameters, put

__all__ = ['FORMS', 'Form', 'layers_of', 'load_darknet', 'save_darknet']

# The last parts of our names, in the order of a layer's numbers: with batch normalisation, and without.
_NORMALIZED = ('beta', 'gamma', 'running_mean', 'running_var', 'weight')
_PLAIN = ('bias', 'weight')


class Form(NamedTuple):
    """What a model's files look like."""
    backbone: str
    """how the names of the backbone's parameters begin"""
    box_outputs: int
    """the outputs for each anchor besides those for the classes; 0 of a classifier"""


# Model -> form of its files.
FORMS = {'yolo3_darknet53': Form('backbone.', 5), 'darknet53': Form('features.', 0)}


def load_darknet(net, path, form, backbone=False, finite=True):
    """Puts a file of darknet into a network: all of it, or nothing.

    Parameters
    ----------
    net : HybridBlock
        initialized
    path : str or Path
    form : Form
        of the network: one of :data:`FORMS`
    backbone : bool
        whether the file has the backbone alone, to start a training from, as darknet53.conv.74
    finite : bool
        whether numbers must be finite

    Returns
    -------
    list of the names of the parameters that the file has

    Raises
    ------
    ValueError
        if the network is not initialized
    WeightsError
        in one line, if the file cannot be read, does not fit, or has numbers that are not finite. The network has not
        been changed then.
    """
    parameters = float_parameters(net)
    every = layers_of(parameters)
    first = [layer for layer in every if layer.name.startswith(form.backbone)]
    what = f'{type(net).__name__} of {net.classes} class{"es" * (net.classes > 1)}'

    def hint(numbers):
        if backbone:
            return 'the whole network, whose name must end with .weights' if numbers == numbers_of(every) else ''
        if numbers == numbers_of(first):
            return 'the backbone alone, to start a training from: its name must end with .conv.74'
        return _other_classes(numbers, net.classes, every, form)

    arrays = read_darknet(path, first if backbone else every, f'the backbone of {what}' if backbone else what, hint)
    bad = [f'{name}: {fault}' for name, array in arrays.items()
           for fault in faults(array, array.shape, parameters[name].dtype, finite)]
    bad += [f'{name}: variances must be 0 or more: {array.min()}' for name, array in arrays.items()
            if name.endswith('running_var') and array.min() < 0]
    if bad:
        more = f', and {len(bad) - 1} more' if len(bad) > 1 else ''
        raise WeightsError(f'{path}: {bad[0]}{more}')
    put(parameters, arrays)
    return list(arrays)


def save_darknet(net, path):
    """Writes a network as a file of darknet. The file is on the disk when the function returns.

    Parameters
    ----------
    net : HybridBlock
        initialized, of one of the models in :data:`FORMS`
    path : str or Path

    Raises ValueError if the network is not initialized, and OSError if the file cannot be written.
    """
    parameters = float_parameters(net)
    write_darknet(path, layers_of(parameters), lambda name: parameters[name].list_data()[0].asnumpy())


def layers_of(parameters):
    """The layers of a network's file, in its order.

    Parameters
    ----------
    parameters : dict of name -> Parameter
        in the order in which the network has made its layers: of each, the weights of the convolution come first

    Returns
    -------
    list of Layer
    """
    found = {}
    for name in parameters:
        path, _, leaf = name.rpartition('.')
        if leaf == 'weight':
            layer = found.setdefault(path, {})
        layer[leaf] = name
    return [Layer(path, {layer[leaf]: parameters[layer[leaf]].shape
                         for leaf in (_NORMALIZED if 'gamma' in layer else _PLAIN)}) for path, layer in found.items()]


def _other_classes(numbers, classes, layers, form):
    """Which number of classes a file of so many numbers is for, in words; '' if it is for none."""
    heads = [layer for layer in layers if len(layer.shapes) == len(_PLAIN)]   # which alone grow with the classes
    each = numbers_of(heads) // (form.box_outputs + classes)
    more, rest = divmod(numbers - numbers_of(layers), each)
    if rest or classes + more < 1:
        return ''
    return f"it fits with {classes + more} classes: --settings '{{\"classes\": {classes + more}}}'"
