"""The networks. Importing this package registers every one of them with :mod:`gluonzoo.registry`."""
from . import (  # noqa: F401
    centernet,
    cifar_resnet,
    darknet53,
    dsod,
    ghostnet,
    inception,
    mobilenet,
    patchgan,
    resnet,
    resnet_generator,
    sknet,
    unet,
    vgg,
    wsdan,
    yolo3,
)
