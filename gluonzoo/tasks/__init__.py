"""What networks are trained to do. Importing this package registers every task with :mod:`gluonzoo.registry`."""
from . import adversarial, classification, detection, fine_grained  # noqa: F401
from .base import Task

__all__ = ['Task']
