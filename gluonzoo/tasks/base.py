"""What a network is trained to do: the one interface that training, evaluation, prediction and export know."""
import re
from collections import deque
from typing import NamedTuple, Optional

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..reading import last_line
from ..train import Engine  # of the whole room: threads that import rooms wait for each other, not half-way
from ..train.settings import setting_of
from .contract import Undefined, checks_returns

__all__ = ['Exported', 'FirstTime', 'Task', 'chunks', 'fetch', 'late', 'reason_of', 'require_look']


class Exported(NamedTuple):
    """The parts of a task that are exported: arguments of gluonzoo.export."""
    block: gluon.HybridBlock
    inputs: dict
    """name -> shape, or an example of it: float32 array"""
    outputs: list
    """their names"""
    metadata: dict
    """what a user without gluonzoo must know, JSON-able; 'notes' is a list of str that the command prints"""
    decoder: Optional[gluon.HybridBlock] = None
    """makes rows of class, score and box from the outputs"""
    decoder_inputs: Optional[dict] = None
    """further inputs of the decoder, name -> shape or example; may also have examples of the outputs"""


class Task:
    """What one or more networks are trained to do.

    A task is made of networks and settings. It computes nothing before :meth:`start_training` or
    :meth:`start_prediction` puts the networks on devices.

    A subclass

    - names its networks in `network_names`, and passes the networks to this constructor. The names are keywords of the
      subclass's constructor, keys of its settings, and names of files in a checkpoint;
    - names in `used` the networks that evaluate and predict. The others are None when a task is made to predict;
    - names in `own_networks` those of the networks that the task makes itself, from the others. Settings do not have
      them: the task puts them into `networks` before it starts to train;
    - names in `main_metric` the number that decides which of two checkpoints is better;
    - defines :meth:`input_shapes`, :meth:`make_trainers` and :meth:`train_step` for training, and :meth:`evaluate`,
      :meth:`predict`, :meth:`draw`, :meth:`describe` and :meth:`picture` for use. The other methods are optional.

    Parameters
    ----------
    **networks : HybridBlock or None
        one for each name in `network_names`

    Attributes
    ----------
    networks : dict of name -> HybridBlock
        the networks that are not None; a checkpoint stores them
    trainers : dict of name -> gluon.Trainer
        made by :meth:`start_training`; a checkpoint stores their state
    main_metric : (str, 'max' or 'min')
        a key in the result of :meth:`evaluate`, and whether a greater or a smaller value is better
    """

    network_names = ('net',)
    used = ('net',)
    own_networks = ()
    main_metric = None
    bfloat16 = True   # whether all operators have it; MXNet's own checks are late, and some crash

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        checks_returns(cls)

    def __init__(self, **networks):
        if set(networks) != set(self.network_names):
            raise ValueError(f'networks: must be {", ".join(self.network_names)}, as network_names says: '
                             f'{", ".join(networks) or "none"}')
        self.networks = {name: networks[name] for name in self.network_names if networks[name] is not None}
        self.trainers = {}
        self._engine = None
        self._kept = {}   # name -> what has a state()

    def _undefined(self, method):
        return Undefined(f'{type(self).__name__}.{method}: must be defined by the task; it is needed here')

    # -- devices -----------------------------------------------------------------------------------------------------

    @property
    def engine(self):
        """The :class:`~gluonzoo.train.engine.Engine` that computes. RuntimeError if the task has not been started."""
        if self._engine is None:
            raise RuntimeError(f'{type(self).__name__}: call start_training(engine) or start_prediction() first')
        return self._engine

    @property
    def ctx(self):
        """The devices, list of Context."""
        return self.engine.ctx

    def on_devices(self, images):
        """Images [B, ...] cut into a part for each device, as equal as can be: list of NDArrays, each on its device."""
        parts = gluon.utils.split_data(images, min(len(self.ctx), len(images)), even_split=False)
        return [part.as_in_context(ctx) for part, ctx in zip(parts, self.ctx)]

    def start_training(self, engine):
        """Puts all networks on the devices of an Engine, and makes the trainers.

        Raises ValueError if a network is missing, or a network or an optimizer does not fit the task.
        """
        missing = [name for name in self.network_names if name not in self.networks]
        if missing:
            raise ValueError(f'{", ".join(missing)}: must be a network to train; is None')
        if engine.amp == 'bfloat16' and not self.bfloat16:
            raise ValueError(f'amp: {type(self).__name__} cannot be trained in bfloat16, which some of its operators '
                             'do not have')
        self._start(engine, self.network_names)
        self.make_trainers()
        if not engine.trainers:
            raise ValueError(f'{type(self).__name__}.make_trainers: must make a trainer, by self.engine.trainer(name, '
                             'optimizer, net)')
        self.trainers = engine.trainers

    def start_prediction(self, ctx=None):
        """Puts the networks that are used on devices (list of Context, default: the CPU). There will be no trainers.

        Of several networks that are used, some may be None, if the task can do without.

        Networks that are not initialized get zeros: their weights are to be loaded next.
        """
        self._start(Engine(ctx), [name for name in self.used if name in self.networks], weights_follow=True)

    def _start(self, engine, names, weights_follow=False):
        self._engine = engine
        outputs = {}
        for name in names:
            shapes = self.input_shapes(name)
            try:
                outputs[name] = engine.place(self.networks[name], *shapes, weights_follow=weights_follow, name=name)
            except mx.MXNetError as error:
                raise ValueError(f'{name}: does not take {", ".join(str(list(shape)) for shape in shapes)}: '
                                 f'{reason_of(error)}') from error
        self.check_outputs(outputs)

    def keep(self, name, thing):
        """Has `thing` saved in checkpoints and loaded from them.

        Parameters
        ----------
        name : str
        thing
            has ``state()``, which returns a dict of name -> NumPy array, and ``load_state(dict)``, which raises
            ValueError for a dict that does not fit, and changes nothing then

        Returns `thing`.
        """
        if not hasattr(thing, 'state') or not hasattr(thing, 'load_state'):
            raise ValueError(f'{name}: must have state() and load_state(state) to be kept: {thing!r}')
        if '.' in name or name in self._kept:
            raise ValueError(f'{name}: must be a name without a dot, of one kept thing')
        self._kept[name] = thing
        return thing

    def state(self):
        """What all kept things hold: dict of 'name.key' -> NumPy array."""
        return {f'{name}.{key}': array for name, thing in self._kept.items() for key, array in thing.state().items()}

    def load_state(self, state):
        """Loads a dict that :meth:`state` has returned. ValueError for arrays of a thing that is not kept here."""
        parts = {name: {} for name in self._kept}
        for key, array in state.items():
            name, _, rest = key.partition('.')
            if name not in parts:
                raise ValueError(f'{type(self).__name__} keeps {", ".join(map(repr, parts)) or "nothing"}; '
                                 f'got {key!r}')
            parts[name][rest] = array
        before = {name: thing.state() for name, thing in self._kept.items()}
        for name, part in parts.items():
            try:
                self._kept[name].load_state(part)
            except ValueError as error:
                for other, former in before.items():   # all or nothing
                    self._kept[other].load_state(former)
                raise ValueError(f'{name}: {error}') from error

    def optimizer_of(self, optimizer, name):
        """The optimizer settings of the trainer `name`: `optimizer` itself, or its part of this name."""
        try:
            return setting_of(optimizer, name)
        except ValueError as error:
            raise ValueError(f'optimizer: {error}') from None

    # -- what a subclass defines to be trained -----------------------------------------------------------------------

    def input_shapes(self, name):
        """Shapes of the inputs of the network `name`, each with a batch of 1: list of tuples."""
        raise self._undefined('input_shapes')

    def check_outputs(self, outputs):
        """Called when the networks are on the devices, with the outputs for such inputs: dict of name -> outputs.

        A subclass may check the outputs here (ValueError), and put other things that it needs on the devices.
        """

    def make_trainers(self):
        """Makes the trainers: ``self.engine.trainer('net', self.optimizer, self.networks['net'])``."""
        raise self._undefined('make_trainers')

    def train_step(self, batch, step):
        """Forward, losses, backward, update. Must not wait for a device, so it must not read a number.

        Parameters
        ----------
        batch : Batch
        step : int
            updates made before this one, for tasks with turns or phases

        Returns
        -------
        dict of name -> NDArray [1], the losses before the update
        """
        raise self._undefined('train_step')

    def used_updates(self, step):
        """How many updates the networks in `used` have had after so many steps. A moving average follows them."""
        return step

    def check_data(self, part, dataset):
        """ValueError if the samples of a dataset are not such as the task takes. Called before they are used.

        A dataset may be a user's own, without a transform.

        Parameters
        ----------
        part : 'train_data' or 'val_data'
        dataset : Dataset
        """

    # -- what a subclass defines to be used --------------------------------------------------------------------------

    def evaluate(self, batches):
        """Returns the metrics for an iterable of batches: dict of name -> float, with the name in `main_metric`."""
        raise self._undefined('evaluate')

    def evaluation_pictures(self):
        """Pictures of what the last :meth:`evaluate` has found, such as a confusion matrix: dict of name -> RGB uint8
        array [H, W, 3].
        """
        return {}

    def evaluation_curves(self):
        """Curves of what the last :meth:`evaluate` has found, such as precision over recall: dict of title ->
        :class:`~gluonzoo.tasks.curves.Curves`.
        """
        return {}

    def predict(self, images):
        """Returns a result for each image of a list (RGB uint8 [H, W, 3], any sizes), in the image's own pixels."""
        raise self._undefined('predict')

    def sample(self, count, seed=0, truncation=None):
        """Returns `count` pictures that are made from nothing but noise: list of RGB uint8 arrays [H, W, 3].

        The picture number i of a seed is always the same. `truncation`, a number, is the most that the noise may be.
        """
        raise self._undefined('sample')

    def walk(self, start, end, steps, truncation=None):
        """Returns `steps` pictures on the way from the first sample of the seed `start` to that of the seed `end`."""
        raise self._undefined('walk')

    def draw(self, image, result):
        """Returns an RGB uint8 array [H, W, 3]: an image, with its result of :meth:`predict` drawn on it."""
        raise self._undefined('draw')

    def describe(self, result):
        """Returns a result of :meth:`predict` as a dict that JSON can hold."""
        raise self._undefined('describe')

    def views(self, image):
        """Further pictures of an image, such as its heat maps: dict of name -> RGB uint8 array [H, W, 3]."""
        return {}

    def picture(self, batch):
        """Returns an RGB uint8 array [H, W, 3] that shows the results for a batch of validation data."""
        raise self._undefined('picture')

    def exported(self, decode=False, batch=1, size=None):
        """The parts of the task to export: an :class:`Exported`.

        Parameters
        ----------
        decode : bool
            whether the outputs are results, and not the network's raw outputs. ValueError if nothing can be decoded.
        batch : int
        size : (int, int), optional
            height and width of the images; default: those that the network is made for
        """
        raise self._undefined('exported')


def require_look(part, dataset, mean, std, whose):
    """ValueError unless a dataset's transform, if it has one, normalises pictures by this mean and std.

    `part` is 'train_data' or 'val_data', and `whose` the mean and std are, for messages.
    """
    for name, here in (('mean', mean), ('std', std)):
        there = getattr(getattr(dataset, 'transform', None), name, None)
        if there is not None and not np.allclose(here, there):
            raise ValueError(f'{part}.transform.{name}: must be that of the {whose}, {list(here)}: '
                             f'{np.array(there).tolist()}')


def reason_of(error):
    """What an error of MXNet says, in one line, without the place in its source."""
    return re.sub(r'^.*Check failed: .*?: ', '', last_line(error))


def chunks(items, size):
    """Lists of `size` items; the last may be shorter."""
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def fetch(arrays):
    """Arrays of several devices as one NumPy array, one after the other. Waits for the devices."""
    return np.concatenate([array.asnumpy() for array in arrays])


def late(items, count=1):
    """Yields each item after `count` more have been made, so that the devices have work while an item is read."""
    waiting = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting


class FirstTime:
    """Tells whether a record comes for the first time. A repeated record stands in for one that cannot be read."""

    def __init__(self):
        self._seen = set()

    def __call__(self, record):
        first = record not in self._seen
        self._seen.add(record)
        return first
