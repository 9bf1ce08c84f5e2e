"""What networks are trained to do. Importing this package registers every task with :mod:`gluonzoo.registry`."""
from . import image_translation, keypoint_detection, single_shot_detection  # noqa: F401
from .base import Task

__all__ = ['Task']
