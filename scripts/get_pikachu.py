"""Gets the Pikachu detection dataset, or draws one like it: `gluonzoo data pikachu`."""
from gluonzoo.commands.main import door

door('data', 'pikachu')
