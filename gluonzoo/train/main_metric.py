"""The numbers of an evaluation, and the one that says which of two trained networks is better."""

__all__ = ['name_and_sign', 'numbers_of']

_SIGNS = {'max': 1, 'min': -1}


def name_and_sign(task):
    """The name of a task's main metric; and 1 or -1, such that the metric times this is greater the better it is.

    Raises ValueError if the task's `main_metric` is not a name with 'max' or 'min'.
    """
    try:
        name, direction = task.main_metric
        return name, _SIGNS[direction]
    except (TypeError, ValueError, KeyError):
        raise ValueError(f"main_metric: must be a name with 'max' or 'min': {task.main_metric!r}") from None


def numbers_of(found):
    """What a task's evaluate has given, as dict of name -> float. ValueError if it is something else."""
    try:
        return {name: float(value) for name, value in found.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f'evaluate: must give a dict of numbers: {found!r}') from None
