"""The names of CenterNet's official PyTorch weights, and ours.

Of github.com/Duankaiwen/CenterNet: ``CenterNet-52`` is :func:`centernet_hourglass52`, ``CenterNet-104`` is
:func:`centernet_hourglass104`. They take BGR images. All names begin with 'module.' there, which has to go first.
"""
__all__ = ['NAMES', 'BGR']

# Pattern and replacement, one after the other.
NAMES = [
    # A head has no batch normalisation.
    (r'^(tl|br|ct)_(heat|tag)s\.(\d+)\.0\.conv\.', r'heads.\3.\1.\2.0.'),
    (r'^(tl|br|ct)_(heat|tag)s\.(\d+)\.1\.', r'heads.\3.\1.\2.2.'),
    (r'^(tl|br|ct)_regrs\.(\d+)\.0\.conv\.', r'heads.\2.\1.offset.0.'),
    (r'^(tl|br|ct)_regrs\.(\d+)\.1\.', r'heads.\2.\1.offset.2.'),
    # Pooling: p is what is pooled, look is what is pooled first and added to it.
    (r'^ct_cnvs\.(\d+)\.p1_conv1\.', r'heads.\1.ct.pooling.branches.0.conv.'),
    (r'^ct_cnvs\.(\d+)\.p2_conv1\.', r'heads.\1.ct.pooling.branches.1.conv.'),
    (r'^(tl|br|ct)_cnvs\.(\d+)\.', r'heads.\2.\1.pooling.'),
    (r'\.p1_conv1\.', '.branches.0.edge.'),
    (r'\.p2_conv1\.', '.branches.1.edge.'),
    (r'\.look_conv1\.', '.branches.0.inside.'),
    (r'\.look_conv2\.', '.branches.1.inside.'),
    (r'\.P1_look_conv\.', '.branches.0.mix.'),
    (r'\.P2_look_conv\.', '.branches.1.mix.'),
    (r'\.pooling\.p_conv1\.', '.pooling.merge.0.'),
    (r'\.pooling\.p_bn1\.', '.pooling.merge.1.'),
    (r'\.pooling\.conv1\.', '.pooling.shortcut.0.'),
    (r'\.pooling\.bn1\.', '.pooling.shortcut.1.'),
    (r'\.pooling\.conv2\.', '.pooling.out.'),
    # Hourglasses.
    (r'^pre\.', 'features.stem.'),
    (r'^kps\.', 'features.hourglasses.'),
    (r'^cnvs\.', 'features.projections.'),
    (r'^inters_\.(\d+)\.', r'features.handovers.\1.before.'),
    (r'^cnvs_\.(\d+)\.', r'features.handovers.\1.after.'),
    (r'^inters\.(\d+)\.', r'features.handovers.\1.mix.'),
    (r'\.up1\.', '.stay.'),
    (r'\.low1\.', '.down.'),
    (r'\.low2(?=\.)', '.inside'),
    (r'\.low3\.', '.up.'),
    # Residual blocks, and a convolution with its batch normalisation.
    (r'\.conv([12])\.', lambda found: f'.body.{int(found[1]) - 1}.0.'),
    (r'\.bn([12])\.', lambda found: f'.body.{int(found[1]) - 1}.1.'),
    (r'\.skip\.', '.shortcut.'),
    (r'\.conv\.(weight|bias)$', r'.0.\1'),
    (r'\.bn\.', '.1.'),
]

# The weight whose inputs are the colours, in the other order.
BGR = 'features.stem.0.0.weight'
