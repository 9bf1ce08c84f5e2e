"""The names of GhostNet's official PyTorch weights, and ours.

Of github.com/huawei-noah/Efficient-AI-Backbones, ghostnet_pytorch: ``state_dict_73.98.pth`` is :func:`ghostnet_1_0`.
"""
from .name_map import NameMap

__all__ = ['NAMES', 'classifier']


def _block(found):
    """Our stages begin where the stride does; the official blocks 1 and 2 are our stage 0, and so on."""
    stage, place = int(found[1]), int(found[2])
    return f'blocks.{2 * stage + 2}.{place - 1}.' if place else f'blocks.{2 * stage + 1}.0.'


# From our name to the official one: pattern and replacement, one after the other.
NAMES = [
    (r'^features\.stem\.0\.', 'conv_stem.'),
    (r'^features\.stem\.1\.', 'bn1.'),
    (r'^features\.first\.', 'blocks.0.'),
    (r'^features\.stages\.(\d+)\.(\d+)\.', _block),
    (r'^expand\.0\.', 'blocks.9.0.conv.'),
    (r'^expand\.1\.', 'blocks.9.0.bn1.'),
    (r'^head\.1\.', 'conv_head.'),
    (r'^output\.', 'classifier.'),
    # Bottlenecks.
    (r'\.gate\.(reduce|expand)\.', r'.se.conv_\1.'),
    (r'\.expand\.', '.ghost1.'),
    (r'\.project\.', '.ghost2.'),
    (r'\.primary\.', '.primary_conv.'),
    (r'\.cheap\.', '.cheap_operation.'),
    (r'\.depthwise\.0\.', '.conv_dw.'),
    (r'\.depthwise\.1\.', '.bn_dw.'),
    (r'\.shortcut\.([01])\.([01])\.', lambda found: f'.shortcut.{2 * int(found[1]) + int(found[2])}.'),
]


def classifier(net):
    """The map for a :class:`GhostNet`."""
    return NameMap(NAMES)
