"""gluonzoo train pix2pix, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'pix2pix')
