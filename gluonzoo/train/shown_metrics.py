"""The numbers of an evaluation as people read them: in a line, and as a table. The main metric comes first."""
import math

__all__ = ['in_a_line', 'table']

_FEW = 5   # numbers of one kind, such as the AP of each class, that a line says one by one


def in_a_line(metrics, main):
    """'mAP 0.52, mAP07 0.5, AP/cat 0.41, AP/dog 0.6'; of more than five 'AP/...' the range: 'AP/ of 20 0.1 to 0.8'.

    Parameters
    ----------
    metrics : dict of name -> float
    main : str
        name of the main metric
    """
    kinds = {}
    for name, value in _sorted(metrics, main):
        kind, slash, _ = name.partition('/')
        kinds.setdefault(kind + slash if slash else name, []).append((name, value))
    said = []
    for kind, rows in kinds.items():
        if len(rows) <= _FEW:
            said += [f'{name} {value:.4g}' for name, value in rows]
        else:
            numbers = [value for _, value in rows if not math.isnan(value)] or [math.nan]
            said.append(f'{kind} of {len(rows)} {min(numbers):.4g} to {max(numbers):.4g}')
    return ', '.join(said)


def table(metrics, main):
    """Lines, one for each metric, with the numbers below each other.

    Parameters
    ----------
    metrics : dict of name -> float
    main : str
        name of the main metric
    """
    width = max([20, *map(len, metrics)])
    return [f'  {name:{width}} {value:.4f}' for name, value in _sorted(metrics, main)]


def _sorted(metrics, main):
    return sorted(metrics.items(), key=lambda item: item[0] != main)   # the others keep their order
