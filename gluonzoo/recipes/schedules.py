"""Schedules of recipes: their steps follow from the length of the training."""

__all__ = ['make_schedule', 'number_of_steps']


def number_of_steps(epochs, count, batch_size):
    """Updates in so many epochs of `count` records; what does not fill a batch is left out."""
    return epochs * (count // batch_size)


def make_schedule(name, steps, drops=(), warmup=None, warmup_power=None):
    """The specification of a schedule (gluonzoo.train.schedule) over so many updates.

    Parameters
    ----------
    name : {'constant', 'step', 'cosine'}
    steps : int
    drops : sequence of float
        for 'step': where the rate is divided by ten, as parts of the training
    warmup : int, optional
        updates in which the rate rises; at most a tenth of the training
    warmup_power : float, optional
        the rate rises as the updates to this power; without it, in a straight line
    """
    schedule = {'name': name}
    if name == 'step':
        schedule['milestones'] = sorted({max(1, round(part * steps)) for part in drops})
    elif name == 'cosine':
        schedule['steps'] = max(2, steps)
    if warmup is not None:
        schedule['warmup'] = min(warmup, steps // 10)
    if warmup_power is not None:
        schedule['warmup_power'] = warmup_power
    return schedule
