"""What goes wrong when a network is exported."""

__all__ = ['ExportError']


class ExportError(ValueError):
    """A network cannot be exported, or what was written computes something else. No file is left."""
