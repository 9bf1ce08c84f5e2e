"""The state of a ``gluon.Trainer`` as arrays and JSON. (MXNet's own ``save_states`` pickles.)

The state is read from the first device. All devices have the same state, since they apply the same updates.
"""
import math
import warnings

import mxnet as mx
import numpy as np

from .parameters import names_of_parameters
from .storage import CheckpointError

__all__ = ['check_trainers', 'collect', 'plan']

# Numbers that optimizers change while they run, besides their arrays: Nadam's, and LARS's two.
_NUMBERS = ('num_update', 'm_schedule', 'last_lr', 'cur_lr')

# Those that keep arrays elsewhere than where an Updater keeps them.
_REFUSED = ('LBSGD', 'DCASGD')

_SCALER = ('_loss_scale', '_next_loss_scale', '_max_loss_scale', '_scale_seq_len', '_unskipped')


def check_trainers(task):
    """Raises ValueError if the state of one of a task's trainers could not be saved completely."""
    names = names_of_parameters(task.networks)
    for name, trainer in task.trainers.items():
        if type(trainer.optimizer).__name__ in _REFUSED:
            raise ValueError(f'trainer {name!r}: {type(trainer.optimizer).__name__} cannot be resumed exactly; '
                             'take another optimizer')
        if trainer._kvstore_params['update_on_kvstore'] is not False:
            raise ValueError(f'trainer {name!r}: must be made with update_on_kvstore=False; its state is out of reach')
        for parameter in trainer._params:
            if parameter not in names:
                raise ValueError(f'trainer {name!r} updates {parameter.name!r}, which none of the networks has')


def collect(trainer, names):
    """(dict of name -> NumPy array, JSON-able description) of a trainer's state."""
    optimizer = trainer.optimizer
    arrays, counts = {}, {}
    for counts_of_device in optimizer._all_index_update_counts.values():
        counts.update({names[trainer._params[index]]: count for index, count in counts_of_device.items()})
    states = {names[trainer._params[index]]: _flatten(state, names[trainer._params[index]], arrays)
              for index, state in sorted(trainer._updaters[0].states.items())}
    scaler = getattr(trainer, '_amp_loss_scaler', None)
    return arrays, {
        'optimizer': _kind(optimizer),
        'numbers': {number: getattr(optimizer, number) for number in _NUMBERS if hasattr(optimizer, number)},
        'update_counts': counts,
        'states': states,
        'loss_scaler': scaler and {key: getattr(scaler, key) for key in _SCALER},
    }


def _kind(optimizer):
    """The name of an optimizer's class. Adam is MXNet's, gluonzoo.Adam is ours."""
    cls = type(optimizer)
    return f'gluonzoo.{cls.__name__}' if cls.__module__.startswith('gluonzoo.') else cls.__name__


def _flatten(state, name, arrays):
    """The structure of one state, names in the place of its arrays, which go into `arrays`."""
    if state is None:
        return None
    if isinstance(state, (tuple, list)):
        return [_flatten(part, f'{name}/{i}', arrays) for i, part in enumerate(state)]
    arrays[name] = state.asnumpy()
    return name


def plan(trainer, names, weights, arrays, description, where, finite=True):
    """Checks a collected state against a trainer, and returns the function that puts it in place.

    Parameters
    ----------
    trainer : gluon.Trainer
        it need not have made a step yet
    names : dict of Parameter -> str
    weights : dict of str -> NumPy array
        the parameters' values in the same checkpoint
    arrays, description
        from :func:`collect`
    where : str
        names the state in an error
    finite : bool
        whether the numbers of the description must be finite

    Raises
    ------
    CheckpointError
        if the state is that of another optimizer or of other parameters. The trainer has not been changed then.
    """
    try:
        return _plan(trainer, names, weights, dict(arrays), description, finite)
    except CheckpointError as error:
        raise CheckpointError(f'{where}: {error}') from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f'{where}: not the state of a trainer: {type(error).__name__}: {error}') from error


def _plan(trainer, names, weights, arrays, description, finite):
    optimizer, scaler = trainer.optimizer, getattr(trainer, '_amp_loss_scaler', None)
    if (description['optimizer'], _kind(optimizer)) == ('Adam', 'gluonzoo.Adam'):
        raise CheckpointError("optimizer: MXNet's form of Adam in the file, whose name is mxnet_adam; adam here")
    _same('optimizer', description['optimizer'], _kind(optimizer))
    _same('numbers', sorted(description['numbers']), sorted(n for n in _NUMBERS if hasattr(optimizer, n)))
    for number, value in description['numbers'].items() if finite else ():
        if isinstance(value, float) and not math.isfinite(value):
            raise CheckpointError(f'{number} is {value} (--allow-not-finite takes it)')
    _same('loss scaler', description['loss_scaler'] is not None, scaler is not None)
    indices = {names[parameter]: index for index, parameter in enumerate(trainer._params)}
    for name in {*description['states'], *description['update_counts']}:
        if name not in indices:
            raise CheckpointError(f'it has a state of {name!r}, which this trainer does not update')
    states = {}
    for name, state in description['states'].items():
        value = mx.nd.array(weights[name], dtype=weights[name].dtype)
        with warnings.catch_warnings():   # about float16, once more
            warnings.simplefilter('ignore')
            made = optimizer.create_state_multi_precision(indices[name], value)
        states[indices[name]] = _unflatten(state, made, arrays)
    if arrays:
        raise CheckpointError(f'it has arrays that belong to nothing: {sorted(arrays)[:3]}')
    counts = {indices[name]: int(count) for name, count in description['update_counts'].items()}

    def put():
        for updater, ctx in zip(trainer._updaters, trainer._contexts):
            updater.states = {index: _copy(state, ctx) for index, state in states.items()}
            updater.states_synced = dict.fromkeys(states, True)
        optimizer._all_index_update_counts = {ctx.device_id: dict(counts) for ctx in trainer._contexts}
        optimizer._set_current_context(trainer._contexts[0].device_id)
        for number, value in description['numbers'].items():
            setattr(optimizer, number, value)
        for key in _SCALER if scaler else ():
            setattr(scaler, key, description['loss_scaler'][key])
    return put


def _same(what, theirs, ours):
    if theirs != ours:
        raise CheckpointError(f'{what}: {theirs} in the file, {ours} here')


def _unflatten(state, made, arrays):
    """The structure `made` by the optimizer, filled with the arrays that `state` names; these leave `arrays`."""
    _same('a state', state is not None, made is not None)
    if made is None:
        return None
    if isinstance(made, (tuple, list)):
        _same('parts of a state', len(state), len(made))
        return tuple(_unflatten(s, m, arrays) for s, m in zip(state, made))
    array = arrays.pop(state)
    _same(f'shape of {state}', array.shape, made.shape)
    _same(f'dtype of {state}', array.dtype, np.dtype(made.dtype))
    return mx.nd.array(array, dtype=array.dtype)


def _copy(state, ctx):
    if isinstance(state, tuple):
        return tuple(_copy(part, ctx) for part in state)
    return state if state is None else state.copyto(ctx)
