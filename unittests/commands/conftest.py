"""A tiny run of DSOD, which the tests of several commands use and leave as it is."""
import pytest
from run_checks import draw, tiny

from gluonzoo.commands.main import main
from gluonzoo.recipes import dsod


@pytest.fixture(scope='session')
def pikachu(tmp_path_factory):
    """A folder of 9 pictures to train and 3 to evaluate."""
    return draw('pikachu', tmp_path_factory.mktemp('data') / 'pikachu', '--synthetic', '--train', '9', '--val', '3',
                '--size', '192')


@pytest.fixture(scope='session')
def detector(pikachu, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'dsod'
    with tiny(dsod):
        assert main(['train', 'dsod', '--small', '--data', str(pikachu), '--run', str(directory)]) == 0
    return directory
