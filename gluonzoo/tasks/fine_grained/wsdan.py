"""WS-DAN: classes that differ in a small part, learned by looking closer at what the network attends to, and past it.

Paper: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (Hu et al., 2019, https://arxiv.org/abs/1901.09891). Official code, in TensorFlow:
github.com/tau-yihouxiang/WS_DAN. The code that most others build on, in PyTorch: github.com/GuYuc/WS-DAN.PyTorch. The
two differ; the network's `variant` says which one is followed.

In a step a picture is seen three times: as it is, the part alone that one attention map lies on (crop), and without
what another map lies on (drop). A test sees it twice: as it is, and the part that all maps lie on.

Deviations:

1. Which maps and how much of them, is drawn on the device, so a step never waits. The distributions are those of the
   codes, the draws are not.
2. The centers' step adds up over the whole batch, on all devices and in all rounds, as the official code does on one.
   GuYuc's heeds the last picture of a class alone.
"""
import mxnet as mx
from mxnet import autograd, gluon

from ...losses.center import CenterLoss
from ...pictures.check import check_images
from ...pictures.chw import from_chw
from ...pictures.drawn_boxes import draw_boxes
from ...pictures.heat import draw_heat
from ...pictures.labelled import labelled_sheet
from ...pictures.squeezed_middle import check_crop, squeezed_middle
from ...registry import TASKS
from ...values import NAMES, SIDE, TRUE_OR_FALSE, check, number
from ..base import Exported
from ..classifier import COLOURS, MEAN, STD, TILE, Classifier
from .attention_views import TrainingViews
from .two_stage import TwoStage, joined

__all__ = ['WSDAN']

# Both codes have these. The centers' rate is the paper's beta.
OPTIMIZER = {'net': {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': 0.9, 'wd': 1e-5},
             'center': {'name': 'sgd', 'learning_rate': 0.05, 'wd': 0.0}}

DROPPED = 0.35   # of the greatest attention, in the view of what is dropped: the middle of the range in training
SHOWN = 4   # pictures of a batch
LARGE = 384   # pixels of a picture in the views of crop and drop


@TASKS.register('wsdan')
class WSDAN(Classifier):
    """Trains a network that attends to parts of a picture to name its class.

    A batch's arrays are images [B, 3, S, S], normalised, and labels [B, 1], class numbers from 0. S is `size`. Results
    are :class:`~gluonzoo.tasks.classifier.Classes`: the five likeliest, of both stages together.

    The loss is the mean of three cross entropies, of the picture, its crop and its drop, and the
    :class:`~gluonzoo.losses.center.CenterLoss` of the pooled features of the picture.

    Parameters
    ----------
    net : HybridBlock
        ``logits [B, classes], feature [B, L], attention [B, M, h, w] = net(images)``, with the attributes
        ``feature_length`` (L) and ``variant`` ('guyuc' or 'official'), such as gluonzoo.models.wsdan has
    class_names : list of str
    size : int
        pixels of the images that the network takes
    crop : float, from 0.5 to 1
        Both sides of a photo to predict are resized to size / crop pixels, whatever its aspect ratio, as both codes do.
        The network gets the middle, of size x size pixels.
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the network takes (rgb - mean) / std
    center_weight : float, 0 or more
        of the center loss, for the features. The centers move the same, whatever it is.
    normalize_centers : bool
        whether features are compared with centers of length 1, as in both codes. notes/center_loss.md says what that
        means.
    optimizer : dict
        of the trainers 'net' and 'center', by name. The learning rate of 'center' is the paper's beta; it is 'sgd'
        without momentum and decay, or the step is not the paper's.

    Attributes
    ----------
    networks : dict
        'net', and while it is trained 'center', the CenterLoss
    """

    network_names = 'net', 'center'
    own_networks = 'center',

    def __init__(self, net, class_names: NAMES, size: SIDE = 448, crop=0.875, mean: COLOURS = MEAN, std: COLOURS = STD,
                 center_weight=1.0, normalize_centers=True, optimizer=OPTIMIZER):
        check_crop(crop)
        check('center_weight', center_weight, number(0))
        check('normalize_centers', normalize_centers, TRUE_OR_FALSE)
        super().__init__(net, class_names, size, crop, mean, std, center=None)
        for name in ('feature_length', 'variant'):
            if not hasattr(net, name):
                raise ValueError(f'net: must have the attribute {name}, as wsdan_resnet50 has: {type(net).__name__}')
        self._optimizer = optimizer
        self._center = {'weight': center_weight, 'normalize': normalize_centers}   # of a CenterLoss
        self._two_stage, self._views = TwoStage(net), TrainingViews(net.variant)
        self._cross_entropy = gluon.loss.SoftmaxCELoss()
        for block in (self._views, self._two_stage.view, self._cross_entropy):
            block.hybridize(static_alloc=True)

    # -- training ----------------------------------------------------------------------------------------------------

    def start_training(self, engine):
        self.networks['center'] = CenterLoss(len(self.class_names), self._net.feature_length, **self._center)
        super().start_training(engine)

    def input_shapes(self, name):
        return super().input_shapes(name) if name == 'net' else [(1, self._net.feature_length), (1,)]

    def check_outputs(self, outputs):
        found = outputs['net']
        shapes = [output.shape for output in found] if isinstance(found, (list, tuple)) else [found.shape]
        length = self._net.feature_length
        if len(shapes) != 3 or shapes[1] != (1, length) or len(shapes[2]) != 4:
            raise ValueError(f'net: must return logits [1, classes], a feature [1, {length}] of feature_length, and '
                             f'attention [1, M, h, w]: {", ".join(str(list(shape)) for shape in shapes)}')
        self.check_logits(found[0])

    def make_trainers(self):
        # The centers' update is a sum over the batch. The network goes back once for each view.
        for name, how in (('net', {'passes': 3}), ('center', {'reduction': 'sum'})):
            self.engine.trainer(name, self.optimizer_of(self._optimizer, name), self.networks[name], **how)

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`.

        The losses: 'cross_entropy', the mean of the three; 'center', the mean squared distance of the features to
        their centers (without a `center_weight` there is none); 'loss', their sum, 'center' times `center_weight`. Also
        the parts of the pictures that are classified rightly: 'train_raw_top1', 'train_crop_top1', 'train_drop_top1'.
        """
        self.check_batch(batch)
        scalars = []
        for parts in self.engine.parts(batch):
            scalars += self._learn([(images, labels.reshape(-1)) for images, labels in parts])
        self.engine.step(self.network_names)
        return self.engine.mean(scalars)

    def _learn(self, parts):
        """Goes forward and back for each view of the parts, one a device: the memory of one view is enough.

        -> the losses of each part by name
        """
        found, attention, losses = [{'loss': 0, 'cross_entropy': 0} for _ in parts], [], []
        with autograd.record():
            for (images, labels), sums in zip(parts, found):
                logits, feature, maps = self._net(images)
                attention.append(maps)
                sums['loss'] = self.networks['center'](feature.astype('float32', copy=False), labels)   # weighed
                losses.append(self._count('raw', logits, labels, sums) + sums['loss'])
        self.engine.backward(self.network_names, losses)
        views = [self._views(images, maps.detach()) for (images, _), maps in zip(parts, attention)]
        for name, place in (('crop', 0), ('drop', 1)):
            with autograd.record():
                losses = [self._count(name, self._net(view[place])[0], labels, sums)
                          for view, (_, labels), sums in zip(views, parts, found)]
            self.engine.backward('net', losses)
        for sums in found:
            if self._center['weight']:
                sums['center'] = sums['loss'] / self._center['weight']
            sums['loss'] = sums['cross_entropy'] + sums['loss']
        return found

    def _count(self, name, logits, labels, sums):
        """The loss of a view. It is added to the sums, with how many of the pictures are classified rightly."""
        logits = logits.astype('float32', copy=False)
        loss = self._cross_entropy(logits, labels).mean() / 3
        with autograd.pause():
            sums['cross_entropy'] = sums['cross_entropy'] + loss.detach()
            sums[f'train_{name}_top1'] = (logits.argmax(axis=1) == labels).mean()
        return loss

    # -- use ---------------------------------------------------------------------------------------------------------

    def logits_of(self, images):
        _, raw, refined, _ = self._two_stage(images)
        return joined(mx.nd, raw, refined, self._net.variant)

    def outcomes(self, images):
        """As :meth:`Classifier.outcomes`: both stages together, and each alone: 'raw' and 'refined'."""
        found = [self._two_stage(part)[1:3] for part in self.on_devices(images)]
        return {'': [joined(mx.nd, raw, refined, self._net.variant) for raw, refined in found],
                'raw': [raw for raw, _ in found], 'refined': [refined for _, refined in found]}

    def seen(self, photo):
        """The part of a photo that the network gets: uint8 [H, W, 3] -> uint8 [S, S, 3]. See `crop`."""
        return squeezed_middle(photo, self._size, self._crop)

    def views(self, image):
        """What the network attends to in a photo, all of it on the part that it sees.

        Returns
        -------
        dict of name -> RGB uint8 [H, W, 3]
            'attention': the mean of the maps, and each map, red being the greatest attention of all maps;
            'crop': the box that the second stage looks at, and what it sees;
            'drop': the strongest map, and what is left without the part that it lies on, as in training.
        """
        check_images([image])
        images = mx.nd.array(self._prepare([image]), ctx=self.ctx[0])
        seen, = self._pictures(images)
        attention = self._net(images)[2].astype('float32', copy=False)
        crops, boxes = self._two_stage.view(images, attention)
        maps = attention[0].asnumpy()   # [M, h, w]
        strongest = int(maps.mean(axis=(1, 2)).argmax())
        drops = self._views.drop(images, attention[:, strongest:strongest + 1],
                           mx.nd.full((1, 1, 1, 1), DROPPED, ctx=images.context))
        heats = [draw_heat(seen, maps.mean(axis=0)), *(draw_heat(seen, each, maps.max()) for each in maps)]
        return {'attention': labelled_sheet(heats, [['mean'], *([f'{place}'] for place in range(len(maps)))], TILE),
                'crop': labelled_sheet([_outlined(seen, boxes[0]), self._pictures(crops)[0]], [[], []], LARGE),
                'drop': labelled_sheet([draw_heat(seen, maps[strongest]), self._pictures(drops)[0]], [[], []], LARGE)}

    def picture(self, batch):
        """Up to 4 images of the batch: with the likeliest class, the true one in brackets where it is another, and the
        box that the second stage looks at; the mean of the attention maps; and what the second stage sees.
        """
        images, labels = (array[:SHOWN].as_in_context(self.ctx[0]) for array in batch.arrays)
        attention = self._net(images)[2].astype('float32', copy=False)
        crops, boxes = self._two_stage.view(images, attention)
        heat = attention.mean(axis=1).asnumpy()
        tiles, words = [], []
        for picture, crop, box, each, said in zip(self._pictures(images), self._pictures(crops), boxes, heat,
                                                  self._said(labels, self.logits_of(images).asnumpy())):
            tiles += [_outlined(picture, box), draw_heat(picture, each), crop]
            words += [said, [], []]
        return labelled_sheet(tiles, words, TILE)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: both stages as one graph."""
        if decode:
            raise ValueError('decode: wsdan has nothing to decode, its outputs are probabilities')
        height, width = size or 2 * (self._size,)
        return Exported(self._two_stage, {'image': (batch, 3, height, width)},
                        ['probabilities', 'raw_logits', 'refined_logits', 'boxes'], {
            'task': 'wsdan', 'class_names': self.class_names, 'input_size': [height, width],
            'mean': list(self._mean), 'std': list(self._std), 'notes': [],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, (0..255 - mean) / std; the middle of a photo whose sides '
                                f'are resized to input_size / {self._crop} pixels, whatever its aspect ratio'},
            'outputs': {'probabilities': 'float32 [B, classes], of both stages together',
                        'raw_logits': 'float32 [B, classes], of the image alone',
                        'refined_logits': 'float32 [B, classes], of the part in the box alone',
                        'boxes': 'float32 [B, 4]: xmin, ymin, xmax, ymax in pixels of the image: what the second stage '
                                 'looks at'}})

    def _pictures(self, images):
        """Inputs of the network as pictures: NDArray [B, 3, S, S] -> uint8 [B, S, S, 3]"""
        return from_chw(images.asnumpy(), self._mean, self._std)


def _outlined(picture, box):
    """The picture, enlarged if it is small, with what of the box is in it."""
    scale = -(-LARGE // len(picture))
    picture = picture.repeat(scale, 0).repeat(scale, 1)
    edges = (scale * box.asnumpy()).clip(0, len(picture))
    return draw_boxes(picture, [], [], [], [], truth=[edges])
