"""gluonzoo train dcgan, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'dcgan')
