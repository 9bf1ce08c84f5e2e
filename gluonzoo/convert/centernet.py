"""The names of CenterNet's official PyTorch weights, and ours.

Of github.com/Duankaiwen/CenterNet: ``CenterNet-52`` is :func:`centernet_hourglass52`, ``CenterNet-104`` is
:func:`centernet_hourglass104`. They take BGR images. The official code loads its files into a module that holds the
network as its attribute 'module', so all names there begin with 'module.'.
"""
from .name_map import NameMap, Transform

__all__ = ['NAMES', 'hourglass']

# A convolution with its batch normalisation, in the official names.
_CONV_BN = r'^(pre\.0|cnvs\.\d+|.._cnvs\.\d+\.(?:p[12]_conv1|look_conv[12]|conv2))'


def _counted(text):
    """A replacement that counts what the pattern found from 1, and not from 0."""
    return lambda found: text.format(int(found[1]) + 1)


# From our name to the official one: pattern and replacement, one after the other.
NAMES = [
    # The trunk.
    (r'^features\.stem\.', 'pre.'),
    (r'^features\.hourglasses\.', 'kps.'),
    (r'^features\.projections\.', 'cnvs.'),
    (r'^features\.handovers\.(\d+)\.before\.', r'inters_.\1.'),
    (r'^features\.handovers\.(\d+)\.after\.', r'cnvs_.\1.'),
    (r'^features\.handovers\.(\d+)\.mix\.', r'inters.\1.'),
    # The heads. The convolutions of their ends have no batch normalisation.
    (r'^heads\.(\d+)\.(tl|br|ct)\.pooling\.', r'\2_cnvs.\1.'),
    (r'^heads\.(\d+)\.(tl|br|ct)\.(heat|tag)\.', r'\2_\3s.\1.'),
    (r'^heads\.(\d+)\.(tl|br|ct)\.offset\.', r'\2_regrs.\1.'),
    (r'^(.._(?:heats|tags|regrs)\.\d+)\.0\.', r'\1.0.conv.'),
    (r'^(.._(?:heats|tags|regrs)\.\d+)\.2\.', r'\1.1.'),
    # Pooling: p is what is pooled, look is what is pooled first and added to it.
    (r'\.branches\.([01])\.(?:edge|conv)\.', _counted('.p{}_conv1.')),
    (r'\.branches\.([01])\.inside\.', _counted('.look_conv{}.')),
    (r'\.branches\.([01])\.mix\.', _counted('.P{}_look_conv.')),
    (r'\.merge\.0\.', '.p_conv1.'),
    (r'\.merge\.1\.', '.p_bn1.'),
    (r'(_cnvs\.\d+)\.shortcut\.0\.', r'\1.conv1.'),
    (r'(_cnvs\.\d+)\.shortcut\.1\.', r'\1.bn1.'),
    (r'(_cnvs\.\d+)\.out\.', r'\1.conv2.'),
    # Hourglasses.
    (r'\.stay\.', '.up1.'),
    (r'\.down\.', '.low1.'),
    (r'\.inside(?=\.)', '.low2'),
    (r'\.up\.', '.low3.'),
    # Residual blocks, and a convolution with its batch normalisation.
    (r'\.body\.([01])\.0\.', _counted('.conv{}.')),
    (r'\.body\.([01])\.1\.', _counted('.bn{}.')),
    (r'\.shortcut\.', '.skip.'),
    (_CONV_BN + r'\.0\.', r'\1.conv.'),
    (_CONV_BN + r'\.1\.', r'\1.bn.'),
]

# The weight whose inputs are the colours, which is its own way back.
_TRANSFORMS = {'features.stem.0.0.weight': Transform(*2 * [lambda weight: weight[:, ::-1]])}


def hourglass(net):
    """The map for a :class:`CenterNet` on hourglasses."""
    return NameMap(NAMES, transforms=_TRANSFORMS, prefix='module.')
