"""Curves of an evaluation, such as precision over recall."""
from typing import NamedTuple

__all__ = ['Curves', 'precision_and_recall']


class Curves(NamedTuple):
    """Some curves of the same two things."""
    x: str
    """what is along, in words: 'recall'"""
    y: str
    """what is up"""
    lines: dict
    """name of a line -> float array [n, 2], x and y of its points"""


def precision_and_recall(lines):
    """What :meth:`Task.evaluation_curves` has of a detector: dict of class name -> [n, 2], recall and precision."""
    return {'precision and recall at IoU 0.5': Curves('recall', 'precision', lines)} if lines else {}
