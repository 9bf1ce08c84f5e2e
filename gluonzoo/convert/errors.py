"""What goes wrong when weights come from elsewhere."""

__all__ = ['WeightsError', 'at_most', 'require_count']


class WeightsError(ValueError):
    """A weight file cannot be read, or does not fit the network. Nothing has been changed."""


def at_most(lines, count=20):
    """The first of some lines of a message, and how many more there are: of another network, nothing fits."""
    more = len(lines) - count
    return [*lines[:count], f'... and {more} more'] if more > 1 else lines


def require_count(net, keyword, count, path):
    """WeightsError unless a network has as many of `keyword` ('classes' ...) as a file of weights; it says the setting.
    """
    here = getattr(net, keyword)
    if count != here:
        raise WeightsError(f"{path}: is of {count} {keyword}, the network here of {here}: --settings "
                           f"'{{\"{keyword}\": {count}}}'")
