"""The input convention that weights want, in settings: the network, its task and the data follow the weights' file.

A file that ``gluonzoo convert`` has made of weights from elsewhere says which mean and std they want: see
:mod:`gluonzoo.convert.convention`. A network that takes them as keywords is made with those. So are a task that has
them, too, and the transforms of the data: the weights shall see pictures such as they were trained on.
"""
from pathlib import Path

from ..convert import WeightsError, convention_of
from ..convert.convention import KEYWORDS, OF_NETWORK, plain, same
from ..reading import quoted
from ..registry import MODELS, TASKS, TRANSFORMS
from ..train import CheckpointError
from ..train.settings import read_settings
from ..values import PATH

__all__ = ['check', 'files_of', 'follow', 'wanted_by']


def follow(settings, files, begun=None):
    """Puts what files of weights want into settings, where these have what the networks are made with by default.

    What they have otherwise is left: :func:`check` finds it.

    Parameters
    ----------
    settings : dict
        with 'task', and perhaps 'train_data' and 'val_data'; changed
    files : dict of network -> path of its weights
    begun : str or Path, optional
        the directory of a run that goes on. The files need not be there any more: the run's settings tell what they
        wanted.
    """
    for network, file in files.items():
        for path, place, key, wanted, default, _ in _places(settings, network, file, begun):
            # What a network is made with, somebody has said. The others may have it from the network.
            if key not in place or path != f'task.{network}' and same(place[key], default):
                place[key] = list(wanted) if key in KEYWORDS else wanted


def check(settings, files, begun=None):
    """ValueError unless settings are as files of weights want it. Parameters: see :func:`follow`."""
    for network, file in files.items():
        for path, place, key, wanted, _, own in _places(settings, network, file, begun):
            here = place.get(key, own)
            if not same(here, wanted):
                what = f'the {key} {list(wanted)} of pictures' if key in KEYWORDS else f'{key} {plain(wanted)}'
                raise ValueError(f'{file}: its weights want {what}; {path}.{key} is {quoted(here)}')


def files_of(settings):
    """The files of weights that settings name: dict of network -> path."""
    task = settings['task']
    networks = {name: task.get(name) for name in getattr(TASKS.target(task['name']), 'network_names', ())}
    return {name: network['weights'] for name, network in networks.items()
            if isinstance(network, dict) and PATH.holds(network.get('weights'))}


def _places(settings, network, file, begun):
    """Yields (path, dict, key, value that the file wants, the network's default, the default there) for every keyword
    of settings that says how pictures become inputs of a network."""
    convention = _convention(network, file, begun)
    if not convention:
        return
    model = _keywords(MODELS, settings['task'][network], f'task.{network}')
    if not model:   # it has a convention of its own; when the file is loaded, both are compared
        return
    places = [(f'task.{network}', settings['task'][network], MODELS), ('task', settings['task'], TASKS)]
    places += [(f'{part}.transform', settings[part]['transform'], TRANSFORMS) for part in ('train_data', 'val_data')
               if isinstance(settings.get(part, {}).get('transform'), dict)]
    for path, place, registry in places:
        for key, own in _keywords(registry, place, path).items():
            if key in convention:
                yield path, place, key, convention[key], model.get(key), own


def _keywords(registry, specification, where):
    """The defaults of mean, std and so on of what a dict with a 'name' describes, as far as it takes them."""
    parameters = registry.signature(registry.keywords(specification, where)['name']).parameters
    return {key: parameters[key].default for key in (*KEYWORDS, *OF_NETWORK) if key in parameters}


def wanted_by(file):
    """What a weight file of ours wants: dict with 'mean', 'std' and so on, or empty if nobody says so.

    The file of a network in a checkpoint says nothing: the settings of its run do.

    Raises WeightsError if it cannot be read.
    """
    file = Path(file)
    return convention_of(file) or _of_run(file.absolute().parent.parent.parent, file.stem)


def _convention(network, file, begun):
    """As :func:`wanted_by`, but empty if the file cannot be read, which is said when it is loaded."""
    try:
        return wanted_by(file)
    except WeightsError:
        return {} if begun is None or Path(file).exists() else _of_run(Path(begun), network)


def _of_run(directory, network):
    """What the settings of a run in a directory say; empty if there is no run, or if they do not say so."""
    try:
        then = read_settings(directory / 'settings.json')['task'][network]
        return {key: then[key] for key in (*KEYWORDS, *OF_NETWORK) if key in then}
    except (CheckpointError, KeyError, TypeError):
        return {}
