"""Which of several classes a picture shows."""
from mxnet import gluon

from ..losses.ghm import GHMC
from ..losses.label_smoothing import smoothed
from ..losses.mixup import check_alpha, draw_weight, mixed
from ..reading import quoted
from ..registry import TASKS
from ..values import COUNT, NAMES, NUMBER, OBJECT, SIDE, TRUE_OR_FALSE, Rule, check
from .base import Exported
from .classifier import COLOURS, MEAN, STD, Classifier

__all__ = ['Classification']

OPTIMIZER = {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 1e-4}

LOSSES = ('cross_entropy', 'ghm_c', 'ghm_c_sigmoid')
GHM = {'bins': 10, 'momentum': 0.75, 'per_class': False}
_BELOW_1 = Rule('a number from 0 to below 1', lambda value: NUMBER.holds(value) and 0 <= value < 1)
_GHM_RULES = {'bins': COUNT, 'momentum': _BELOW_1, 'per_class': TRUE_OR_FALSE}


@TASKS.register('classification')
class Classification(Classifier):
    """Trains a network to name the class of a picture.

    A batch's arrays are images [B, 3, S, S], normalised, and labels [B, 1], class numbers from 0. S is `size`. Results
    are :class:`Classes`: the five likeliest.

    Parameters
    ----------
    net : HybridBlock
        ``logits [B, classes] = net(images)``
    class_names : list of str
    size : int
        pixels of the images that the network takes
    crop : float, above 0 and at most 1
        Photos to predict are resized until their shorter side has size / crop pixels. The network gets the middle, of
        size x size pixels.
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the network takes (rgb - mean) / std
    smoothing : float, from 0 to below 1
        part of the target's weight that is shared among all classes
    mixup : float, 0 or from 1e-6 to 1e6
        Pictures are mixed in pairs, and so are their targets, by a weight that is drawn from Beta(mixup, mixup) for
        each batch; 0: none. Source: "mixup: Beyond Empirical Risk Minimization" (https://arxiv.org/abs/1710.09412).
    loss : {'cross_entropy', 'ghm_c', 'ghm_c_sigmoid'}
        'ghm_c': see :class:`gluonzoo.losses.ghm.GHMC`, which weighs a picture by how many others are as easy. With
        'ghm_c_sigmoid' each class is a question of its own, and scores are sigmoids. Both take neither smoothing nor
        mixup, since they count how far pictures are from one class.
    ghm : dict
        'bins', 'momentum' and 'per_class' of GHMC
    optimizer : dict
        see :meth:`gluonzoo.train.engine.Engine.trainer`
    """

    def __init__(self, net, class_names: NAMES, size: SIDE = 224, crop=0.875, mean: COLOURS = MEAN, std: COLOURS = STD,
                 smoothing=0.0, mixup=0.0, loss='cross_entropy', ghm=GHM, optimizer=OPTIMIZER):
        super().__init__(net, class_names, size, crop, mean, std)
        for name, value in (('smoothing', smoothing), ('mixup', mixup)):
            check(name, value, NUMBER)
        if not 0 <= smoothing < 1:
            raise ValueError(f'smoothing: must be from 0 to below 1: {smoothing!r}')
        check_alpha(mixup)
        if loss not in LOSSES:
            raise ValueError(f'loss: must be one of {", ".join(map(repr, LOSSES))}: {quoted(loss)}')
        if loss != 'cross_entropy' and (smoothing or mixup):
            raise ValueError(f'loss: {loss} takes neither smoothing nor mixup: {smoothing!r}, {mixup!r}')
        ghm = _checked_ghm(ghm)
        if loss == 'cross_entropy' and ghm != GHM:
            raise ValueError(f"ghm: is of the losses 'ghm_c' and 'ghm_c_sigmoid', not of {loss!r}: {quoted(ghm)}")
        self._smoothing, self._mixup, self._optimizer = smoothing, mixup, optimizer
        self._cross_entropy = gluon.loss.SoftmaxCELoss(sparse_label=False)
        self._ghm = None
        if loss != 'cross_entropy':
            self._ghm = self.keep('ghm', GHMC(len(self.class_names), sigmoid=loss == 'ghm_c_sigmoid', **ghm))
        self.activation = 'sigmoid' if loss == 'ghm_c_sigmoid' else 'softmax'

    def check_outputs(self, outputs):
        self.check_logits(outputs['net'])

    def make_trainers(self):
        self.engine.trainer('net', self._optimizer, self._net)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`. The loss: 'loss'."""
        self.check_batch(batch)
        weight = draw_weight(self._mixup)   # one for the batch, whatever the parts
        return self.engine.minimize('net', batch, lambda *part: self._losses(*part, weight))

    def _losses(self, images, labels, weight):
        if self._ghm:
            return {'loss': self._ghm(self.logits_of(images), labels)}
        targets = smoothed(labels, len(self.class_names), self._smoothing)
        if self._mixup:
            images, targets = mixed(images, targets, weight)
        return {'loss': self._cross_entropy(self.logits_of(images), targets).mean()}

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the logits."""
        if decode:
            raise ValueError('decode: classification has nothing to decode, its outputs are logits')
        height, width = size or 2 * (self._size,)
        return Exported(self._net, {'image': (batch, 3, height, width)}, ['logits'], {
            'task': 'classification', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._mean), 'std': list(self._std), 'notes': [],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, (0..255 - mean) / std; the middle of a photo whose '
                                f'shorter side has input_size / {self._crop} pixels'},
            'outputs': {'logits': f'float32 [B, classes]; a {self.activation} makes probabilities'}})


def _checked_ghm(ghm):
    """A whole dict of GHMC's keywords. ValueError for unknown ones and values that are not as they must be."""
    check('ghm', ghm, OBJECT)
    for name, value in ghm.items():
        if name not in GHM:
            raise ValueError(f'ghm: unknown {quoted(name)}; there are {", ".join(GHM)}')
        check(f'ghm.{name}', value, _GHM_RULES[name])
    return {**GHM, **ghm}
