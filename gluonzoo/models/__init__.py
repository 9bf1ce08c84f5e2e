"""The networks. Importing this package registers every one of them with :mod:`gluonzoo.registry`."""
from . import centernet, dsod, ghostnet, patchgan, resnet_generator, unet  # noqa: F401
