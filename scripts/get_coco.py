"""Gets COCO 2017, or draws a small dataset of its form: `gluonzoo data coco`."""
from gluonzoo.commands.main import door

door('data', 'coco')
