"""Translation of pictures into pictures, learned from pairs: the objectives, updates and test of pix2pix.

Paper: "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., CVPR 2017,
https://arxiv.org/abs/1611.07004). Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix.
"""
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ...graph.frozen import Frozen
from ...graph.own_statistics import by_own_statistics
from ...nn.concat import concat
from ...pictures.check import check_images
from ...pictures.chw import from_signed, to_signed
from ...pictures.contact_sheet import contact_sheet
from ...pictures.resize import resize
from ...registry import TASKS, get_model
from ..base import Exported, FirstTime, Task

__all__ = ['ImagePool', 'ImageTranslation', 'image_translation']

OPTIMIZER = {'name': 'adam', 'learning_rate': 2e-4, 'beta1': 0.5}   # pix2pix's
OBJECTIVES = ('vanilla', 'lsgan', 'wgan')
TEST_MODES = ('batch', 'running')
SHOWN = 4   # pairs in a picture


class ImagePool:
    """Keeps made images of earlier steps, so that the discriminator does not forget how they looked.

    Parameters
    ----------
    size : int
        images in it at most; with 0, all that is given comes back as it is
    """

    def __init__(self, size):
        self.size = size
        self.images = []   # NDArrays [1, C, H, W], on the devices that made them

    def query(self, images):
        """Puts images [B, C, H, W] into the pool, and returns as many.

        While there is room, an image is kept and comes back. Then one in two comes back and is not kept; the others
        change places with one of the pool. What is random comes from ``np.random``. Does not wait for a device.
        """
        if not self.size:
            return images
        return mx.nd.concat(*(self._swapped(images[i:i + 1]) for i in range(len(images))), dim=0)

    def _swapped(self, image):
        if len(self.images) < self.size:
            self.images.append(image.copy())   # a slice would hold the memory of its batch
            return image
        if np.random.random() < .5:
            return image
        place = np.random.randint(self.size)
        old, self.images[place] = self.images[place], image.copy()
        return old.as_in_context(image.ctx)


class ImageTranslation(Task):
    """Trains a generator to turn one picture of a pair into the other, against a discriminator that sees both.

    A batch's arrays are inputs and targets, [B, 3, S, S] each, -1..1, S being `image_size`. Results are pictures, RGB
    uint8 [H, W, 3], of the size of the pictures that were given.

    In a step, the discriminator is updated first, along half the sum of its losses for made and for real pairs; then
    the generator. With `accumulate` above 1 the generator makes its images twice in a step, each time with a dropout of
    its own: otherwise the memory would have to hold what all rounds have computed.

    The networks and trainers are 'generator' and 'discriminator'.

    Parameters
    ----------
    generator : HybridBlock
        [B, 3, S, S] -> [B, 3, S, S], both -1..1
    discriminator : HybridBlock
        [B, 6, S, S] (input and output of the generator) -> raw scores of any shape
    image_size : int
        S, pixels. Pictures to predict are resized to S x S, whatever their aspect ratio, as pix2pix tests, and the
        results back to their size; each by area where neither side grows, else cubic.
    objective : {'vanilla', 'lsgan', 'wgan'}
        'vanilla': binary cross-entropy of the scores; 'lsgan': their squared distance to 1 (real) and 0 (made); 'wgan':
        their mean, with nothing to bound the critic: neither a gradient penalty, as MXNet has no second derivatives
        of convolutions, nor clipped weights.
    lambda_l1 : float
        weight of the mean absolute difference to the target, beside the adversarial loss
    pool_size : int
        of the :class:`ImagePool`, which is shared by the devices and belongs to the state; 0: none. Of several
        machines each has its own, and after a resumption all begin with that of the first.
    optimizer : dict
        of both trainers, see :meth:`Task.add_trainer`; by default, pix2pix's own
    test_mode : {'batch', 'running'}
        'batch', as pix2pix tests: with dropout, and each picture normalised by its own statistics. 'running': without
        dropout, and by the statistics that training has collected.
    **options
        of :class:`Task`
    """

    main_metric = 'SSIM'

    def __init__(self, generator, discriminator, image_size=256, objective='vanilla', lambda_l1=100, pool_size=0,
                 optimizer=OPTIMIZER, test_mode='batch', **options):
        for name, value, known in (('objective', objective, OBJECTIVES), ('test_mode', test_mode, TEST_MODES)):
            if value not in known:
                raise ValueError(f'{name} must be one of {", ".join(map(repr, known))}: {value!r}')
        for name, value, least in (('image_size', image_size, 8), ('pool_size', pool_size, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f'{name} must be a whole number, at least {least}: {value!r}')
        if not 0 <= lambda_l1 < float('inf'):
            raise ValueError(f'lambda_l1 must be a number, 0 or more: {lambda_l1!r}')
        super().__init__(**options)
        self._generator, self._discriminator = generator, discriminator
        self._size, self._lambda_l1, self._test_mode = image_size, lambda_l1, test_mode
        shape = (1, 3, image_size, image_size)
        output = self._add('generator', generator, shape)
        if output.shape != shape:
            raise ValueError(f'generator must return {shape} for {shape}; it returns {output.shape}')
        self._add('discriminator', discriminator, (1, 6, image_size, image_size))
        for name in ('generator', 'discriminator'):
            self.add_trainer(name, optimizer, name)
        self._frozen_discriminator = Frozen(discriminator)
        self._pool = ImagePool(pool_size)
        self._adversarial = {'vanilla': _cross_entropy, 'lsgan': _squared, 'wgan': _critic}[objective]

    def _add(self, name, net, shape):
        try:
            return self.add_network(name, net, shape)
        except mx.MXNetError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ValueError(f'{name}: does not take {list(shape)}, of image_size {shape[-1]}: {reason}') from error

    # -- training ----------------------------------------------------------------------------------------------------

    def train_step(self, batch):
        """As :meth:`Task.train_step`.

        The losses: 'D_fake' and 'D_real' of the discriminator, before they are halved; 'G_GAN' and 'G_L1', times
        `lambda_l1`, of the generator, against the discriminator after its update.
        """
        self._check(batch)
        rounds = self.parts(batch)
        once = len(rounds) == 1
        made = []
        for parts in rounds:
            with autograd.record() if once else autograd.train_mode():
                made.append([self._generate(a) for a, _ in parts])
        judged = [self._learn_to_judge(parts, fakes) for parts, fakes in zip(rounds, made)]
        self.update('discriminator')
        fooled = [self._learn_to_fool(parts, fakes if once else None) for parts, fakes in zip(rounds, made)]
        self.update('generator')
        return {**self.mean(sum(judged, [])), **self.mean(sum(fooled, []))}

    def _learn_to_judge(self, parts, fakes):
        """The discriminator's gradients of one round. Returns its losses, a dict a device."""
        scalars = []
        for (a, b), fake in zip(parts, fakes):
            # Detached, also what needs no gradient: the generator's graph has these arrays too, and is still needed.
            a, b = a.detach(), b.detach()
            pairs = self._pool.query(concat(mx.nd, a, fake.detach())), concat(mx.nd, a, b)
            with autograd.record():
                on_fake, on_real = (self._adversarial(self._judge(self._discriminator, pair), real)
                                    for pair, real in zip(pairs, (0, 1)))
                loss = (on_fake + on_real) / 2
            scalars.append({'D_fake': on_fake, 'D_real': on_real, 'loss': loss})
        self.backward('discriminator', [each.pop('loss') for each in scalars])
        return scalars

    def _learn_to_fool(self, parts, fakes):
        """The generator's gradients of one round. Returns its losses, a dict a device."""
        scalars = []
        with autograd.record():
            for i, (a, b) in enumerate(parts):
                fake = fakes[i] if fakes else self._generate(a)
                # Frozen: what the discriminator would learn from this is of no use.
                adversarial = self._adversarial(self._judge(self._frozen_discriminator, concat(mx.nd, a, fake)), 1)
                l1 = self._lambda_l1 * (fake - b).abs().mean()
                scalars.append({'G_GAN': adversarial, 'G_L1': l1, 'loss': adversarial + l1})
        self.backward('generator', [each.pop('loss') for each in scalars])
        return scalars

    def _generate(self, images):
        return self._generator(images).astype('float32', copy=False)

    @staticmethod
    def _judge(discriminator, pairs):
        return discriminator(pairs).astype('float32', copy=False)

    def state(self):
        """{'pool': the images of the pool, float32 [n, 6, S, S]}, or {} while that is empty."""
        images = self._pool.images
        return {'pool': np.concatenate([image.asnumpy() for image in images])} if images else {}

    def load_state(self, state):
        """Takes what :meth:`state` returned. ValueError if that is of another size, or the pool has no room for it."""
        if set(state) - {'pool'}:
            raise ValueError(f"ImageTranslation has no state but 'pool'; got {', '.join(map(repr, sorted(state)))}")
        shape = 6, self._size, self._size
        images = state.get('pool', np.empty((0, *shape), 'float32'))
        if images.dtype != np.float32 or images.shape[1:] != shape or len(images) > self._pool.size:
            raise ValueError(f'pool must be float32 and at most {[self._pool.size, *shape]}: {images.dtype} '
                             f'{list(images.shape)}')
        self._pool.images = [mx.nd.array(image[None], ctx=self.ctx[0]) for image in images]

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
        """The translation of each picture, of its size. See `image_size` for how it is resized.

        Each is computed by itself. Dropout, if `test_mode` has it, is the same each time: MXNet's random numbers are
        seeded for it.

        Raises ValueError for an array that is no RGB image of type uint8.
        """
        check_images(images)
        inputs = (mx.nd.array(to_signed([resize(image, self._size, self._size)])) for image in images)
        return [resize(from_signed(output.asnumpy()[0]), *image.shape[1::-1])
                for image, output in zip(images, self._test(inputs))]

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

        With the `test_mode` 'batch' each picture is normalised by its own statistics, as :meth:`predict` does, in a
        batch of any size. So the result is that of :meth:`predict`, but for the dropout that this has then.
        """
        if decode:
            raise ValueError('decode: image translation has nothing to decode, its outputs are pictures')
        height, width = size or 2 * (self._size,)
        own = self._test_mode == 'batch'
        return Exported(by_own_statistics(self._generator) if own else self._generator,
                        {'image': (batch, 3, height, width)}, ['translation'], {
            'task': 'image_translation', 'input_size': [height, width],
            'inputs': {'image': 'float32 [B, 3, H, W], RGB, 0..255 / 127.5 - 1, resized to input_size without keeping '
                                'the ratio, by area where that shrinks it and else cubically'},
            'outputs': {'translation': 'float32 [B, 3, H, W], RGB, -1..1: (value + 1) * 127.5'},
            'notes': ['where the generator normalises, each picture is normalised by its own statistics, as predict.py '
                      'does; where it has dropout, which predict.py applies, that is left out' if own else
                      'where the generator normalises, it is by the statistics of the training, as predict.py does']})

    def _check(self, batch):
        shape = 3, self._size, self._size
        for name, array in zip(('inputs', 'targets'), batch.arrays):
            if array.shape[1:] != shape:
                raise ValueError(f'{name} must be [B, {", ".join(map(str, shape))}], by image_size: '
                                 f'{list(array.shape)}')

    def _test(self, inputs):
        """Outputs for inputs [1, 3, S, S], one by one, on the devices in turn. Does not wait."""
        outputs = []
        for i, image in enumerate(inputs):
            with autograd.train_mode() if self._test_mode == 'batch' else autograd.predict_mode():
                mx.random.seed(0)   # what is made of a picture shall not depend on what came before
                outputs.append(self._generate(image.as_in_context(self.ctx[i % len(self.ctx)])))
        return outputs


@TASKS.register
def image_translation(generator, discriminator, image_size=256, objective='vanilla', lambda_l1=100, pool_size=0,
                      optimizer=OPTIMIZER, test_mode='batch', accumulate=1, clip_norm=None, amp=None, ctx=None,
                      kvstore='device'):
    """An :class:`ImageTranslation` from settings that a JSON file can hold.

    Parameters
    ----------
    generator, discriminator : dict
        'name' of a model, and its keywords
    image_size, objective, lambda_l1, pool_size, optimizer, test_mode
        see :class:`ImageTranslation`
    accumulate, clip_norm, amp, ctx, kvstore
        see :class:`Task`
    """
    return ImageTranslation(get_model(**generator), get_model(**discriminator), image_size, objective, lambda_l1,
                            pool_size, optimizer, test_mode, accumulate=accumulate, clip_norm=clip_norm, amp=amp,
                            ctx=ctx, kvstore=kvstore)


# -- what scores are worth: raw scores, and whether they should be those of real pairs; -> [1] -----------------------

_bce, _l2 = gluon.loss.SigmoidBCELoss(), gluon.loss.L2Loss(weight=2)   # 2: MXNet's is half of the square


def _cross_entropy(scores, real):
    return _bce(scores, mx.nd.full(scores.shape, real, ctx=scores.ctx)).mean()


def _squared(scores, real):
    return _l2(scores, mx.nd.full(scores.shape, real, ctx=scores.ctx)).mean()


def _critic(scores, real):
    return -scores.mean() if real else scores.mean()
