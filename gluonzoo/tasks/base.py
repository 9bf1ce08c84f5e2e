"""What a network is trained to do: the one interface that training, evaluation, prediction and export know."""
from collections import deque
from typing import NamedTuple, Optional

import mxnet as mx
from mxnet import gluon

from ..train.engine import Engine
from ..train.settings import setting_of

__all__ = ['Exported', 'FirstTime', 'Task', 'late']


class Exported(NamedTuple):
    """What of a task is for use elsewhere: arguments of gluonzoo.export."""
    block: gluon.HybridBlock
    inputs: dict
    """name -> shape, or an example of it: float32 array"""
    outputs: list
    """their names"""
    metadata: dict
    """what one must know to use it without gluonzoo, such as JSON can hold; 'notes' is a list of what to be told"""
    decoder: Optional[gluon.HybridBlock] = None
    """makes rows of class, score and box from the outputs"""
    decoder_inputs: Optional[dict] = None
    """what it takes beside them, name -> shape or example; also examples of them"""


class Task:
    """What one or more networks are trained to do.

    A task is made of networks and settings, and computes nothing until :meth:`start_training` or
    :meth:`start_prediction` puts the networks on devices.

    A subclass

    - names its networks in `network_names`: these are keywords of its constructor, keys of its settings, and names of
      files in a checkpoint. It gives them to this constructor;
    - says in `used` which of them evaluate and predict: the others are None when a task is made to predict;
    - says in `main_metric` which number tells two trained networks apart;
    - defines :meth:`input_shapes`, :meth:`make_trainers` and :meth:`train_step` to be trained, :meth:`evaluate`,
      :meth:`predict`, :meth:`draw`, :meth:`describe` and :meth:`picture` to be used, and what else applies.

    Parameters
    ----------
    **networks : HybridBlock or None
        by the names in `network_names`

    Attributes
    ----------
    networks : dict of name -> HybridBlock
        those that are there; a checkpoint stores them
    trainers : dict of name -> gluon.Trainer
        made by :meth:`start_training`; a checkpoint stores what they have learnt
    main_metric : (str, 'max' or 'min')
        the key in the result of :meth:`evaluate` that says which of two checkpoints is better, and whether more is
    """

    network_names = ('net',)
    used = ('net',)
    main_metric = None

    def __init__(self, **networks):
        if set(networks) != set(self.network_names):
            raise ValueError(f'networks: must be {", ".join(self.network_names)}, as network_names says: '
                             f'{", ".join(networks) or "none"}')
        self.networks = {name: networks[name] for name in self.network_names if networks[name] is not None}
        self.trainers = {}
        self._engine = None
        self._kept = {}   # name -> what has a state()

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

    def start_training(self, engine):
        """Puts all networks on the devices of an Engine, and makes the trainers.

        Raises ValueError if a network is missing, or a network or an optimizer does not fit the task.
        """
        missing = [name for name in self.network_names if name not in self.networks]
        if missing:
            raise ValueError(f'{", ".join(missing)}: must be a network to train; is None')
        self._start(engine, self.network_names)
        self.make_trainers()
        self.trainers = engine.trainers

    def start_prediction(self, ctx=None):
        """Puts the networks that are used on devices (list of Context, default: the CPU). There will be no trainers.

        Networks that are not initialized get zeros: their weights are to be loaded next.
        """
        self._start(Engine(ctx), self.used, weights_follow=True)

    def _start(self, engine, names, weights_follow=False):
        self._engine = engine
        outputs = {}
        for name in names:
            shapes = self.input_shapes(name)
            try:
                outputs[name] = engine.place(self.networks[name], *shapes, weights_follow=weights_follow)
            except mx.MXNetError as error:
                raise ValueError(f'{name}: does not take {", ".join(str(list(shape)) for shape in shapes)}: '
                                 f'{str(error).strip().splitlines()[-1]}') from error
        self.check_outputs(outputs)

    def keep(self, name, thing):
        """Has `thing` saved in checkpoints and loaded from them.

        Parameters
        ----------
        name : str
        thing
            has ``state()``, a dict of name -> NumPy array, and ``load_state(dict)``, which raises ValueError for what
            it cannot take, and has changed nothing then

        Returns `thing`.
        """
        if not hasattr(thing, 'state') or not hasattr(thing, 'load_state'):
            raise ValueError(f'{name}: must have state() and load_state(state) to be kept: {thing!r}')
        self._kept[name] = thing
        return thing

    def state(self):
        """What all kept things hold: dict of 'name.key' -> NumPy array."""
        return {f'{name}.{key}': array for name, thing in self._kept.items() for key, array in thing.state().items()}

    def load_state(self, state):
        """Takes what :meth:`state` returned. ValueError for what belongs to nothing that is kept here."""
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
        """The settings of one trainer: `optimizer` itself, or its part of that name if it has one by name."""
        try:
            return setting_of(optimizer, name)
        except ValueError as error:
            raise ValueError(f'optimizer: {error}') from None

    # -- what a subclass defines to be trained -----------------------------------------------------------------------

    def input_shapes(self, name):
        """Shapes of the inputs of the network `name`, each with a batch of 1: list of tuples."""
        raise NotImplementedError

    def check_outputs(self, outputs):
        """Called with what each network returned for such inputs, when it is on the devices: dict of name -> outputs.

        The place to check them (ValueError), and to put on the devices what else is needed.
        """

    def make_trainers(self):
        """Makes the trainers: ``self.engine.trainer('net', self.optimizer, self.networks['net'])``."""
        raise NotImplementedError

    def train_step(self, batch, step):
        """Forward, losses, backward, update. Never waits for a device; reading a result does.

        Parameters
        ----------
        batch : Batch
        step : int
            updates made before this one; a turn or a phase may depend on it

        Returns
        -------
        dict of name -> NDArray [1], the losses before the update
        """
        raise NotImplementedError

    # -- what a subclass defines to be used --------------------------------------------------------------------------

    def evaluate(self, batches):
        """Returns a dict of name -> float, the name in `main_metric` among them, for an iterable of batches."""
        raise NotImplementedError

    def predict(self, images):
        """Returns a result for each image of a list (RGB uint8 [H, W, 3], any sizes), in the image's own pixels."""
        raise NotImplementedError

    def draw(self, image, result):
        """Returns an RGB uint8 array [H, W, 3]: an image with what :meth:`predict` says of it."""
        raise NotImplementedError

    def describe(self, result):
        """Returns a result of :meth:`predict` as a dict that JSON can hold."""
        raise NotImplementedError

    def views(self, image):
        """What else there is to see in an image, such as heat maps: dict of name -> RGB uint8 array [H, W, 3]."""
        return {}

    def picture(self, batch):
        """Returns an RGB uint8 array [H, W, 3] that shows what the networks make of a batch of validation data."""
        raise NotImplementedError

    def exported(self, decode=False, batch=1, size=None):
        """What the task is when it is done: an :class:`Exported`.

        Parameters
        ----------
        decode : bool
            whether the outputs are results, and not what the network says. ValueError if there is nothing to decode.
        batch : int
        size : (int, int), optional
            height and width of the images; default: what the network is made for
        """
        raise NotImplementedError


def late(items, count=1):
    """The items, each after `count` more have been made: while we read one, the devices have others to do."""
    waiting = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting


class FirstTime:
    """Whether a record comes for the first time; later it stands in for one that cannot be read."""

    def __init__(self):
        self._seen = set()

    def __call__(self, record):
        first = record not in self._seen
        self._seen.add(record)
        return first
