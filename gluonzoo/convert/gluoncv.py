"""The names of GluonCV's weights, and ours.

Of github.com/dmlc/gluon-cv, model_zoo/yolo: ``yolo3_darknet53_coco``, ``_voc`` and ``_custom`` are
:func:`yolo3_darknet53`, ``yolo3_mobilenet1.0_*`` are :func:`yolo3_mobilenet1_0`, and ``darknet53`` is
:func:`darknet53`. The files are what ``net.save_parameters`` writes there. They have the anchors, which must be those
of our network, and the numbers of rows and columns, which our network does without.
"""
import numpy as np

from .errors import WeightsError, require_count
from .name_map import NameMap

__all__ = ['MAPS', 'check_fit']

_SCALES = [
    (r'^scales\.(\d)\.(body\.\d|tip)\.', r'yolo_blocks.\1.\2.'),
    (r'^scales\.(\d)\.transition\.', lambda found: f'transitions.{int(found[1]) - 1}.'),
    (r'^scales\.(\d)\.output\.', r'yolo_outputs.\1.prediction.'),
]
_CONV_UNITS = [
    (r'\.reduce\.', '.body.0.'),
    (r'\.expand\.', '.body.1.'),
    (r'\.conv\.', '.0.'),
    (r'\.norm\.', '.1.'),
]
_UNUSED = [r'yolo_outputs\.\d\.(anchors|offsets)']


def _name_map(*rules):
    return NameMap([rule for some in rules for rule in some], unused=_UNUSED, leaves={})


def _places(features):
    """Where each of the trunk's stages begins in GluonCV, which has all units of the trunk in one row."""
    places = [1]   # after the stem
    for stage in features.stages:
        places.append(places[-1] + len(stage))
    return places


def yolo3_darknet53(net):
    """The map for a :class:`YOLO3` on Darknet-53. The first three of our five stages are one of GluonCV's."""
    places = _places(net.backbone)

    def unit(found):
        stage, place = int(found[1]), int(found[2])
        start = places[stage] if stage > 2 else 0
        return f'stages.{max(0, stage - 2)}.{places[stage] + place - start}.'

    return _name_map([(r'^backbone\.stem\.', 'stages.0.0.'), (r'^backbone\.stages\.(\d)\.(\d+)\.', unit)], _SCALES,
                     _CONV_UNITS)


def yolo3_mobilenet1_0(net):
    """The map for a :class:`YOLO3` on MobileNet. GluonCV has convolutions, normalisations and ReLUs in one row."""
    def layer(found):
        stage, pair, half, place = map(int, found.groups())
        convolutions = 2 * pair + half + (stage == 0)   # before this one in the stage; the first has the stem, too
        return f'stages.{stage}.{3 * convolutions + place}.'

    return _name_map([(r'^backbone\.stem\.', 'stages.0.'),
                      (r'^backbone\.stages\.(\d)\.(\d+)\.([01])\.([01])\.', layer)], _SCALES, _CONV_UNITS)


def darknet53(net):
    """The map for a :class:`Darknet53`."""
    places = _places(net.features)
    return _name_map([(r'^features\.stem\.', 'features.0.'),
                      (r'^features\.stages\.(\d)\.(\d+)\.',
                       lambda found: f'features.{places[int(found[1])] + int(found[2])}.')], _CONV_UNITS)


# Model -> function that makes the map for a network of it.
MAPS = {'darknet53': darknet53, 'yolo3_darknet53': yolo3_darknet53, 'yolo3_mobilenet1_0': yolo3_mobilenet1_0}


def check_fit(net, model, weights, path):
    """WeightsError if a file of GluonCV's is of another model, or of other classes or anchors than a network.

    Parameters
    ----------
    net : HybridBlock
    model : str
        its name, a key of :data:`MAPS`
    weights : dict of GluonCV's name -> array
    path : str or Path
        of the file, for messages
    """
    if weights and not any('.' in name for name in weights):
        raise WeightsError(f'{path}: names are such as {next(iter(weights))!r}: write it with net.save_parameters, not '
                           'with net.collect_params().save or net.export')
    whose = _model(weights)
    if whose not in (None, model):
        raise WeightsError(f'{path}: is of {whose}, not of {model}: --model {whose}')
    classes = _classes(weights)
    if classes is not None:
        require_count(net, 'classes', classes, path)
    for scale, here in enumerate(getattr(net, 'anchors', ())):
        there = weights.get(f'yolo_outputs.{scale}.anchors')
        if there is not None and not np.array_equal(there.ravel(), np.ravel(here).astype(there.dtype)):
            raise WeightsError(f'{path}: was trained with the anchors {there.ravel().tolist()} in output {scale}, '
                               f'where the network has {np.ravel(here).tolist()}: say them in --settings as anchors')


def _model(names):
    """Of which model weights of such names of GluonCV's are; None if they do not tell."""
    if 'features.0.0.weight' in names and 'output.bias' in names:
        return 'darknet53'
    if 'yolo_outputs.0.prediction.bias' not in names:
        return None
    return next((model for model, name in (('yolo3_darknet53', 'stages.0.0.0.weight'),
                                           ('yolo3_mobilenet1_0', 'stages.0.0.weight')) if name in names), None)


def _classes(weights):
    """How many classes a file is of; None if it does not tell."""
    if 'output.bias' in weights:
        return weights['output.bias'].size
    bias = weights.get('yolo_outputs.0.prediction.bias')
    if bias is None or bias.size % 3 or bias.size < 3 * 6:   # objectness, four numbers of a box, and a class or more
        return None
    return bias.size // 3 - 5
