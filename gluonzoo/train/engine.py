"""Turns losses into updates: devices, rounds, precision, clipping, and the store that adds up gradients.

An engine knows no task. A task gives the engine its networks, and the losses of each part of a batch.
"""
from fnmatch import fnmatchcase
from weakref import WeakKeyDictionary

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.contrib import amp as mixed_precision

from .. import optimizers
from ..memory import bytes_of
from ..memory import require as require_memory
from ..reading import quoted
from ..values import NUMBER, OBJECT, check, nullable
from .parameters import named_parameters

__all__ = ['Engine']


class Engine:
    """Computes on one or more devices, and updates networks there.

    A batch is cut into `accumulate` rounds of ``len(ctx)`` equal parts, one part a device. So memory limits the size of
    a part, not the batch size. Each part has a loss of its own. An update follows the mean of the gradients of all
    parts, on all machines, unless its trainer is made to follow their sum.

    Batch normalisation sees one part at a time. Each device keeps running statistics of its own. They must be averaged
    before the networks are evaluated (:func:`gluonzoo.train.fit` does this).

    Parameters
    ----------
    ctx : list of Context, optional
        the devices, each once; default: the CPU
    accumulate : int, 1 or more
        rounds of forward and backward passes in an update
    clip_norm : float above 0, optional
        the upper limit of the norm of the mean gradient, over all parameters of a trainer; a sum is not clipped
    amp : 'float16' or 'bfloat16', optional
        the type in which convolutions and the like are computed (mxnet.contrib.amp). This changes MXNet in the whole
        process, for good, so all engines of a process must have the same `amp`. float16 scales the loss, and in every
        update waits for the gradients to see whether they overflowed.
    kvstore : 'device', 'local' or KVStore, optional
        adds up the gradients of several devices. For several machines, pass a store that no other engine uses
        (:meth:`gluonzoo.train.distributed.Workers.store`). All trainers of the engine share the store. (Trainers with
        stores of their own would all number their parameters from 0, and wait for each other for ever.)

    Attributes
    ----------
    ctx : list of Context
    amp : str or None
    kvstore : KVStore, or None
    trainers : dict of name -> gluon.Trainer
        they hold the learning rates and the optimizers' states; :meth:`step` makes an update

    Raises ValueError for a value that is not as said.
    """

    def __init__(self, ctx=None, *, accumulate=1, clip_norm=None, amp=None, kvstore='device'):
        if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(f'accumulate: must be a whole number of rounds, at least 1: {accumulate!r}')
        check('clip_norm', clip_norm, nullable(NUMBER))
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f'clip_norm: must be above 0, or None: {clip_norm!r}')
        self.ctx = [mx.cpu()] if ctx is None else list(ctx)
        if not self.ctx or len(set(self.ctx)) < len(self.ctx):
            raise ValueError(f'ctx: must be one or more devices, each once: {self.ctx}')
        _agree_on_precision(amp)
        self.kvstore = _make_kvstore(kvstore, len(self.ctx))
        self.trainers = {}
        self._accumulate, self._clip_norm, self.amp = accumulate, clip_norm, amp
        self._parameters = {}   # trainer name -> what it updates
        self._summed = set()   # names of the trainers that follow sums over the parts
        self._sums = {}   # trainer name -> sums of gradients over the rounds
        self._scales = {}   # trainer name -> what the losses of this step are multiplied by, with float16
        self._keys = {}   # parameter -> key in the store

    # -- networks and trainers ---------------------------------------------------------------------------------------

    def place(self, net, *shapes, weights_follow=False, name='network'):
        """Puts `net` on the devices, initialized where it is not yet, and hybridizes it.

        Parameters that have no initializer of their own get Xavier's. All machines start from the same values.

        Parameters
        ----------
        net : HybridBlock
        shapes : tuples of int
            of the inputs, with a batch of any size: shapes of parameters that are not known yet follow from them
        weights_follow : bool
            then parameters that are not initialized yet become 0, which takes no time: random numbers for 50 million
            weights, to be replaced at once, take two seconds
        name : str
            of the network, for messages

        Returns
        -------
        The outputs for inputs of zeros, on the first device.

        Raises ValueError if the network is larger than the memory of a device.
        """
        self._require_memory(f'{name}: its inputs', bytes_of(shapes))
        zeros = [mx.nd.zeros(shape, ctx=self.ctx[0]) for shape in shapes]
        parameters = net.collect_params().values()
        self._require_memory(f'{name}: its parameters', bytes_of(p.shape for p in parameters if p.shape))
        net.infer_shape(*zeros)
        copies = 1 if weights_follow else 2   # with gradients
        self._require_memory(f'{name}: its parameters', copies * bytes_of(p.shape for p in parameters))
        self._require_memory(f'{name}: an array in it', max(map(bytes_of, _arrays_within(net, shapes)), default=0))
        for parameter in net.collect_params().values():
            if _is_initialized(parameter):
                parameter.reset_ctx(self.ctx)
            elif weights_follow and not isinstance(parameter, gluon.Constant):
                parameter.initialize(mx.init.Zero(), ctx=self.ctx)
            else:
                parameter.initialize(ctx=self.ctx, default_init=mx.init.Xavier())
            # Before weights are used: on a CPU, convolutions keep them in a layout that a store refuses.
            if self.kvstore and parameter not in self._keys and not isinstance(parameter, gluon.Constant):
                key = self._keys[parameter] = len(self._keys)
                self.kvstore.broadcast(key, parameter.data(self.ctx[0]), parameter.list_data())
        # Without static_shape, with which MXNet 1.9.1 lets others (moving averages, checkpoints) read the running
        # statistics of batch normalisation before a step has written them. It is no faster with it.
        net.hybridize(static_alloc=True)
        return net(*zeros)

    def trainer(self, name, optimizer, *nets, reduction='mean', passes=1):
        """Makes the trainer of one or more networks, which have been placed.

        Parameters
        ----------
        name : str
        optimizer : dict
            'name' of an optimizer (:mod:`gluonzoo.optimizers`), and its keywords: ``{'name': 'sgd', 'learning_rate':
            0.1, 'momentum': 0.9}``. 'adam' is Adam as published, 'mxnet_adam' MXNet's form; other names are MXNet's.
            'no_decay', a list of str, names the parameters without weight decay. 'bias' means every parameter whose
            name ends with it; 'heads.*.norm.gamma' is a pattern for whole names. Each must match a parameter.
        nets : HybridBlock
        reduction : {'mean', 'sum'}
            what becomes of the gradients of the parts. 'sum' is for gradients that are updates themselves, and sums
            over a part, such as those of a center loss: the update is then the same, however a batch is cut into parts.
            `clip_norm` leaves it as it is.

        passes : int
            calls of :meth:`backward` for each part of a batch, whose gradients add up. A task that looks at its images
            several times goes back after each, so that the memory of one is enough.

        Returns
        -------
        gluon.Trainer

        Raises ValueError if there is no such optimizer or reduction, or the optimizer takes no such keywords, or if a
        word of 'no_decay' matches no parameter.
        """
        if reduction not in ('mean', 'sum'):
            raise ValueError(f"reduction: must be 'mean' or 'sum': {reduction!r}")
        check('optimizer', optimizer, OBJECT)
        settings = dict(optimizer)
        no_decay = settings.pop('no_decay', ())
        if 'name' not in settings:
            raise ValueError(f"optimizer: must have a 'name': {quoted(optimizer)}")
        try:
            made = optimizers.create(**settings)
        except ValueError as error:
            raise ValueError(f'optimizer: {error}') from error
        _spare_from_decay(no_decay, nets)
        parameters = [p for net in nets for p in net.collect_params().values() if p.grad_req != 'null']
        states = _states_of(made)
        copies = 2 + states + (self._accumulate * passes > 1)   # weights and gradients, states, sums of gradients
        self._require_memory(f'optimizer: {made.__class__.__name__} of {name}',
                             copies * bytes_of(p.shape for p in parameters))
        # Without a store: the trainers of an engine share one, or their keys would collide on the server.
        trainer = self.trainers[name] = gluon.Trainer(parameters, made, kvstore=None, update_on_kvstore=False)
        self._parameters[name] = parameters
        (self._summed.add if reduction == 'sum' else self._summed.discard)(name)
        # Not grad_req='add': the gradients of MXNet's cast to bfloat16 and of operators from a library do not heed it.
        self._sums[name] = [mx.nd.zeros_like(gradient) for gradient in self._gradients(name)] \
            if self._accumulate * passes > 1 else []
        if self.amp == 'float16':
            mixed_precision.init_trainer(trainer)
        return trainer

    # -- a step ------------------------------------------------------------------------------------------------------

    def minimize(self, name, batch, losses_of):
        """Makes one update of trainer `name`, along the mean loss of a batch. A task with one loss needs no more.

        Parameters
        ----------
        name : str, or tuple of str
            of all trainers that follow the loss, as of :meth:`backward`
        batch : Batch
        losses_of : function of the arrays of a part -> dict of name -> NDArray [1]
            called while gradients are recorded. Gradients are computed from 'loss'; the other values are for the log.

        Returns
        -------
        The losses before the update, means over the parts: dict of name -> NDArray [1].
        """
        scalars = []
        for parts in self.parts(batch):
            with autograd.record():
                made = [losses_of(*part) for part in parts]
            _check_losses(made[0])
            self.backward(name, [each['loss'] for each in made])
            scalars += made
        self.step(name)
        return self.mean(scalars)

    def parts(self, batch):
        """Cuts a batch into parts, one round after the other: the devices hold no more than they compute with.

        Yields
        ------
        list of tuple of NDArrays, the part of each device

        Raises
        ------
        ValueError
            if the parts would not be equal.
        """
        count = self._accumulate * len(self.ctx)
        size = batch.arrays[0].shape[0]
        if size % count:
            raise ValueError(f'batch: must be a multiple of {count} ({self._accumulate} rounds on {len(self.ctx)} '
                             f'devices): {size}')
        parts = zip(*(gluon.utils.split_data(array, count) for array in batch.arrays))
        for _ in range(self._accumulate):
            yield [tuple(array.as_in_context(ctx) for array in next(parts)) for ctx in self.ctx]

    def backward(self, name, losses):
        """Computes the gradients of `losses`, one NDArray a device, and adds them to the sums of trainer `name`.

        If the losses depend on other parameters, these get gradients too, but no trainer follows them.

        Parameters
        ----------
        name : str, or tuple of str
            Several trainers can follow the same losses, such as those of a network and of the centers of a loss. One
            backward pass serves them all. With float16, the losses are scaled by the smallest of the trainers' scales,
            and a trainer whose own gradients overflow leaves its update out, alone.
        losses : list of NDArray [1]
        """
        names = self._trained(name)
        if self.amp == 'float16':
            losses = self._scaled(losses, names)
        autograd.backward(losses)
        for each in names:
            for total, gradient in zip(self._sums[each], self._gradients(each)):
                total += gradient

    def step(self, name):
        """Updates the parameters of trainer `name` along the gradients of all rounds, devices and machines: along
        their mean, or their sum (see :meth:`trainer`).

        The sums of gradients are 0 afterwards.

        Parameters
        ----------
        name : str, or tuple of str
            as of :meth:`backward`
        """
        for each in self._trained(name):
            self._step(each)

    def _step(self, name):
        trainer, parameters = self.trainers[name], self._parameters[name]
        self._scales.pop(name, None)
        for total, gradient in zip(self._sums[name], self._gradients(name)):
            gradient[:] = total
            total[:] = 0
        parts = self._accumulate * len(self.ctx) * (self.kvstore.num_workers if self.kvstore else 1)
        is_sum = name in self._summed
        if self.kvstore:
            for parameter in parameters:
                key = self._keys[parameter]
                self.kvstore.pushpull(key, parameter.list_grad(), priority=-key)   # all gradients become the sum
        if self._clip_norm is not None and not is_sum:
            if self.amp == 'float16':
                mixed_precision.unscale(trainer)
            for ctx in self.ctx:
                gradients = [parameter.grad(ctx) for parameter in parameters]
                gluon.utils.clip_global_norm(gradients, self._clip_norm * parts, check_isfinite=False)   # True waits
        trainer.update(1 if is_sum else parts)

    def mean(self, scalars):
        """The mean of dicts of name -> NDArray [1], one a part, on the first device."""
        return {name: mx.nd.add_n(*(s[name].detach().as_in_context(self.ctx[0]) for s in scalars)) / len(scalars)
                for name in scalars[0]}

    def _scaled(self, losses, names):
        """The losses times a scale that float16 needs. The trainers will divide the gradients by it.

        A trainer's gradients add up over a step, so they all have the scale of its first ones.
        """
        begun = [self._scales[name] for name in names if name in self._scales]
        scale = min(begun or [self.trainers[name]._amp_loss_scaler.loss_scale for name in names])
        for name in names:
            trainer, self._scales[name] = self.trainers[name], scale
            trainer._scale = trainer._amp_original_scale / scale
        with autograd.record():
            return [loss * scale for loss in losses]

    def _trained(self, name):
        """The names of one or several trainers, as a tuple. ValueError if one is not there."""
        names = _names(name)
        for each in names:
            if each not in self.trainers:
                raise ValueError(f'name: there is no trainer {each!r}; there are {", ".join(self.trainers) or "none"}')
        return names

    def _require_memory(self, what, count):
        for ctx in self.ctx:
            there = mx.context.gpu_memory_info(ctx.device_id)[1] if ctx.device_type == 'gpu' else None
            require_memory(what, count, there)

    def _gradients(self, name):
        return [gradient for parameter in self._parameters[name] for gradient in parameter.list_grad()]


def _arrays_within(net, shapes):
    """[shape] of each array that a network computes from inputs of these shapes, after its ``infer_shape``."""
    if not net._cached_graph:   # a network that infers shapes in its own way
        return []
    inputs, outputs = net._cached_graph
    within = outputs.get_internals()
    found = within.infer_shape_partial(**{one.name: shape for one, shape in zip(inputs, shapes)})[1]
    return [[shape] for shape in found or () if shape]


def _states_of(optimizer):
    """How many arrays of a weight's size an optimizer keeps; 0 for one that does not say so of a weight alone."""
    try:
        return _count(optimizer.create_state_multi_precision(0, mx.nd.zeros((1,))))
    except Exception:   # one of the user's own, or one that wants matrices
        return 0


def _count(state):
    """The arrays of an optimizer's state of one parameter: None, one, or nested tuples of some."""
    if isinstance(state, (list, tuple)):
        return sum(map(_count, state))
    return state is not None


def _names(name):
    """The names of one or more trainers, each once: list or tuple of str."""
    names = (name,) if isinstance(name, str) else name
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(each, str) for each in names) \
            or len(set(names)) < len(names):
        raise ValueError(f'name: must be that of a trainer, or of several, each once: {name!r}')
    return names


def _check_losses(losses):
    """ValueError unless these are what :meth:`Engine.minimize` takes."""
    if not isinstance(losses, dict) or 'loss' not in losses:
        there = list(losses) if isinstance(losses, dict) else losses
        raise ValueError(f"losses: must be a dict with 'loss': {there!r}")
    for name, value in losses.items():
        if not isinstance(value, mx.nd.NDArray) or value.size != 1:
            raise ValueError(f'losses: {name}: must be an NDArray of one number: {getattr(value, "shape", value)!r}')


_spared = WeakKeyDictionary()   # parameter -> its own factor of the weight decay


def _spare_from_decay(patterns, nets):
    """Sets the weight decay of the parameters that match a pattern to 0. The others have their own."""
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(pattern, str) for pattern in patterns):
        raise ValueError(f"optimizer: no_decay: must be a list of names, such as ['bias']: {patterns!r}")
    names = {name: parameter for net in nets for name, parameter in named_parameters(net).items()}
    for parameter in names.values():   # of a trainer before, which may have spared others
        if parameter in _spared:
            parameter.wd_mult = _spared.pop(parameter)
    for pattern in patterns:
        found = [parameter for name, parameter in names.items()
                 if fnmatchcase(name, pattern) or fnmatchcase(name, f'*.{pattern}')]
        if not found:
            raise ValueError(f'optimizer: no_decay: {pattern!r} matches no parameter')
        for parameter in found:
            _spared.setdefault(parameter, parameter.wd_mult)
            parameter.wd_mult = 0


_precision = []   # of the process: what its first engine asked for


def _agree_on_precision(amp):
    if amp not in (None, 'float16', 'bfloat16'):
        raise ValueError(f"amp: must be None, 'float16' or 'bfloat16': {amp!r}")
    if not _precision:
        _precision.append(amp)
        if amp:
            mixed_precision.init(amp)
    elif _precision != [amp]:
        raise ValueError(f'amp: must be the same for all engines of a process; the first had {_precision[0]!r}: '
                         f'{amp!r}')


def _make_kvstore(kvstore, devices):
    if not isinstance(kvstore, str):
        if kvstore is None and devices > 1:
            raise ValueError(f'kvstore: {devices} devices need one')
        return kvstore
    if kvstore not in ('device', 'local'):
        raise ValueError(f"kvstore: must be 'device', 'local' or, for several machines, a store itself: {kvstore!r}")
    return mx.kv.create(kvstore) if devices > 1 else None


def _is_initialized(parameter):
    try:
        parameter.list_ctx()
    except RuntimeError:
        return False
    return True
