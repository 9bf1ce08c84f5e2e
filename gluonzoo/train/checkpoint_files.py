"""The files of one checkpoint: writes them, and checks all of them before anything is loaded."""
import hashlib
import json

import mxnet as mx
import numpy as np
from mxnet import gluon

from . import storage, trainer_state
from .parameters import named_parameters, names_of_parameters, used_networks
from .storage import CheckpointError

__all__ = ['directory_name', 'write', 'write_state', 'read_state', 'plan_all', 'plan_use']

_TASK_FILE = 'task.safetensors'


def write(directory, task, ema, state):
    """Fills an empty directory: the task's networks, trainers and own state, `ema`, and `state`, a JSON-able dict.

    Raises CheckpointError if the files cannot be written, or if a weight is not finite.
    """
    mx.nd.waitall()   # oneDNN reorders weights where they lie, while something is computed with them
    names = names_of_parameters(task.networks)
    for name, net in task.networks.items():
        try:
            arrays = {key: parameter.list_data()[0].asnumpy() for key, parameter in named_parameters(net).items()}
        except gluon.parameter.DeferredInitializationError as error:
            reason = str(error).partition('.')[0]
            raise CheckpointError(f'network {name!r} has not seen an input yet: {reason}') from error
        for key, array in arrays.items():
            if array.dtype.kind == 'f' and not np.isfinite(array).all():
                raise CheckpointError(f'network {name!r}: {key} has values that are not finite')
        storage.write_arrays(directory / _network_file(name), arrays)
        if ema and name in task.used:
            storage.write_arrays(directory / _ema_file(name),
                                 {key: shadow.asnumpy() for key, shadow in ema.shadows[name].items()})
    trainers = {}
    for name, trainer in task.trainers.items():
        arrays, trainers[name] = trainer_state.collect(trainer, names)
        storage.write_arrays(directory / _trainer_file(name), arrays)
    storage.write_arrays(directory / _TASK_FILE, task.state())
    files = {file.name: storage.sha256(file) for file in sorted(directory.iterdir())}
    write_state(directory, {**state, 'trainers': trainers, 'files': files})


def write_state(directory, state):
    """Writes or replaces state.json, which describes the other files."""
    content = json.dumps(state, indent=2)
    digest = hashlib.sha256(content.encode()).hexdigest()
    storage.write_file(directory / 'state.json', f'{{"sha256": "{digest}", "state":\n{content}}}\n'.encode())


def read_state(directory):
    """The state that :func:`write_state` has written.

    Raises CheckpointError if the file is damaged or another one, or if the directory has not the name of its step. (A
    copy under another name could be taken for the last checkpoint for ever.)
    """
    path = directory / 'state.json'
    whole = storage.read_json(path)
    try:
        content = json.dumps(whole['state'], indent=2)
        if hashlib.sha256(content.encode()).hexdigest() != whole['sha256']:
            raise CheckpointError(f'{path}: damaged: its SHA-256 is not the one it has')
        state = {key: whole['state'][key] for key in ('step', 'epoch', 'batch', 'metrics', 'best', 'trainers', 'files')}
        numbers = [state['step'], state['epoch'], state['batch'], *([state['best']['step']] if state['best'] else ())]
        if not all(isinstance(number, int) for number in numbers):
            raise TypeError(f'must be whole numbers: {numbers}')
        state = {**state, 'trainers': dict(state['trainers']), 'files': dict(state['files'])}
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f'{path}: not the state of a checkpoint: {type(error).__name__}: {error}') from error
    if directory.name != directory_name(state['step']):
        raise CheckpointError(f'{directory}: is a copy of {directory_name(state["step"])} under another name: a '
                              'checkpoint must be called by its step. Rename or remove it')
    return state


def directory_name(step):
    """The name of the directory of a checkpoint."""
    return f'step-{step:08d}'


def plan_all(path, state, task, ema, finite=True):
    """Checks that a checkpoint fits a task and, if given, an EMA.

    With `finite`, so must be all numbers of networks, trainers and averages. (A task may keep others.)

    Returns
    -------
    list of functions without arguments, to be called one after the other: they load the checkpoint.

    Raises
    ------
    CheckpointError
        if the checkpoint is damaged or made from something else. This function raises it, or the first one of the list.
        Nothing has been changed then.
    """
    expected = {*map(_network_file, task.networks), *map(_trainer_file, task.trainers), _TASK_FILE,
                *(map(_ema_file, task.used) if ema else ())}
    superfluous = {*map(_ema_file, task.networks)} - expected if ema else set()   # once, all networks were averaged
    differ = expected ^ (set(state['files']) - superfluous)
    if differ:
        raise CheckpointError(f'{path}: made from another task: {", ".join(sorted(differ))} in one of the two only')
    arrays = {file: storage.read_arrays(path / file, state['files'][file]) for file in expected}
    for file in sorted(expected - {_TASK_FILE}) if finite else ():
        storage.require_finite(arrays[file], path / file)
    names = names_of_parameters(task.networks)
    weights, puts = {}, []
    for name, net in task.networks.items():
        values = arrays[_network_file(name)]
        puts.append(_plan_network(net, values, path / _network_file(name)))
        weights.update({f'{name}.{key}': value for key, value in values.items()})
    for name, trainer in task.trainers.items():
        puts.append(trainer_state.plan(trainer, names, weights, arrays[_trainer_file(name)],
                                       state['trainers'].get(name), path / _trainer_file(name), finite))
    if ema:
        puts.append(_plan_ema(ema, used_networks(task), arrays, path))

    def load_state():
        try:
            task.load_state(arrays[_TASK_FILE])
        except ValueError as error:
            raise CheckpointError(f'{path / _TASK_FILE}: {error}') from error
    return [load_state, *puts]   # the task checks its state itself: first, so that nothing has been changed by then


def plan_use(path, task, finite=True):
    """As :func:`plan_all`, for the used networks alone, with the averaged weights if the checkpoint has some."""
    files = read_state(path)['files']
    puts = []
    for name, net in used_networks(task).items():
        if _network_file(name) not in files:
            raise CheckpointError(f'{path}: has no network {name!r}')
        file = _ema_file(name) if _ema_file(name) in files else _network_file(name)
        dtype = 'float32' if file == _ema_file(name) else None
        arrays = storage.read_arrays(path / file, files[file])
        if finite:
            storage.require_finite(arrays, path / file)
        puts.append(_plan_network(net, arrays, path / file, dtype))
    return puts


def _network_file(name):
    return f'{name}.safetensors'


def _ema_file(name):
    return f'ema-{name}.safetensors'


def _trainer_file(name):
    return f'trainer-{name}.safetensors'


def _check_names(arrays, known, where):
    for name in sorted(set(arrays) ^ set(known)):
        raise CheckpointError(f'{where}: {name!r} is in the {"file" if name in arrays else "network"} alone')


def _check_array(array, parameter, dtype, where):
    shape = parameter.shape   # a size of 0 is one that the network does not know before it sees its first input
    if len(array.shape) != len(shape) or any(theirs != ours != 0 for theirs, ours in zip(array.shape, shape)):
        raise CheckpointError(f'{where}: shape {array.shape} in the file, {shape} in the network')
    if array.dtype != np.dtype(dtype):
        raise CheckpointError(f'{where}: dtype {array.dtype} in the file, {np.dtype(dtype)} in the network')


def _plan_network(net, arrays, where, dtype=None):
    """Checks arrays against a network, and returns the function that puts them in. Their dtype: the network's own."""
    parameters = named_parameters(net)
    _check_names(arrays, parameters, where)
    for name, parameter in parameters.items():
        if parameter._data is None and not parameter._deferred_init:
            raise CheckpointError(f'{where}: the network is not initialized')
        _check_array(arrays[name], parameter, dtype or parameter.dtype, f'{where}: {name!r}')

    def put():
        for name, parameter in parameters.items():
            value = mx.nd.array(arrays[name], dtype=arrays[name].dtype)
            parameter.set_data(value.astype(parameter.dtype, copy=False))
            parameter._finish_deferred_init()   # its shape is known now
    return put


def _plan_ema(ema, networks, arrays, path):
    shadows = {}
    for network, net in networks.items():
        where, values, parameters = path / _ema_file(network), arrays[_ema_file(network)], named_parameters(net)
        _check_names(values, parameters, where)
        for name, parameter in parameters.items():
            _check_array(values[name], parameter, 'float32', f'{where}: {name!r}')
        shadows[network] = {name: mx.nd.array(values[name], ctx=parameter.list_ctx()[0])
                            for name, parameter in parameters.items()}
    return lambda: setattr(ema, 'shadows', shadows)
