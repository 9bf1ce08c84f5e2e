"""Random numbers without a state to save: every step seeds the generators anew."""
import random

import mxnet as mx
import numpy as np

__all__ = ['seed_all']


def seed_all(*key):
    """Seeds Python's, NumPy's and MXNet's generators with a function of some numbers, each 0 or greater."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0]) >> 1   # MXNet takes 31 bits
    random.seed(seed)
    np.random.seed(seed)
    mx.random.seed(seed)
