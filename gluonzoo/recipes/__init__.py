"""The numbers of trainings, with their reasons: one file a family.

A recipe is a module, or a user's own file, with

``DATA``                  (optional) what ``--data`` must be; without it ``--data`` is not required
``add_arguments(parser)`` (optional) adds its own arguments
``check(parser, args)``   (optional) completes them, and refuses with ``parser.error`` what does not go together
``run_name(args)``        (optional) the run's directory is runs/NAME by default; without it the recipe's name
``settings(args)``        dict with 'task', 'train_data', 'val_data' and 'fit', as gluonzoo.train.settings has them;
                          'fit' needs batch_size, epochs and schedule. What the arguments of every training say
                          (gluonzoo.commands.train) is completed by the command.

Besides, one of the zoo has ``MODELS``, ``TASK``, ``PAGE`` and ``prediction(model)``: the settings of a task that
predicts with such a model when there are weights and no run.

The docstring is what ``gluonzoo train NAME --help`` shows. Nothing heavy is imported by a recipe of the zoo before
``settings`` or ``prediction`` is called.
"""
import difflib
import importlib

__all__ = ['NAMES', 'load', 'of_model']

NAMES = ('centernet', 'cifar', 'cyclegan', 'dcgan', 'dsod', 'imagenet', 'pix2pix', 'wgan', 'wgan_gp', 'wsdan', 'yolo3')


def load(name):
    """The recipe's module. Raises ValueError for an unknown name, naming the near ones."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES) or NAMES
        raise ValueError(f'recipe: unknown {name!r}; there are {", ".join(near)}, or a file of your own (my_net.py)')
    return importlib.import_module(f'.{name}', __name__)


def of_model(model):
    """The recipe that has a model; None if none has."""
    return next((recipe for recipe in map(load, NAMES) if model in recipe.MODELS), None)
