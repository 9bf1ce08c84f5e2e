"""gluonzoo train yolo3, without an installation of the command."""
from gluonzoo.commands.main import door

door('train', 'yolo3')
