"""Pictures from noise: how DCGAN, WGAN and WGAN-GP are trained, and how good what they make is.

Papers: "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (DCGAN, Radford
et al., ICLR 2016, https://arxiv.org/abs/1511.06434); "Wasserstein GAN" (Arjovsky et al., ICML 2017,
https://arxiv.org/abs/1701.07875); "Improved Training of Wasserstein GANs" (WGAN-GP, Gulrajani et al., NeurIPS 2017,
https://arxiv.org/abs/1704.00028).
Official codes: github.com/martinarjovsky/WassersteinGAN, main.py; github.com/igul222/improved_wgan_training,
gan_64x64.py, gan_cifar.py and gan_cifar_resnet.py. The turns are those of MMagic: github.com/open-mmlab/mmagic,
mmagic/models/base_models/base_gan.py.

Deviations:

1. WGAN's critic is to give real pictures a high score, as the paper says, where the official code gives them a low one:
   the same training with the sign of the score turned.
2. Pictures are made with the running statistics of batch normalisation, as those of other networks are tested, and with
   the averaged weights, if there are some. The official codes of WGAN and WGAN-GP make theirs in the mode of training,
   where a picture depends on the others of its batch.
3. MXNet updates running statistics in the backward pass alone: those of the generator come from its own turns.
4. WGAN's generator has a turn at the end of each epoch, however many turns its critic has had. Here, the critic's turns
   are counted on from epoch to epoch.
5. gan_cifar_resnet.py adds uniform noise of 0..1/128 to real pictures. Here they are as they are.
"""
import mxnet as mx
import numpy as np
from mxnet import autograd

from ...memory import bytes_of
from ...memory import require as require_memory
from ...metrics.ms_ssim import ms_ssim
from ...metrics.sliced_wasserstein import LEAST, sliced_wasserstein
from ...pictures.chw import from_signed
from ...pictures.contact_sheet import contact_sheet
from ...registry import TASKS
from ...values import COUNT, NUMBER, OBJECT, whole
from ..base import Exported, FirstTime, chunks, late
from .base import AdversarialTask
from .critic_steps import STEPS
from .noise import NOISE, draw, draw_for, path_between

__all__ = ['Generation']

OPTIMIZER = {'name': 'adam', 'learning_rate': 2e-4, 'beta1': 0.5}   # DCGAN's
SHOWN = 64   # pictures on a sheet
AT_ONCE = 64   # pictures that the generator makes together


@TASKS.register('generation')
class Generation(AdversarialTask):
    """Trains a generator to make pictures from noise, against a discriminator that sees them and real ones.

    A batch's array is real pictures, [B, C, S, S], -1..1; C, 1 or 3, and S are the generator's. In each step, the
    discriminator has its turn: with the batch and with as many made pictures, each in a pass of its own, as batch
    normalisation wants. The generator's turn is about pictures from new noise.

    Parameters
    ----------
    generator : HybridBlock
        noise [B, Z] -> pictures [B, C, S, S], -1..1; has the attributes `noise` (Z), `channels` (C) and `image_size`
        (S)
    discriminator : HybridBlock
        pictures [B, C, S, S] -> raw scores, one or more a picture; not needed to make pictures
    objective : {'vanilla', 'lsgan', 'wgan', 'wgan-gp'}
        'vanilla': DCGAN. See :class:`AdversarialTask`.
    optimizer : dict
        of both trainers or by name, see :class:`AdversarialTask`; by default, DCGAN's
    noise : {'normal', 'uniform'}
        N(0, 1), or -1..1, which the paper of DCGAN has; its code and the others have normal noise
    critic_steps, generator_steps, clip, penalty
        see :class:`AdversarialTask`
    generator_images : int, 1 or more
        how many pictures the generator's turn is about, for each of the batch: 2 in the residual networks of WGAN-GP's
        CIFAR code

    Attributes
    ----------
    features : gluonzoo.metrics.picture_features.PictureFeatures or None
        if it is set, :meth:`evaluate` measures FID and KID on it, too
    """

    main_metric = 'SWD', 'min'
    same_images = False
    keeps_memory = False
    features = None

    def __init__(self, generator, discriminator=None, objective='vanilla', optimizer=OPTIMIZER, noise='normal',
                 critic_steps: STEPS = 1, generator_steps=1, clip: NUMBER = None, penalty: OBJECT = None,
                 generator_images: whole(1, 1000) = 1):
        if noise not in NOISE:
            raise ValueError(f'noise: must be one of {", ".join(map(repr, NOISE))}: {noise!r}')
        super().__init__(objective, optimizer, critic_steps, generator_steps, clip, penalty, generator=generator,
                         discriminator=discriminator)
        for name in ('noise', 'channels', 'image_size'):
            if not COUNT.holds(getattr(generator, name, None)):
                raise ValueError(f'generator: must have the attributes noise, channels and image_size, whole numbers; '
                                 f'{name} is {getattr(generator, name, None)!r}')
        if generator.channels not in (1, 3):
            raise ValueError(f'generator: must make pictures of 1 channel or 3: {generator.channels}')
        self._noise, self._length = noise, generator.noise
        self._generator_images = generator_images
        self._shape = generator.channels, generator.image_size, generator.image_size

    def input_shapes(self, name):
        return [(1, self._length) if name == 'generator' else (1, *self._shape)]

    def check_outputs(self, outputs):
        if outputs['generator'].shape != (1, *self._shape):
            raise ValueError(f'generator: must return {(1, *self._shape)} for {(1, self._length)}; it returns '
                             f'{outputs["generator"].shape}')

    def check_data(self, part, dataset):
        shape = getattr(getattr(dataset, 'transform', None), 'arrays', (self._shape,))[0]
        if tuple(shape) != self._shape:
            raise ValueError(f'{part}.transform: must make pictures {list(self._shape)}, as the generator does: '
                             f'{list(shape)}')
        if part == 'val_data':
            self._check_measures(len(dataset))

    def _check_measures(self, count):
        """ValueError if :meth:`evaluate` cannot measure so many pictures, or pictures of this size."""
        if count < LEAST:
            raise ValueError(f'val_data: must have {LEAST} pictures or more, to compare made ones with real ones; has '
                             f'{count}')
        black = np.zeros((LEAST, *self._shape[1:], 3), 'uint8')
        try:
            sliced_wasserstein(black, black, patches=1, directions=1)
            ms_ssim(black)
        except ValueError as error:
            raise ValueError(f'generator: pictures of {self._shape[1]} pixels cannot be measured: {error}') from None

    # -- training ----------------------------------------------------------------------------------------------------

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`.

        The losses: 'D_fake' and 'D_real', whose sum the discriminator minimises; 'D_penalty' of 'wgan-gp', too; and
        'G'. With 'wgan' and 'wgan-gp', -(D_fake + D_real) is the estimate of the Wasserstein distance, up to a factor.
        """
        self._check(batch)
        return super().train_step(batch, step)

    def generate(self, part):
        return self._make_for(*part)

    def generate_to_learn(self, part):
        return self._make_for(*part, self._generator_images)

    def _make_for(self, real, times=1):
        return self._make(draw_for(self._noise, (times * len(real), self._length), real.ctx))

    def discriminator_losses(self, part, fake):
        (real,), fake = part, fake.detach()
        judge = self.networks['discriminator']
        losses = {'D_real': self.adversarial(judge(real).astype('float32', copy=False), 1),
                  'D_fake': self.adversarial(judge(fake).astype('float32', copy=False), 0)}
        for penalty in self.penalties.values():
            losses['D_penalty'] = penalty(real, fake)
        return {**losses, 'loss': mx.nd.add_n(*losses.values())}

    def generator_losses(self, part, fake):
        loss = self.adversarial(self.frozen['discriminator'](fake).astype('float32', copy=False), 1)
        return {'G': loss, 'loss': loss}

    def _make(self, noise):
        return self.networks['generator'](noise).astype('float32', copy=False)

    def _check(self, batch):
        array, = batch.arrays
        if array.shape[1:] != self._shape:
            raise ValueError(f'pictures: must be [B, {", ".join(map(str, self._shape))}], as the generator makes them: '
                             f'{list(array.shape)}')

    # -- use ---------------------------------------------------------------------------------------------------------

    def evaluate(self, batches):
        """How far as many made pictures are from the real ones; the noise is always the same.

        Returns
        -------
        dict
            'SWD': the sliced Wasserstein distance of patches, times 1000, the mean over sizes; 'SWD 32' and such: of
            one size. Smaller is better. 'MS-SSIM': how alike two made pictures are, 0 to 1: near that of real pictures,
            'MS-SSIM real', is better. With `features`, FID and KID, whose names say on which network's features.
        """
        is_new, real = FirstTime(), []
        for batch in batches:
            self._check(batch)
            fresh = [i for i, record in enumerate(batch.records.tolist()) if is_new(record)]
            if fresh:
                real.append(self._pictures(batch.arrays[0].asnumpy()[fresh]))
        if not real:
            raise ValueError('batches: there must be at least one picture')
        real = np.concatenate(real)
        made = np.stack(self.sample(len(real)))
        found = {**sliced_wasserstein(real, made), 'MS-SSIM': ms_ssim(made), 'MS-SSIM real': ms_ssim(real)}
        if self.features is not None:
            found.update(self.features.distances(real, made))
        return found

    def sample(self, count, seed=0, truncation=None):
        """Makes pictures from noise.

        Parameters
        ----------
        count : int, 1 or more
        seed : int, 0 or more
            the picture number i of a seed is always the same, whatever `count` is, but for rounding: a colour may
            differ by 1 of 255
        truncation : float, optional
            see :func:`gluonzoo.tasks.adversarial.noise.draw`

        Returns
        -------
        list of uint8 arrays [S, S, 3], RGB

        Raises ValueError for a truncation out of range, or of uniform noise.
        """
        require_memory(f'count: {count} pictures', count * bytes_of([(3, *self._shape[1:])]))
        return self._made_of(draw(self._noise, count, self._length, seed, truncation))

    def walk(self, start, end, steps, truncation=None):
        """Pictures on the way from the first picture of the seed `start` to that of `end`: list of uint8 [S, S, 3].

        Both ends are included, so `steps` is at least 2.
        """
        ends = (draw(self._noise, 1, self._length, seed, truncation)[0] for seed in (start, end))
        return self._made_of(path_between(self._noise, *ends, steps))

    def picture(self, batch):
        """Up to 64 made pictures, always of the same noise. The batch is not used."""
        return contact_sheet(self.sample(SHOWN), columns=8, gap=2)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the generator, which takes noise."""
        if decode:
            raise ValueError('decode: a generator has nothing to decode, its outputs are pictures')
        if size is not None:
            raise ValueError(f'size: the generator takes noise, and makes pictures of {self._shape[1]} pixels alone')
        return Exported(self.networks['generator'], {'noise': (batch, self._length)}, ['picture'], {
            'task': 'generation', 'inputs': {'noise': f'float32 [B, {self._length}], {self._noise} noise, '
                                             + ('N(0, 1)' if self._noise == 'normal' else '-1..1')},
            'outputs': {'picture': f'float32 {["B", *self._shape]}'.replace("'", '') + ', -1..1: (value + 1) * 127.5; '
                        + ('RGB' if self._shape[0] == 3 else 'grey')}, 'notes': []})

    def _made_of(self, rows):
        """Pictures of noise [n, Z], a few at a time, on the devices in turn."""
        def made():
            for i, some in enumerate(chunks(rows, AT_ONCE)):
                with autograd.predict_mode():
                    yield self._make(mx.nd.array(np.stack(some), ctx=self.ctx[i % len(self.ctx)]))
        return [picture for array in late(made(), len(self.ctx)) for picture in self._pictures(array.asnumpy())]

    @staticmethod
    def _pictures(values):
        """[n, C, S, S], -1..1 -> uint8 [n, S, S, 3]"""
        return from_signed(values).repeat(3 // values.shape[1], axis=-1)
