"""Translations of MXNet operators to ONNX nodes, where MXNet 1.9.1 has no translation or a wrong one.

One file for each kind of operator. All are of opset 13. Importing this room imports onnx.
"""
from . import (  # noqa: F401
    activations,
    boxes,
    creation,
    deformable,
    elementwise,
    indexing,
    matrices,
    normalization,
    patches,
    pooling,
    reductions,
    repetition,
    resizing,
    shapes,
    sorting,
    weights,
)
from .base import TRANSLATIONS
from .corner_pools import POOL

__all__ = ['TRANSLATIONS', 'POOL']
