"""Training: the loop and its parts. The loop knows tasks only by their interface."""
from .callbacks import Plot, Progress, Samples, ScalarsCSV, TensorBoard
from .checkpoint import Run
from .distributed import join
from .ema import EMA
from .engine import Engine
from .environment import Environment
from .loop import fit
from .loss_guard import TrainingError
from .shared_cores import SharedCores
from .signals import Interrupted
from .storage import CheckpointError

__all__ = ['fit', 'Run', 'Engine', 'EMA', 'join', 'Progress', 'ScalarsCSV', 'TensorBoard', 'Plot', 'Samples',
           'SharedCores', 'Environment', 'CheckpointError', 'Interrupted', 'TrainingError']
