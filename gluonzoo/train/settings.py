"""settings.json: how the task, the data and the training of a run are made.

::

    revision    of this form, 3
    task        'name' of a registered task, and its keywords; networks and optimizers are dicts with a 'name'
    train_data  'name' of a registered dataset, and its keywords; what is trained on
    val_data    the same, what is evaluated on
    engine      devices, kvstore, accumulate, clip_norm, amp: see gluonzoo.train.engine; threads: of MXNet on the CPU
    fit         seed, batch_size, epochs, schedule, ema, workers: see gluonzoo.train.fit. ema is the decay, or an object
                with keywords of gluonzoo.train.EMA
    code        'file' and 'sha256' of the user's own code, if the run needs some
    fingerprints
                of train_data and val_data, 'count' and 'sha256': what they are known by, wherever they lie. See
                gluonzoo.data.dataset.Dataset.fingerprint. None for a dataset that has no such thing
"""
from ..reading import quoted
from ..values import NAMED, NAMES, NUMBER, OBJECT, TEXT, TRUE_OR_FALSE, Rule, check, nullable, number, whole
from . import storage
from .storage import CheckpointError

__all__ = ['REVISION', 'MAY_CHANGE', 'check_settings', 'converted', 'differences', 'flat', 'moved_without_fingerprint',
           'read_settings', 'setting_of']

REVISION = 3

# Settings that may differ when a run is resumed: how long the training is, and on which devices and threads.
MAY_CHANGE = ('fit.epochs', 'fit.workers', 'engine.devices', 'engine.kvstore', 'engine.threads', 'train_data.workers',
              'val_data.workers')


# What the values of the parts that have no 'name' must be.
_FILE = Rule('the name of a Python file', lambda value: isinstance(value, str) and value.endswith('.py')
             and not set(value) & set('/\\\0'))
_DECAY = number(0, 1)
_EMA = {'decay': _DECAY, 'warmup': TRUE_OR_FALSE, 'start': whole(0), 'interval': whole(1)}
_AVERAGE = Rule(f"{_DECAY.words}, or an object with 'decay' and perhaps 'warmup', 'start' and 'interval'",
                lambda value: _DECAY.holds(value) or isinstance(value, dict) and 'decay' in value and all(
                    key in _EMA and _EMA[key].holds(value[key]) for key in value))
RULES = {
    'engine': {'devices': NAMES, 'kvstore': nullable(TEXT), 'accumulate': whole(1), 'clip_norm': nullable(NUMBER),
               'amp': nullable(TEXT), 'threads': nullable(whole(1))},
    'fit': {'batch_size': whole(1), 'epochs': whole(1), 'schedule': OBJECT, 'seed': whole(0, 2 ** 31 - 1),
            'ema': nullable(_AVERAGE), 'workers': whole(1, 1000)},
    'code': {'file': _FILE, 'sha256': TEXT},
}

_DATA = ('train_data', 'val_data')
_FINGERPRINTS = 'fingerprints'

MXNET_ADAM = 'mxnet_adam'   # see gluonzoo.optimizers
# What the tasks of revision 2 took by default.
_DEFAULTS = {'pix2pix': {'optimizer': {'name': 'adam', 'learning_rate': 2e-4, 'beta1': 0.5}},
             'keypoint_detection': {'optimizer': {'name': 'adam', 'learning_rate': 2.5e-4}}}


def read_settings(path):
    """The settings in a file, in the present form. See :func:`converted`.

    Raises CheckpointError if the file cannot be read, holds no settings, or is of a later revision.
    """
    settings = storage.read_json(path)
    if not isinstance(settings, dict):
        raise CheckpointError(f'{path}: must be a JSON object')
    try:
        return converted(settings)
    except ValueError as error:
        raise CheckpointError(f'{path}: {error}') from error


def converted(settings):
    """Settings of any revision in the present form; without 'revision', they are of revision 1.

    Raises ValueError if they are of a later revision, or if revision 1 says so and they have not its form.
    """
    revision = settings.get('revision', 1)
    if isinstance(revision, bool) or not isinstance(revision, int) or revision not in range(1, REVISION + 1):
        raise ValueError(f'is of revision {quoted(revision)}; this gluonzoo reads 1 to {REVISION}')
    if revision == 1:
        _require_first(settings)
        settings = _from_first(settings)
    settings = _from_second(settings) if revision < 3 else settings
    check_settings(settings)
    return settings


def check_settings(settings):
    """ValueError for a value that is not of its type: it names the setting, the rule and the value.

    What is not there is no error here: not every use needs every part. Nor is what is described by a 'name': the
    registry checks that, when it makes the thing.
    """
    for part in ('task', 'train_data', 'val_data', _FINGERPRINTS):
        if part in settings:
            check(part, settings[part], OBJECT)
    for part, rules in RULES.items():
        if part not in settings:
            continue
        check(part, settings[part], OBJECT)
        for key, rule in rules.items():
            if key in settings[part]:
                check(f'{part}.{key}', settings[part][key], rule)
    code = settings.get('code')
    if code is not None and set(code) != set(RULES['code']):
        raise ValueError(f"code: must have 'file' and 'sha256' alone: {quoted(code)}")


def differences(before, now):
    """The differences between a run's settings and new ones that forbid to resume the run: list of str.

    Data may lie elsewhere, if their fingerprint is the same, or if the run has none yet.
    """
    lines, may_change = [], set(MAY_CHANGE)
    for part in _DATA:
        then, today = _fingerprint(before, part), _fingerprint(now, part)
        if today is not None:   # else the dataset is known by its place alone
            may_change.update(_places(part))
        if None not in (then, today) and then != today:
            lines.append(_other_data(part, then, today))
    before, now = (flat({key: value for key, value in settings.items() if key != _FINGERPRINTS})
                   for settings in (before, now))
    return lines + [f'{key} {quoted(before.get(key, "(absent)"))} then, {quoted(now.get(key, "(absent)"))} now'
                    f'{_hint(key, before)}' for key in sorted({*before, *now}) if key not in may_change
                    and (key in before, before.get(key)) != (key in now, now.get(key))]


def moved_without_fingerprint(before, now):
    """Which of 'train_data' and 'val_data' lie elsewhere than when the run was begun, in a run that does not say what
    they are known by: list of str."""
    sides = [flat(settings) for settings in (before, now)]
    return [part for part in _DATA if _fingerprint(before, part) is None
            and any(sides[0].get(key) != sides[1].get(key) for key in _places(part))]


def _fingerprint(settings, part):
    fingerprints = settings.get(_FINGERPRINTS)
    return fingerprints.get(part) if isinstance(fingerprints, dict) else None


def _places(part):
    """The settings that say where data lie."""
    return [f'{part}.path', f'{part}.images']


def _other_data(part, then, today):
    counts = [one.get('count') if isinstance(one, dict) else None for one in (then, today)]
    said = f'{counts[0]} items then, {counts[1]} now' if counts[0] != counts[1] else \
        f'{counts[1]} items as then, but others, or with other annotations'
    return f'{part}: other data than the run was begun with: {said}'


def _hint(key, before):
    """How to go on with a run whose 'adam' is MXNet's, which recipes no longer name."""
    return f' (--set {key}={MXNET_ADAM} goes on with it)' if before.get(key) == MXNET_ADAM else ''


def setting_of(specification, name):
    """The specification for `name`: the whole, if it is one for all (it has a 'name'), or else the part of this name.

    >>> setting_of({'name': 'adam'}, 'generator'), setting_of({'generator': {'name': 'sgd'}}, 'generator')
    ({'name': 'adam'}, {'name': 'sgd'})

    Raises ValueError if `name` has none.
    """
    if callable(specification) or isinstance(specification, dict) and 'name' in specification:
        return specification
    if not isinstance(specification, dict) or name not in specification:
        raise ValueError(f'must be one for all, with a name, or have one for {name!r}: {quoted(specification)}')
    return specification[name]


def flat(settings, prefix=''):
    """Nested dicts as one, with keys such as 'task.net.name'."""
    found = {}
    for key, value in settings.items():
        found.update(flat(value, f'{prefix}{key}.') if isinstance(value, dict) and value else {prefix + key: value})
    return found


def _from_first(settings):
    """Converts settings of revision 1, which :func:`_require_first` has checked.

    The engine's settings were in the task, and networks had another key.

    Besides, the networks of DSOD's paper said themselves which parameters have no weight decay, and the transform did
    not make CenterNet's targets.
    """
    task, fit = dict(settings['task']), dict(settings['fit'])
    engine = {name: fit.pop(name) for name in ('devices', 'kvstore')}
    engine.update({name: task.pop(name) for name in ('accumulate', 'clip_norm', 'amp')})
    train_data = settings['train_data']
    if 'network' in task:
        task['net'] = task.pop('network')
    if task['name'] == 'image_translation':
        task['name'] = 'pix2pix'
    elif task['name'] == 'single_shot_detection' and task['net']['name'] in ('dsod300', 'dsod300_smallest'):
        task['optimizer'] = {**task['optimizer'], 'no_decay': ['heads.*.norm.gamma', 'heads.*.norm.beta']}
    elif task['name'] == 'keypoint_detection' and train_data['transform']['name'] == 'keypoint_train':
        train_data = {**train_data, 'transform': {**train_data['transform'], 'classes': len(task['class_names'])}}
    return {**settings, 'revision': 2, 'task': task, 'train_data': train_data, 'engine': engine, 'fit': fit}


def _require_first(settings):
    """ValueError that names what settings of revision 1 lack for :func:`_from_first`."""
    for part, keys in (('task', ('accumulate', 'clip_norm', 'amp', 'name')), ('fit', ('devices', 'kvstore')),
                       ('train_data', ())):
        there = settings.get(part)
        missing = [key for key in keys if not isinstance(there, dict) or key not in there]
        if missing or not isinstance(there, dict):
            raise ValueError(f'not the settings of a run: {part}: must be an object'
                             f'{" with " * bool(missing)}{", ".join(missing)}: {quoted(there)}')
    task, transform = settings['task'], settings['train_data'].get('transform')
    name = task['name']
    if name in ('single_shot_detection', 'keypoint_detection'):
        check('task.network', task.get('network'), NAMED)
    if name == 'single_shot_detection':
        check('task.optimizer', task.get('optimizer'), OBJECT)
    elif name == 'keypoint_detection':
        check('train_data.transform', transform, NAMED)
        check('task.class_names', task.get('class_names'), NAMES)


def _from_second(settings):
    """Converts settings of revision 2, where 'adam' is MXNet's form of Adam, also as the default of two tasks."""
    task = settings.get('task')
    if isinstance(task, dict):
        default = _DEFAULTS.get(str(task.get('name')), {})
        task = {key: _with_mxnet_adam(value) if key.endswith('optimizer') else value
                for key, value in {**default, **task}.items()}
        settings = {**settings, 'task': task}
    return {**settings, 'revision': 3}


def _with_mxnet_adam(optimizer):
    """The specification of an optimizer, or of several by name, with another name for 'adam'."""
    if not isinstance(optimizer, dict):
        return optimizer
    if 'name' not in optimizer:
        return {key: _with_mxnet_adam(value) for key, value in optimizer.items()}
    return {**optimizer, 'name': MXNET_ADAM} if str(optimizer['name']).lower() == 'adam' else optimizer
