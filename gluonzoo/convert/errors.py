"""What goes wrong when weights come from elsewhere."""

__all__ = ['WeightsError']


class WeightsError(ValueError):
    """A weight file cannot be read, or does not fit the network. Nothing has been changed."""
