"""Translation of pictures between two domains, learned without pairs: the objectives, updates and test of CycleGAN.

Paper: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al., ICCV 2017,
https://arxiv.org/abs/1703.10593). Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix,
models/cycle_gan_model.py.

Networks are called by what they do, and losses by the domain of the pictures that they are about:

================= ============= ==============================================
here              official code what
================= ============= ==============================================
generator_ab      G_A           makes pictures of B from those of A
generator_ba      G_B           makes pictures of A from those of B
discriminator_a   D_B           tells made pictures of A from real ones
discriminator_b   D_A           tells made pictures of B from real ones
D_A, G_A          D_B, G_B      losses of and about discriminator_a
D_B, G_B          D_A, G_A      losses of and about discriminator_b
cycle_A, cycle_B  the same      from A to B and back; from B to A and back
identity_A        idt_B         of generator_ba, given a picture of A
identity_B        idt_A         of generator_ab, given a picture of B
================= ============= ==============================================

Deviation:

1. With batch normalisation in the generators, a test is by the statistics that training has collected. The official
   code tests by those of the picture. With instance normalisation, as published, both are the same.
"""
from functools import partial

import mxnet as mx
import numpy as np
from mxnet import autograd

from ...memory import bytes_of
from ...memory import require as require_memory
from ...metrics.sliced_wasserstein import LEAST, sides, sliced_wasserstein
from ...pictures.check import check_images
from ...pictures.chw import from_signed, to_signed
from ...pictures.contact_sheet import contact_sheet
from ...pictures.reflected import reflected, reflected_size
from ...registry import TASKS
from ...values import COUNT, SIDE
from ..base import Exported, FirstTime, fetch, late
from .base import AdversarialTask
from .image_pool import ImagePool

__all__ = ['CycleGAN']

OPTIMIZER = {'name': 'adam', 'learning_rate': 2e-4, 'beta1': 0.5}   # CycleGAN's
DIRECTIONS = {'AtoB': ('generator_ab', 'generator_ba'), 'BtoA': ('generator_ba', 'generator_ab')}   # there, and back
SHOWN = 4      # records in a picture
LEAST_SIDE = 8   # pixels: the residual generators take no less
COMPARED = 512   # records of which the made pictures are compared with real ones: 400 MB at 256 x 256


@TASKS.register('cyclegan')
class CycleGAN(AdversarialTask):
    """Trains two generators, from A to B and from B to A, against two discriminators.

    A batch's arrays are pictures of A and pictures of B, [B, 3, S, S] each, -1..1, S being `image_size`. Nothing says
    which of them belong together. Results are pictures, RGB uint8 [H, W, 3], of the size of the pictures that were
    given.

    In a step, both generators are updated first, together: their pictures shall pass for real, a picture that goes
    there and back shall be the same again, and a picture that is of the wanted domain already shall not change. Then
    both discriminators are updated, together, each along half the sum of its losses for real and for made pictures;
    the made ones come from a pool of earlier ones.

    Parameters
    ----------
    generator_ab, generator_ba : HybridBlock
        [B, 3, H, W] -> [B, 3, H, W], both -1..1. One of them may be None to predict in the direction of the other.
    discriminator_a, discriminator_b : HybridBlock
        [B, 3, S, S] -> raw scores of any shape; not needed to predict
    image_size : int
        S, pixels; at least 16, and a multiple of what its halvings down to 16 ask for (256: 16; 100: 4)
    objective : {'lsgan', 'vanilla', 'wgan', 'wgan-gp'}
        see :class:`AdversarialTask`; published is 'lsgan'
    lambda_a, lambda_b : float
        weights of the mean absolute differences of pictures of A, and of B, that went there and back
    lambda_identity : float
        weight of the mean absolute difference of a picture that the generator for its own domain was given, as a part
        of `lambda_a` or `lambda_b`; 0: no such loss, and less work
    pool_size : int
        size of each :class:`~gluonzoo.tasks.adversarial.image_pool.ImagePool`, of made pictures of A and of B; 0: none
    optimizer : dict
        of both trainers or by name, see :class:`AdversarialTask`; by default, CycleGAN's own
    penalty : dict, optional
        see :class:`AdversarialTask`
    direction : {'AtoB', 'BtoA'}
        in which pictures are predicted, and what is exported
    multiple : int
        Pictures to predict keep their size. They are enlarged by reflection, so that this divides both sides, and the
        results are cropped: 4 for the residual generators, 2 ** levels for a U-Net.

    Attributes
    ----------
    features : gluonzoo.metrics.picture_features.PictureFeatures or None
        if it is set, :meth:`evaluate` measures FID and KID on it, too
    """

    network_names = ('generator_ab', 'generator_ba', 'discriminator_a', 'discriminator_b')
    used = ('generator_ab', 'generator_ba')
    turns = ('generator', 'discriminator')
    trained = {'generator': ('generator_ab', 'generator_ba'), 'discriminator': ('discriminator_a', 'discriminator_b')}
    passes = {'generator': 3}
    features = None
    main_metric = 'SWD', 'min'

    def __init__(self, generator_ab, generator_ba, discriminator_a=None, discriminator_b=None, image_size: SIDE = 256,
                 objective='lsgan', lambda_a=10.0, lambda_b=10.0, lambda_identity=0.5, pool_size=50,
                 optimizer=OPTIMIZER, penalty=None, direction='AtoB', multiple: COUNT = 4):
        for name, value in (('lambda_a', lambda_a), ('lambda_b', lambda_b), ('lambda_identity', lambda_identity)):
            if not 0 <= value < float('inf'):
                raise ValueError(f'{name}: must be a number, 0 or more: {value!r}')
        if direction not in DIRECTIONS:
            raise ValueError(f'direction: must be one of {", ".join(map(repr, DIRECTIONS))}: {direction!r}')
        _check_size(image_size)
        super().__init__(objective, optimizer, penalty=penalty, generator_ab=generator_ab, generator_ba=generator_ba,
                         discriminator_a=discriminator_a, discriminator_b=discriminator_b)
        if DIRECTIONS[direction][0] not in self.networks:
            raise ValueError(f'{DIRECTIONS[direction][0]}: must be a network for the direction {direction}; is None')
        self._size, self._direction, self._multiple = image_size, direction, multiple
        self._lambdas, self._identity = {'a': lambda_a, 'b': lambda_b}, lambda_identity
        # The pool of B is asked first, as in the official code.
        self._pools = {domain: self.keep(f'pool_{domain}', ImagePool(pool_size, (3, image_size, image_size)))
                       for domain in ('b', 'a')}

    def input_shapes(self, name):
        return [(1, 3, self._size, self._size)]

    def check_outputs(self, outputs):
        for name in self.used:
            shape, = self.input_shapes(name)
            if name in outputs and outputs[name].shape != shape:
                raise ValueError(f'{name}: must return {shape} for {shape}; it returns {outputs[name].shape}')

    def check_data(self, part, dataset):
        count = min(len(getattr(dataset, files, dataset)) for files in ('files_a', 'files_b'))
        if part == 'val_data' and count < LEAST:
            raise ValueError(f'val_data: must have {LEAST} pictures or more in a domain, to compare made ones with '
                             f'real ones; has {count}')

    # -- training ----------------------------------------------------------------------------------------------------

    def train_step(self, batch, step):
        """As :meth:`Task.train_step`.

        The losses, with their weights: 'G_A', 'G_B', 'cycle_A', 'cycle_B', 'identity_A' and 'identity_B' (unless
        `lambda_identity` is 0) of the generators, against the discriminators before their update; 'D_A' and 'D_B' of
        the discriminators.
        """
        self._check(batch)
        return super().train_step(batch, step)

    def _generator_turn(self, rounds, made):
        """As of :class:`AdversarialTask`, in a pass for each of :meth:`_ways`, whose gradients add up.

        So the graph of one pass is in the memory at a time, in which each generator is called once. (On a CPU, MXNet
        1.9.1 fails in the gradient of a transposed convolution whose weights are used twice: "could not execute a
        primitive".)
        """
        found = []
        for i, parts in enumerate(rounds):
            losses, fakes = [{} for _ in parts], [{} for _ in parts]
            for way in self._ways():
                with autograd.record():
                    scalars = [way(dict(zip('ab', part)), fake) for part, fake in zip(parts, fakes)]
                for all_of_it, scalar in zip(losses, self._backward('generator', scalars)):
                    all_of_it.update(scalar)
            found += losses
            made[i] = fakes, False
        self.engine.step('generator')
        return self.engine.mean(found)

    def _ways(self):
        """What the generators are to be good at: functions of (pictures by their domain; made ones by theirs, which are
        put there) -> losses."""
        ways = [partial(self._there_and_back, own, other) for own, other in ('ab', 'ba')]
        return [*ways, self._unchanged] if self._identity else ways

    def _there_and_back(self, own, other, real, made):
        fake = self._translate(f'generator_{own}{other}', real[own])
        made[other] = fake.detach()
        return _total({
            f'G_{other.upper()}': self.adversarial(self._judge(self.frozen[f'discriminator_{other}'], fake), 1),
            f'cycle_{own.upper()}': self._lambdas[own] * _difference(
                self._translate(f'generator_{other}{own}', fake), real[own])})

    def _unchanged(self, real, made):
        return _total({
            f'identity_{own.upper()}': self._identity * self._lambdas[own] * _difference(
                self._translate(f'generator_{other}{own}', real[own]), real[own]) for own, other in ('ab', 'ba')})

    def discriminator_losses(self, part, fake):
        real, losses = dict(zip('ab', part)), {}
        for domain, pool in self._pools.items():
            name = f'discriminator_{domain}'
            with autograd.pause():
                made = pool.query(fake[domain])
            on_real = self.adversarial(self._judge(self.networks[name], real[domain]), 1)
            on_made = self.adversarial(self._judge(self.networks[name], made), 0)
            losses[f'D_{domain.upper()}'] = (on_real + on_made) / 2
            if self.penalties:
                losses[f'penalty_{domain.upper()}'] = self.penalties[name](real[domain], made)
        return _total(losses)

    def _translate(self, generator, pictures):
        return self.networks[generator](pictures).astype('float32', copy=False)

    @staticmethod
    def _judge(discriminator, pictures):
        return discriminator(pictures).astype('float32', copy=False)

    # -- use ---------------------------------------------------------------------------------------------------------

    def evaluate(self, batches):
        """How well pictures come back, and how near made pictures are to real ones. No pairs are needed.

        Returns
        -------
        dict
            'SWD A', 'SWD B': the sliced Wasserstein distance of made pictures of A (of B) from the real ones, see
            :func:`gluonzoo.metrics.sliced_wasserstein.sliced_wasserstein`; 'SWD': their mean. Of the first 512 records
            that show no picture again, as they do where a domain has fewer pictures than the other.
            'cycle A', 'cycle B': mean absolute difference of a picture of A (of B) from what comes back, of values
            -1..1. 'identity A', 'identity B': likewise, from what the generator for its own domain makes of it.
            With `features`: FID and KID of the same pictures, whose names say on which network's features and end with
            'A' or 'B'.
        """
        self._require_both()
        differences, found, is_new = [], {name: [] for name in ('real A', 'real B', 'made A', 'made B')}, FirstTime()
        shows_new = {domain: FirstTime() for domain in 'AB'}
        for batch, made in late((batch, self._both_ways(batch)) for batch in batches):
            fresh = [i for i, record in enumerate(batch.records.tolist()) if is_new(record)]
            real = dict(zip('AB', (array.asnumpy()[fresh] for array in batch.arrays)))
            made = {name: fetch(arrays)[fresh] for name, arrays in made.items()}
            differences += zip(*(np.abs(made[f'{what} {domain}'] - real[domain]).mean((1, 2, 3))
                                 for what in ('cycle', 'identity') for domain in 'AB'))
            for i in range(len(fresh)):
                are_new = [shows_new[domain](hash(real[domain][i].tobytes())) for domain in 'AB']
                count = len(found['real A'])
                if count < LEAST or count < COMPARED and all(are_new):
                    for domain in 'AB':
                        found[f'real {domain}'].append(from_signed(real[domain][i]))
                        found[f'made {domain}'].append(from_signed(made[f'made {domain}'][i]))
        if not differences:
            raise ValueError('batches: there must be at least one record')
        pictures = {name: np.stack(images) for name, images in found.items()}
        del found
        distances = self._distances(pictures)
        return {**distances, **dict(zip(('cycle A', 'cycle B', 'identity A', 'identity B'),
                                        np.mean(differences, axis=0).tolist()))}

    def _distances(self, pictures):
        """Of made pictures from real ones. pictures: dict of 'real A' and so on -> uint8 [N, S, S, 3]"""
        found = {}
        for domain in 'AB':
            real, made = pictures[f'real {domain}'], pictures[f'made {domain}']
            found[f'SWD {domain}'] = sliced_wasserstein(real, made)['SWD']
            if self.features is not None:
                found.update({f'{name} {domain}': value
                              for name, value in self.features.distances(real, made).items()})
        return {'SWD': (found['SWD A'] + found['SWD B']) / 2, **found}

    def _both_ways(self, batch):
        """All that the generators make of a batch: name -> list of NDArrays, one a device. Does not wait."""
        self._check(batch)
        made = {}
        with autograd.predict_mode():
            for own, other, pictures in zip('AB', 'BA', batch.arrays):
                there, back = DIRECTIONS[f'{own}to{other}']
                parts = self.on_devices(pictures)
                made[f'made {other}'] = [self._translate(there, part) for part in parts]
                made[f'cycle {own}'] = [self._translate(back, part) for part in made[f'made {other}']]
                made[f'identity {own}'] = [self._translate(back, part) for part in parts]
        return made

    def predict(self, images):
        """The translation of each picture, in the task's `direction`, of the picture's size.

        Each picture is computed by itself. See `multiple` for the enlarging.

        Raises ValueError for an array that is no RGB image of type uint8, or a picture too large for the memory.
        """
        check_images(images)
        return self._predicted(DIRECTIONS[self._direction][0], images)

    def _predicted(self, generator, images):
        """What a generator makes of pictures, uint8 [H, W, 3] each; the devices take turns."""
        def outputs():
            for i, image in enumerate(images):
                ctx = self.ctx[i % len(self.ctx)]
                self._require_memory(generator, image, ctx)
                inputs = to_signed([reflected(image, self._multiple, LEAST_SIDE)])
                with autograd.predict_mode():
                    yield image, self._translate(generator, mx.nd.array(inputs, ctx=ctx))

        return [from_signed(output.asnumpy()[0])[:image.shape[0], :image.shape[1]]
                for image, output in late(outputs(), len(self.ctx))]

    def _require_memory(self, generator, image, ctx):
        """ValueError if a picture needs more than the main memory, which would end the process without a word."""
        size = reflected_size(image.shape[:2], self._multiple, LEAST_SIDE)
        shape = 1, 3, *size
        require_memory(f'a picture of {image.shape[1]} x {image.shape[0]} pixels, enlarged to {size[1]} x {size[0]}',
                       bytes_of([shape]))
        if ctx.device_type == 'cpu':
            _, shapes, _ = self.networks[generator](mx.sym.var('data')).get_internals().infer_shape(data=shape)
            # A layer's input and its output at least are there at the same time.
            require_memory(f'a picture of {image.shape[1]} x {image.shape[0]} pixels', 2 * bytes_of([max(
                shapes, key=np.prod)]))

    def draw(self, image, result):
        """The result on the right of the image. -> uint8 [H, 2 W, 3]"""
        return np.hstack([image, result])

    def describe(self, result):
        """{'direction': 'AtoB' or 'BtoA'}: all else is in the picture."""
        return {'direction': self._direction}

    def views(self, image):
        """'back': the translation, translated back. 'identity': what the other generator makes of the picture, which is
        of its domain already, and shall not change. {} where there is one generator alone."""
        there, back = DIRECTIONS[self._direction]
        if back not in self.networks:
            return {}
        return {'back': self._predicted(back, self._predicted(there, [image]))[0],
                'identity': self._predicted(back, [image])[0]}

    def picture(self, batch):
        """Up to 4 records of the batch, one a row: of A a picture, what it becomes in B and what comes back; of B
        likewise."""
        self._require_both()
        shown = batch._replace(arrays=tuple(array[:SHOWN] for array in batch.arrays))
        made = {name: fetch(arrays) for name, arrays in self._both_ways(shown).items()}
        a, b = (array.asnumpy() for array in shown.arrays)
        rows = zip(a, made['made B'], made['cycle A'], b, made['made A'], made['cycle B'])
        return contact_sheet([from_signed(image) for row in rows for image in row], columns=6)

    def exported(self, decode=False, batch=1, size=None):
        """As :meth:`Task.exported`: the generator of the task's `direction`. The other one is in a file of its own."""
        if decode:
            raise ValueError('decode: image translation has nothing to decode, its outputs are pictures')
        height, width = size or 2 * (self._size,)
        if height % self._multiple or width % self._multiple:
            raise ValueError(f'size: both sides must be multiples of {self._multiple}: {height} {width}')
        source, target = self._direction.split('to')
        return Exported(self.networks[DIRECTIONS[self._direction][0]], {'image': (batch, 3, height, width)},
                        ['translation'], {
            'task': 'cyclegan', 'input_size': [height, width],
            'inputs': {'image': f'float32 [B, 3, H, W], a picture of {source}: RGB, 0..255 / 127.5 - 1; sides are '
                                f'multiples of {self._multiple}, for which gluonzoo predict reflects the last rows and '
                                'columns'},
            'outputs': {'translation': f'float32 [B, 3, H, W], a picture of {target}: RGB, -1..1: (value + 1) * 127.5'},
            'notes': [f'the generator from {source} to {target}; the other one: --set task.direction={target}to'
                      f'{source}']})

    def _require_both(self):
        for name in self.used:
            if name not in self.networks:
                raise ValueError(f'{name}: must be a network, to go there and back; is None')

    def _check(self, batch):
        shape = 3, self._size, self._size
        for name, array in zip('ab', batch.arrays):
            if array.shape[1:] != shape:
                raise ValueError(f'{name}: must be [B, {", ".join(map(str, shape))}], by image_size: '
                                 f'{list(array.shape)}')


def _difference(made, wanted):
    return (made - wanted).abs().mean()


def _total(losses):
    """The losses, and their sum as 'loss'."""
    return {**losses, 'loss': mx.nd.add_n(*losses.values())}


def _check_size(size):
    """ValueError unless pictures of this size can be compared by :func:`sliced_wasserstein`."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 16:
        raise ValueError(f'image_size: must be a whole number, at least 16: {size!r}')
    multiple = 2 ** (len(sides(size)) - 1)
    if size % multiple:
        raise ValueError(f'image_size: must be a multiple of {multiple}, to be halved for the SWD: {size}')
