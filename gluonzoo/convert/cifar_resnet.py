"""The names of the well-known PyTorch weights of residual networks for CIFAR-10, and ours.

Of github.com/akamaster/pytorch_resnet_cifar10: ``resnet32-d509ac18.th`` is :func:`cifar_resnet32`, and so on. These
files are checkpoints; their weights are under the key 'state_dict'. The networks take pictures of RGB values 0..1, less
(.485, .456, .406), divided by (.229, .224, .225).
"""
from .name_map import NameMap

__all__ = ['NAMES', 'resnet']

# From our name to theirs: pattern and replacement, one after the other.
NAMES = [
    (r'^stem\.0\.', 'conv1.'),
    (r'^stem\.1\.', 'bn1.'),
    (r'^stages\.(\d)\.', lambda found: f'layer{int(found[1]) + 1}.'),
    (r'^output\.', 'linear.'),
]


def resnet(net):
    """The map for a :class:`CIFARResNet`."""
    return NameMap(NAMES)
