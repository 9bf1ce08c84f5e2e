"""Finding objects. Importing this package registers its tasks."""
from . import keypoint_triplets, single_shot  # noqa: F401
