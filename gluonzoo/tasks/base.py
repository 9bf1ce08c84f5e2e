"""What every task is made of: networks, trainers, and the way from a batch to an update on several devices."""
from collections import deque
from typing import NamedTuple, Optional

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.contrib import amp as mixed_precision

__all__ = ['Exported', 'Task', 'late']


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
    """What a network is trained to do. Training, evaluation and prediction know a task by what is named here.

    A subclass makes its networks and trainers with :meth:`add_network` and :meth:`add_trainer`, sets `main_metric`, and
    defines :meth:`train_step`, :meth:`evaluate`, :meth:`predict`, :meth:`draw`, :meth:`describe` and :meth:`picture`.

    A batch is cut into `accumulate` rounds of ``len(ctx)`` equal parts, one a device. Each part has a loss of its own,
    and an update follows the mean of the parts' gradients, also over the machines. So memory limits the size of a part,
    not of a batch. Batch normalisation sees one part at a time, and each device keeps running statistics of its own,
    which must be averaged (gluonzoo.train does) before the networks are evaluated.

    Parameters
    ----------
    accumulate : int
        rounds of forward and backward passes in an update
    clip_norm : float, optional
        the most that the norm of the mean gradient, over all parameters of a trainer, may be
    amp : 'float16' or 'bfloat16', optional
        compute convolutions and the like so (mxnet.contrib.amp). This changes MXNet in the whole process, for good, so
        all tasks of a process must agree. float16 scales the loss, and waits for the gradients in every update to see
        whether they overflowed.
    ctx : list of Context
        the devices; default: the CPU
    kvstore : 'device', 'local' or KVStore, optional
        what adds up the gradients of several devices. Of several machines it is a store that only this task uses: a
        process can join them once, so the task does not, and all its trainers share the store. (Trainers with stores
        of their own would number their parameters alike, and wait for each other for ever.)

    Attributes
    ----------
    networks : dict of name -> HybridBlock
    trainers : dict of name -> Trainer
        For the learning rate and the optimizer's state; its step is :meth:`update`.
    ctx : list of Context
    kvstore : KVStore, or None
    main_metric : str
        the key in the result of :meth:`evaluate` that says which of two networks is better: the one with more
    """

    main_metric = None

    def __init__(self, *, accumulate=1, clip_norm=None, amp=None, ctx=None, kvstore='device'):
        if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(f'accumulate must be a whole number of rounds, at least 1: {accumulate!r}')
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f'clip_norm must be positive, or None: {clip_norm!r}')
        self.ctx = [mx.cpu()] if ctx is None else list(ctx)
        if not self.ctx or len(set(self.ctx)) < len(self.ctx):
            raise ValueError(f'ctx must be one or more devices, each once: {self.ctx}')
        _agree_on_precision(amp)
        self.networks = {}
        self.trainers = {}
        self.kvstore = _make_kvstore(kvstore, len(self.ctx))
        self._accumulate = accumulate
        self._clip_norm = clip_norm
        self._amp = amp
        self._parameters = {}   # trainer name -> what it updates
        self._sums = {}   # trainer name -> sums of gradients over the rounds
        self._keys = {}   # parameter -> key in the store

    # -- what a subclass defines -------------------------------------------------------------------------------------

    def train_step(self, batch):
        """Forward, losses, backward, update. Returns a dict of name -> NDArray [1], the losses before the update.

        Never waits for a device; reading a result does.
        """
        raise NotImplementedError

    def evaluate(self, batches):
        """Returns a dict of name -> float, `main_metric` among them, for an iterable of batches."""
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

    def picture(self, batch):
        """Returns an RGB uint8 array [H, W, 3] that shows what the networks make of a batch."""
        raise NotImplementedError

    def exported(self, decode=False, batch=1, size=None):
        """What the task is when it is done: an :class:`Exported`.

        Parameters
        ----------
        decode : bool
            whether it decodes what the network says, so that its outputs are results. ValueError if there is nothing to
            decode.
        batch : int
        size : (int, int), optional
            height and width of the images; default: what the network is made for
        """
        raise NotImplementedError

    def state(self):
        """What must be kept beside networks and trainers to go on later: a dict of name -> NumPy array."""
        return {}

    def load_state(self, state):
        """Takes what :meth:`state` returned."""
        if state:
            raise ValueError(f'{type(self).__name__} has no state of its own; got {", ".join(map(repr, state))}')

    # -- what a subclass is made with --------------------------------------------------------------------------------

    def add_network(self, name, net, *shapes):
        """Puts `net` on the devices, initialized where it is not yet, and hybridizes it.

        Parameters that have no initializer of their own get Xavier's. All machines start from the same values.

        Parameters
        ----------
        name : str
        net : HybridBlock
        shapes : tuples of int
            of the inputs, with a batch of any size: this finds the shapes of parameters that still lack them

        Returns
        -------
        The outputs for inputs of zeros, on the first device.
        """
        zeros = [mx.nd.zeros(shape, ctx=self.ctx[0]) for shape in shapes]
        net.infer_shape(*zeros)
        for parameter in net.collect_params().values():
            if _is_initialized(parameter):
                parameter.reset_ctx(self.ctx)
            else:
                parameter.initialize(ctx=self.ctx, default_init=mx.init.Xavier())
            # Before weights are used: on a CPU, convolutions keep them in a layout that a store refuses.
            if self.kvstore and parameter not in self._keys and not isinstance(parameter, gluon.Constant):
                key = self._keys[parameter] = len(self._keys)
                self.kvstore.broadcast(key, parameter.data(self.ctx[0]), parameter.list_data())
        # Without static_shape, with which MXNet 1.9.1 lets others (moving averages, checkpoints) read the running
        # statistics of batch normalisation before a step has written them. It is no faster with it.
        net.hybridize(static_alloc=True)
        self.networks[name] = net
        return net(*zeros)

    def add_trainer(self, name, optimizer, *networks):
        """Makes the trainer of one or more networks.

        Parameters
        ----------
        name : str
        optimizer : dict
            'name' of an MXNet optimizer, and its keywords: ``{'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9}``
        networks : str
            their names
        """
        settings = dict(optimizer)
        try:
            made = mx.optimizer.create(settings.pop('name'), **settings)
        except KeyError:
            raise ValueError(f"optimizer must have a 'name': {optimizer}") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f'optimizer {optimizer}: {error}') from error
        parameters = [p for network in networks for p in self.networks[network].collect_params().values()
                      if p.grad_req != 'null']
        # Without a store: the trainers of a task share one, or their keys would collide on the server.
        self.trainers[name] = gluon.Trainer(parameters, made, kvstore=None, update_on_kvstore=False)
        self._parameters[name] = parameters
        # Not grad_req='add': the gradients of MXNet's cast to bfloat16 and of operators from a library do not heed it.
        self._sums[name] = [mx.nd.zeros_like(gradient) for gradient in self._gradients(name)] \
            if self._accumulate > 1 else []
        if self._amp == 'float16':
            mixed_precision.init_trainer(self.trainers[name])

    def parts(self, batch):
        """Cuts a batch up: rounds[r][d] is the tuple of arrays that device d computes with in round r.

        Raises ValueError if the parts would not be equal.
        """
        count = self._accumulate * len(self.ctx)
        size = batch.arrays[0].shape[0]
        if size % count:
            raise ValueError(f'the batch must be a multiple of {count} ({self._accumulate} rounds on {len(self.ctx)} '
                             f'devices): {size}')
        parts = zip(*(gluon.utils.split_data(array, count) for array in batch.arrays))
        return [[tuple(array.as_in_context(ctx) for array in next(parts)) for ctx in self.ctx]
                for _ in range(self._accumulate)]

    def backward(self, name, losses):
        """Adds the gradients of `losses`, one NDArray a device, to those that trainer `name` will follow.

        Other parameters that the losses depend on get gradients too, which no trainer follows.
        """
        if self._amp == 'float16':
            with autograd.record(), mixed_precision.scale_loss(losses, self.trainers[name]) as scaled:
                losses = scaled
        autograd.backward(losses)
        for total, gradient in zip(self._sums[name], self._gradients(name)):
            total += gradient

    def update(self, name):
        """Trainer `name` takes a step along the gradients of all rounds, devices and machines, and forgets them."""
        trainer, parameters = self.trainers[name], self._parameters[name]
        for total, gradient in zip(self._sums[name], self._gradients(name)):
            gradient[:] = total
            total[:] = 0
        parts = self._accumulate * len(self.ctx) * (self.kvstore.num_workers if self.kvstore else 1)
        if self.kvstore:
            for parameter in parameters:
                key = self._keys[parameter]
                self.kvstore.pushpull(key, parameter.list_grad(), priority=-key)   # all gradients become the sum
        if self._clip_norm is not None:
            if self._amp == 'float16':
                mixed_precision.unscale(trainer)
            for ctx in self.ctx:
                gradients = [parameter.grad(ctx) for parameter in parameters]
                gluon.utils.clip_global_norm(gradients, self._clip_norm * parts, check_isfinite=False)   # True waits
        trainer.update(parts)

    def mean(self, scalars):
        """The mean of dicts of name -> NDArray [1], one a part, on the first device."""
        return {name: mx.nd.add_n(*(s[name].detach().as_in_context(self.ctx[0]) for s in scalars)) / len(scalars)
                for name in scalars[0]}

    def _gradients(self, name):
        return [gradient for parameter in self._parameters[name] for gradient in parameter.list_grad()]


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


_precision = []   # of the process: what its first task asked for


def _agree_on_precision(amp):
    if amp not in (None, 'float16', 'bfloat16'):
        raise ValueError(f"amp must be None, 'float16' or 'bfloat16': {amp!r}")
    if not _precision:
        _precision.append(amp)
        if amp:
            mixed_precision.init(amp)
    elif _precision != [amp]:
        raise ValueError(f'amp is the same for all tasks of a process, and the first had {_precision[0]!r}: {amp!r}')


def _make_kvstore(kvstore, devices):
    if not isinstance(kvstore, str):
        if kvstore is None and devices > 1:
            raise ValueError(f'kvstore: {devices} devices need one')
        return kvstore
    if kvstore not in ('device', 'local'):
        raise ValueError(f"kvstore must be 'device', 'local' or, for several machines, a store itself: {kvstore!r}")
    return mx.kv.create(kvstore) if devices > 1 else None


def _is_initialized(parameter):
    try:
        parameter.list_ctx()
    except RuntimeError:
        return False
    return True
