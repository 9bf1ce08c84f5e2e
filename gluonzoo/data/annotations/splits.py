"""Which parts of the data are to train and which to validate with, by the names that the data gives them."""
from .base import AnnotationError

__all__ = ['choose', 'require_none_below']

# The first pair of which both are there is taken.
PAIRS = (('train', 'val'), ('train', 'valid'), ('train', 'validation'), ('trainval', 'test'), ('train', 'test'))
_OTHER = {**dict(reversed(PAIRS)), **{second: first for first, second in PAIRS}}   # what is missing beside one alone


def choose(there, wanted, where):
    """What is to train and to validate with.

    Parameters
    ----------
    there : dict of name -> Path
        the lists, folders or files of splits that there are; other names mean nothing
    wanted : tuple of str, or None
        the names that the user has chosen: to train and to validate with, or one for all
    where : Path
        for messages

    Returns
    -------
    dict of 'train' and 'val' -> Path, or of 'all' -> Path; None if there are no splits

    Raises
    ------
    AnnotationError
        if a split is not there that is wanted, or that belongs to one that is there.
    """
    known = {}
    for name, value in there.items():
        if known.get(name.lower(), value) != value:
            raise AnnotationError(f'{where}: {value} and {known[name.lower()]} have one name')
        known[name.lower()] = value
    if wanted:
        for name in wanted:
            if name.lower() not in known:
                raise AnnotationError(f'{where}: no split {name}; there are: {", ".join(sorted(there)[:20]) or "none"}')
        chosen = [known[name.lower()] for name in wanted]
        return dict(zip(('train', 'val'), chosen)) if len(chosen) == 2 else {'all': chosen[0]}
    for pair in PAIRS:
        if all(name in known for name in pair):
            return dict(zip(('train', 'val'), (known[name] for name in pair)))
    for name, other in _OTHER.items():
        if name in known:
            missing = known[name].with_name(other + known[name].suffix)
            raise AnnotationError(f'{known[name]} is there, {missing} is not; to use it alone, or with another, name '
                                  f'it by --splits {name}')
    return None


def require_none_below(folder, files):
    """AnnotationError if splits are folders further below: what is to validate with would be mixed with the rest."""
    names = {part.lower() for path in files for part in path.relative_to(folder).parts[:-1]}
    for first, second in PAIRS:
        if {first, second} <= names:
            raise AnnotationError(f'{folder}: has no splits, and folders further below are called {first} and '
                                  f'{second}; name the folder that holds these')
