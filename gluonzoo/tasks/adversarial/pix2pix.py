"""Translation of pictures into pictures, learned from pairs: the objectives, updates and test of pix2pix.

Paper: "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., CVPR 2017,
https://arxiv.org/abs/1611.07004). Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix.

Deviations, of running statistics alone, which the test by 'batch' does not use, nor a training:

1. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1; see
   models/unet.py.
2. MXNet updates running statistics in the backward pass, PyTorch in the forward pass. So those of the discriminator
   have seen the real pairs before the generated ones; there, the generated ones first.
"""
import warnings

import mxnet as mx
import numpy as np
from mxnet import autograd
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ...graph.own_statistics import by_own_statistics
from ...nn.concat import concat
from ...pictures.check import check_images
from ...pictures.chw import from_signed, to_signed
from ...pictures.contact_sheet import contact_sheet
from ...pictures.resize import resize
from ...registry import TASKS
from ...values import OBJECT, SIDE
from ..base import Exported, FirstTime
from .base import AdversarialTask
from .image_pool import ImagePool

__all__ = ['Pix2Pix']

OPTIMIZER = {'name': 'adam', 'learning_rate': 2e-4, 'beta1': 0.5}   # pix2pix's
TEST_MODES = ('batch', 'running')
SHOWN = 4   # pairs in a picture


@TASKS.register('pix2pix')
class Pix2Pix(AdversarialTask):
    """Trains a generator to turn one picture of a pair into the other, against a discriminator that sees both.

    A batch's arrays are inputs and targets, [B, 3, S, S] each, -1..1, S being `image_size`. Results are pictures, RGB
    uint8 [H, W, 3], of the size of the pictures that were given.

    In a step, the discriminator is updated first, along half the sum of its losses for generated and for real pairs.
    Then the generator is updated.

    Parameters
    ----------
    generator : HybridBlock
        [B, 3, S, S] -> [B, 3, S, S], both -1..1
    discriminator : HybridBlock
        [B, 6, S, S] (input and output of the generator) -> raw scores of any shape; not needed to predict
    image_size : int
        S, pixels. As pix2pix tests, pictures to predict are resized to S x S, whatever their aspect ratio, and the
        results are resized back. Both are by area where neither side grows, else cubic.
    objective : {'vanilla', 'lsgan', 'wgan', 'wgan-gp'}
        'vanilla': binary cross-entropy of the scores. 'lsgan': their squared distance to 1 (real) and 0 (generated).
        'wgan': their mean. The critic of 'wgan' is not bounded: weights are not clipped. 'wgan-gp': their mean, and
        the penalty of the critic's gradient by both pictures of a pair, which is halved as the other losses are. Its
        discriminator must not have batch normalisation; see :mod:`gluonzoo.tasks.adversarial.penalty`.
    lambda_l1 : float
        weight of the mean absolute difference to the target, beside the adversarial loss
    pool_size : int
        size of the :class:`~gluonzoo.tasks.adversarial.image_pool.ImagePool` of generated pairs; 0: none
    optimizer : dict
        of both trainers or by name, see :class:`AdversarialTask`; by default, pix2pix's own
    test_mode : {'batch', 'running'}
        'batch', as pix2pix tests: with dropout, and each picture normalised by its own statistics. 'running': without
        dropout, and by the statistics that training has collected.
    penalty : dict, optional
        of 'wgan-gp': keywords of :class:`~gluonzoo.tasks.adversarial.penalty.GradientPenalty`
    """

    main_metric = 'SSIM', 'max'

    def __init__(self, generator, discriminator=None, image_size: SIDE = 256, objective='vanilla', lambda_l1=100.0,
                 pool_size=0, optimizer=OPTIMIZER, test_mode='batch', penalty: OBJECT = None):
        if test_mode not in TEST_MODES:
            raise ValueError(f'test_mode: must be one of {", ".join(map(repr, TEST_MODES))}: {test_mode!r}')
        if isinstance(image_size, bool) or not isinstance(image_size, int) or image_size < 8:
            raise ValueError(f'image_size: must be a whole number, at least 8: {image_size!r}')
        if not 0 <= lambda_l1 < float('inf'):
            raise ValueError(f'lambda_l1: must be a number, 0 or more: {lambda_l1!r}')
        super().__init__(objective, optimizer, penalty=penalty, generator=generator, discriminator=discriminator)
        self._size, self._lambda_l1, self._test_mode = image_size, lambda_l1, test_mode
        self._pool = self.keep('pool', ImagePool(pool_size, (6, image_size, image_size)))

    def input_shapes(self, name):
        return [(1, 3 if name == 'generator' else 6, self._size, self._size)]

    def check_outputs(self, outputs):
        shape, = self.input_shapes('generator')
        if outputs['generator'].shape != shape:
            raise ValueError(f'generator: must return {shape} for {shape}; it returns {outputs["generator"].shape}')

    # -- training ----------------------------------------------------------------------------------------------------

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`.

        The losses: 'D_fake' and 'D_real' of the discriminator, and with 'wgan-gp' 'D_penalty', before they are halved;
        'G_GAN' and 'G_L1', times `lambda_l1`, of the generator, against the discriminator after its update.
        """
        self._check(batch)
        return super().train_step(batch, step)

    def generate(self, part):
        return self._translate(part[0])

    def discriminator_losses(self, part, fake):
        with autograd.pause():
            # All are detached, also the inputs: the generator's graph has these arrays too, and is still needed.
            a, b = (x.detach() for x in part)
            made, real = self._pool.query(concat(mx.nd, a, fake.detach())), concat(mx.nd, a, b)
        on_fake = self.adversarial(self._judge(self.networks['discriminator'], made), 0)
        on_real = self.adversarial(self._judge(self.networks['discriminator'], real), 1)
        losses = {'D_fake': on_fake, 'D_real': on_real}
        for penalty in self.penalties.values():
            losses['D_penalty'] = penalty(real, made)
        return {**losses, 'loss': mx.nd.add_n(*losses.values()) / 2}

    def generator_losses(self, part, fake):
        a, b = part
        # Frozen: gradients of the discriminator's parameters are of no use here.
        adversarial = self.adversarial(self._judge(self.frozen['discriminator'], concat(mx.nd, a, fake)), 1)
        l1 = self._lambda_l1 * (fake - b).abs().mean()
        return {'G_GAN': adversarial, 'G_L1': l1, 'loss': adversarial + l1}

    def _translate(self, images):
        return self.networks['generator'](images).astype('float32', copy=False)

    @staticmethod
    def _judge(discriminator, pairs):
        return discriminator(pairs).astype('float32', copy=False)

    # -- use ---------------------------------------------------------------------------------------------------------

    def evaluate(self, batches):
        """How close the outputs are to the targets; means over the pictures.

        Returns
        -------
        dict
            'L1': mean absolute difference, of values -1..1.
            'PSNR' (dB) and 'SSIM' (windows of 7x7): of the pictures as uint8 RGB, by scikit-image.
        """
        found, is_new = [], FirstTime()
        for batch in batches:
            self._check(batch)
            inputs, targets = batch.arrays
            fresh = [i for i, record in enumerate(batch.records.tolist()) if is_new(record)]
            outputs = self._test([inputs[i:i + 1] for i in fresh])
            for output, target in zip(outputs, targets.asnumpy()[fresh]):
                output = output.asnumpy()[0]   # [1, 3, S, S] -> [3, S, S]
                pictures = from_signed(target), from_signed(output)
                found.append((np.abs(output - target).mean(), peak_signal_noise_ratio(*pictures, data_range=255),
                              structural_similarity(*pictures, data_range=255, channel_axis=2)))
        if not found:
            raise ValueError('batches: there must be at least one image')
        return dict(zip(('L1', 'PSNR', 'SSIM'), np.mean(found, axis=0).tolist()))

    def predict(self, images):
        """The translation of each picture, of the picture's size. See `image_size` for the resizing.

        Each picture is computed by itself. With the `test_mode` 'batch', dropout is the same each time: MXNet's random
        numbers are seeded.

        Raises ValueError for an array that is no RGB image of type uint8. A RuntimeWarning tells of an image that is
        twice as wide as high, since it may be a pair: it is translated as one picture.
        """
        check_images(images)
        self._tell_pairs(images)
        inputs = (mx.nd.array(to_signed([resize(image, self._size, self._size)])) for image in images)
        return [resize(from_signed(output.asnumpy()[0]), *image.shape[1::-1])
                for image, output in zip(images, self._test(inputs))]

    @staticmethod
    def _tell_pairs(images):
        pairs = [image.shape for image in images if image.shape[1] == 2 * image.shape[0]]
        if pairs:
            height, width, _ = pairs[0]
            warnings.warn(f'a picture of {width} x {height} pixels may be a pair, two side by side; it is translated '
                          'as one picture, squeezed to a square. Of a pair, give the half that is the input',
                          RuntimeWarning, stacklevel=3)

    def draw(self, image, result):
        """The result on the right of the image. -> uint8 [H, 2 W, 3]"""
        return np.hstack([image, result])

    def describe(self, result):
        """{}: a picture says it all."""
        return {}

    def picture(self, batch):
        """Up to 4 pairs of the batch, one a row: input, output, target."""
        self._check(batch)
        inputs, targets = (array[:SHOWN] for array in batch.arrays)
        tiles = []
        for i, output in enumerate(self._test([inputs[i:i + 1] for i in range(len(inputs))])):
            tiles += [from_signed(image.asnumpy()[0]) for image in (inputs[i:i + 1], output, targets[i:i + 1])]
        return contact_sheet(tiles, columns=3)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the generator, without dropout.

        With the `test_mode` 'batch', each picture is normalised by its own statistics, in a batch of any size. So the
        result is that of :meth:`predict` without dropout.
        """
        if decode:
            raise ValueError('decode: image translation has nothing to decode, its outputs are pictures')
        height, width = size or 2 * (self._size,)
        own = self._test_mode == 'batch'
        net = self.networks['generator']
        inputs = {'image': (batch, 3, height, width)}
        return Exported(by_own_statistics(net) if own else net, inputs, ['translation'], {
            'task': 'pix2pix', 'input_size': [height, width],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, 0..255 / 127.5 - 1, resized to input_size without keeping '
                                'the ratio, by area where that shrinks it and else cubically'},
            'outputs': {'translation': 'float32 [B, 3, H, W], RGB, -1..1: (value + 1) * 127.5'},
            'notes': ['where the generator normalises, each picture is normalised by its own statistics, as gluonzoo '
                      'predict does; where it has dropout, which gluonzoo predict applies, dropout is left out' if own
                      else 'where the generator normalises, it normalises by the statistics of the training, as '
                      'gluonzoo predict does']})

    def _check(self, batch):
        shape = 3, self._size, self._size
        for name, array in zip(('inputs', 'targets'), batch.arrays):
            if array.shape[1:] != shape:
                raise ValueError(f'{name}: must be [B, {", ".join(map(str, shape))}], by image_size: '
                                 f'{list(array.shape)}')

    def _test(self, inputs):
        """Outputs for inputs [1, 3, S, S], one by one, on the devices in turn. Does not wait."""
        outputs = []
        for i, image in enumerate(inputs):
            with autograd.train_mode() if self._test_mode == 'batch' else autograd.predict_mode():
                mx.random.seed(0)   # so that a result does not depend on the pictures before
                outputs.append(self._translate(image.as_in_context(self.ctx[i % len(self.ctx)])))
        return outputs
