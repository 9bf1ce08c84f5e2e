"""Finding objects. Importing this package registers its tasks."""
from . import keypoint_triplets, single_shot, yolo  # noqa: F401
