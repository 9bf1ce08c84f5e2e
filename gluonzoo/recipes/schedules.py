"""Schedules of recipes: their steps follow from the length of the training."""

__all__ = ['linear_by_epochs', 'make_schedule', 'number_of_steps']


def number_of_steps(epochs, count, batch_size):
    """Updates in so many epochs of `count` records; what does not fill a batch is left out."""
    return epochs * (count // batch_size)


def linear_by_epochs(epochs, steps):
    """The specification of a schedule that is constant in the first half of the epochs, and then falls from epoch to
    epoch: by n of n + 1 equal parts in the last n epochs, so that the last one still has a rate.

    Source: get_scheduler of github.com/junyanz/pytorch-CycleGAN-and-pix2pix, where a rate is set after each epoch.
    (Versions that set a rate before each epoch are an epoch ahead, and the last epoch has the rate 0.)

    Parameters
    ----------
    epochs : int
    steps : int
        of an epoch
    """
    return {'name': 'linear', 'begin': ((epochs + 1) // 2 - 1) * steps, 'steps': epochs * steps, 'every': steps}


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
