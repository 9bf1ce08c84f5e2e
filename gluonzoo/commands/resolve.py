"""From settings to tasks, data and engines; and tasks that are ready to be used, of a run or of weights."""
import contextlib
import re
from typing import NamedTuple

import mxnet as mx

from .. import recipes
from ..convert import load_own_weights
from ..data import Loader
from ..reading import quoted
from ..registry import DATASETS, MODELS, TASKS, get_model
from ..tasks import Task
from ..tasks.base import reason_of
from ..train import Run
from ..train.engine import Engine
from ..values import NAMES, PATH, TRUE_OR_FALSE, check, nullable
from . import input_convention, user_code
from .overrides import override

__all__ = ['Opened', 'load_named_weights', 'make_dataset', 'make_engine', 'make_network', 'make_task', 'open_model',
           'open_run', 'validation_loader']


# What settings of a network have besides the model's own keywords.
WEIGHTS = {'weights': nullable(PATH), 'partial': TRUE_OR_FALSE}
_USED = ('task', 'val_data')   # the parts of a run's settings that matter when it is used


class Opened(NamedTuple):
    """A task that is ready to predict and evaluate."""
    task: object
    settings: dict
    source: object
    """Path of the checkpoint or of the weights"""


def open_run(directory, which='best', ctx=None, overrides=(), code=None, finite=True):
    """What a run has trained.

    Parameters
    ----------
    directory : str or Path
    which : {'best', 'last'}
        checkpoint; with averaged weights where the run has some
    ctx : list of Context, optional
        the devices; default: the CPU
    overrides : sequence of str
        settings of the task and of the validation data that replace those of the run: 'task.flip=true'
    code : str or Path, optional
        the user's own file, if the run was made with one
    finite : bool
        whether weights that are infinite or NaN are refused

    Returns
    -------
    Opened

    Raises
    ------
    CheckpointError
        if there is no such run or checkpoint, or it is damaged.
    ValueError
        if the run needs code and `code` is None, or an override is unknown or of the training.
    """
    run = Run.open(directory)
    run.finite = finite
    user_code.load_for(run, code)
    settings = override(run.settings, overrides)
    for text in overrides:
        if text.partition('.')[0].partition('=')[0] not in _USED:
            raise ValueError(f'--set: {text}: is of the training, and changes nothing here; {" and ".join(_USED)} do')
    task = make_task(settings, to_predict=True)
    task.start_prediction(ctx)
    return Opened(task, settings, run.load_networks(task, which))


def open_model(model, weights, ctx=None, overrides=(), finite=True):
    """A model with weights from a file, without a run.

    The task is that of the model's recipe, with the class names of the official weights. Pictures become inputs as the
    file says, if it does. Of a network for other classes say
    ``overrides=['task.net.classes=3', 'task.class_names=["cat", "cow", "dog"]']``.

    Parameters
    ----------
    model : str
        one of :func:`gluonzoo.list_models`
    weights : str or Path
        what ``gluonzoo convert`` has written, or a network's file of a checkpoint
    ctx, overrides, finite
        as for :func:`open_run`

    Returns
    -------
    Opened

    Raises
    ------
    ValueError
        for an unknown model, one that no task predicts with, or an unknown override; WeightsError if the file cannot be
        read or does not fit.
    """
    MODELS.target(model)   # ValueError for an unknown name
    recipe = recipes.of_model(model)
    if recipe is None:
        raise ValueError(f'model: no recipe says what {model!r} predicts; train it, and open the run')
    settings = {'task': recipe.prediction(model)}
    # Of a task that uses several, such as one for each direction, the recipe says which one is enough.
    name, = (each for each in TASKS.target(settings['task']['name']).used if each in settings['task'])
    input_convention.follow(settings, {name: weights})
    settings = override(settings, overrides)
    input_convention.check(settings, {name: weights})
    task = make_task(settings, to_predict=True, used=(name,))
    task.start_prediction(ctx)
    load_own_weights(task.networks[name], weights, finite=finite)
    return Opened(task, settings, weights)


def make_task(settings, to_predict=False, used=None):
    """The task that settings describe; its networks have no weights yet.

    A network's dict may lack ``classes``: then they are as many as the task's ``class_names``. With `to_predict`
    networks that prediction does not use are not made: those that are not in `used`, by default all that the task uses.
    """
    keywords = TASKS.keywords(settings.get('task'), 'task')
    name = keywords.pop('name')
    cls = TASKS.target(name)
    if not isinstance(cls, type) or not issubclass(cls, Task):
        raise ValueError(f'task {name!r}: must be a class derived from gluonzoo.tasks.Task: {quoted(cls)}')
    used = cls.used if used is None else used
    for network in cls.network_names:
        if network in cls.own_networks:
            continue
        if to_predict and network not in used:
            keywords[network] = None
        else:
            keywords[network] = _make_network(keywords.get(network), keywords.get('class_names'), f'task.{network}')
    task = TASKS.create(name, **keywords)
    if not hasattr(task, 'networks'):
        raise ValueError(f'{type(task).__name__}.__init__: must call super().__init__ with the networks: '
                         f'{", ".join(f"{each}={each}" for each in cls.network_names)}')
    return task


def _make_network(specification, class_names, where):
    keywords = MODELS.keywords(specification, where)
    for key, rule in WEIGHTS.items():
        if key in keywords:
            check(f'{where}.{key}', keywords.pop(key), rule)
    if class_names is not None and 'classes' in MODELS.signature(keywords['name']).parameters:
        check('task.class_names', class_names, NAMES)
        keywords.setdefault('classes', len(class_names))
    return make_network(**keywords)


def make_network(name, **keywords):
    """As :func:`gluonzoo.get_model`. What MXNet or Python says of numbers that make no network becomes a ValueError."""
    try:
        net = get_model(name, **keywords)
        if isinstance(net, mx.gluon.HybridBlock):
            return net
        raise ValueError(f'model {name!r}: must be made as a HybridBlock: {quoted(net)}')
    except (mx.MXNetError, ArithmeticError, AssertionError, IndexError, TypeError) as error:
        if not MODELS.target(name).__module__.startswith('gluonzoo.'):   # the user's own: with its traceback
            raise
        raise ValueError(f'{name}: cannot be made with {quoted(keywords)}: {reason_of(error)}') from error


def load_named_weights(task, settings, finite=True):
    """Puts the weights that the settings of networks name (``'weights': FILE``) into the networks of a started task.

    Returns
    -------
    list of str: 'network.parameter', what was started anew because of ``'partial': true``.
    """
    anew = []
    for network, net in task.networks.items():
        specification = settings['task'].get(network) or {}
        if specification.get('weights'):
            found = load_own_weights(net, specification['weights'], specification.get('partial', False), finite)
            anew += [f'{network}.{name}' for name in found]
    return anew


def make_engine(settings, kvstore='device'):
    """The engine that ``settings['engine']`` describes; `kvstore` is what adds up gradients."""
    how = settings['engine']
    ctx = contexts(how['devices'])
    if how['amp'] == 'float16' and any(one.device_type == 'cpu' for one in ctx):
        raise ValueError('--amp: MXNet has no float16 matrix product on a CPU; bfloat16 it has')
    return Engine(ctx, accumulate=how['accumulate'], clip_norm=how['clip_norm'], amp=how['amp'], kvstore=kvstore)


def contexts(devices):
    """list of str, 'cpu(0)' -> list of Context. ValueError for one that is not there."""
    found = []
    for device in devices:
        match = re.fullmatch(r'(cpu|gpu)\((\d+)\)', str(device))
        if not match:
            raise ValueError(f"--devices: must be like 'cpu(0)' or 'gpu(1)': {device!r}")
        found.append(mx.Context(match[1], int(match[2])))
        if match[1] == 'gpu' and int(match[2]) >= mx.context.num_gpus():
            raise ValueError(f'--devices: {device} is not there: MXNet finds {mx.context.num_gpus()} GPU(s)')
    return found


def moved_data(specification, path, split='val'):
    """The settings of a dataset with another place.

    Parameters
    ----------
    specification : dict
        ``settings['val_data']``
    path : Path
        of the data themselves, or of a folder that has them as their part `split`
    split : {'train', 'val'}

    Returns
    -------
    dict

    Raises OSError or ValueError if there are no such data.
    """
    cls = DATASETS.target(specification['name'])
    if path.is_dir() and hasattr(cls, 'in_folder'):   # a dataset of the user's own may lack it
        with contextlib.suppress(FileNotFoundError, NotImplementedError):   # then the folder is the part itself
            place = cls.in_folder(path, split)   # and of the pictures, which are found from there
            if specification.get('part') == 'all' != place.get('part', 'all'):   # nor are all of these to be split
                return {**specification, 'path': str(path)}
            return {**{key: value for key, value in specification.items() if key != 'images'}, **place}
    return {**specification, 'path': str(path)}


def make_dataset(settings, part):
    """The dataset that a part of settings, 'train_data' or 'val_data', describes.

    Raises ValueError if its classes are not those of the task: their numbers would mean others.
    """
    dataset = DATASETS.make(settings.get(part), part)
    names, there = settings['task'].get('class_names'), getattr(dataset, 'class_names', None)
    if names is not None and there is not None and list(there) != list(names):
        raise ValueError(f'{settings[part].get("path", part)}: has the classes {quoted(there)}, not {quoted(names)}')
    return dataset


def validation_loader(settings, workers=2):
    """What the settings' task is evaluated on, in batches."""
    dataset = make_dataset(settings, 'val_data')
    return Loader(dataset, min(8, len(dataset)), shuffle=False, seed=0, workers=workers, last='keep')
