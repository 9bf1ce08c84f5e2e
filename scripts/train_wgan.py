"""gluonzoo train wgan, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'wgan')
