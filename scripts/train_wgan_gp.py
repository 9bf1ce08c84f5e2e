"""gluonzoo train wgan_gp, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'wgan_gp')
