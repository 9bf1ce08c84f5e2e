"""Networks that learn from each other. Importing this package registers its tasks."""
from . import cyclegan, generation, pix2pix  # noqa: F401
