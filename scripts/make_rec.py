"""Makes records to train on out of annotated pictures of your own: `gluonzoo records`."""
from gluonzoo.commands.main import door

door('records')
