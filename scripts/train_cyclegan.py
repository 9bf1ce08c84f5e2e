"""gluonzoo train cyclegan, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'cyclegan')
