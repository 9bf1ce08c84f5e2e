"""The names of GhostNet's official PyTorch weights, and ours.

Of github.com/huawei-noah/Efficient-AI-Backbones, ghostnet_pytorch: ``state_dict_73.98.pth`` is :func:`ghostnet_1_0`.
"""
__all__ = ['NAMES']

# Our stages begin where the stride does; the official blocks 1 and 2 are our stage 0, and so on.
_BLOCKS = [(r'blocks\.0\.0\.', 'features.first.0.')] + [
    rule for stage in range(4) for rule in (
        (rf'blocks\.{2 * stage + 1}\.0\.', f'features.stages.{stage}.0.'),
        *((rf'blocks\.{2 * stage + 2}\.{i}\.', f'features.stages.{stage}.{i + 1}.') for i in range(5)))]

# Pattern and replacement, one after the other.
NAMES = [
    (r'^conv_stem\.', 'features.stem.0.'),
    (r'^bn1\.', 'features.stem.1.'),
    *[('^' + pattern, ours) for pattern, ours in _BLOCKS],
    (r'^blocks\.9\.0\.conv\.', 'expand.0.'),
    (r'^blocks\.9\.0\.bn1\.', 'expand.1.'),
    (r'^conv_head\.', 'head.1.'),
    (r'^classifier\.', 'output.'),
    (r'\.ghost1\.', '.expand.'),
    (r'\.ghost2\.', '.project.'),
    (r'\.primary_conv\.', '.primary.'),
    (r'\.cheap_operation\.', '.cheap.'),
    (r'\.conv_dw\.', '.depthwise.0.'),
    (r'\.bn_dw\.', '.depthwise.1.'),
    (r'\.se\.conv_(reduce|expand)\.', r'.gate.\1.'),
    (r'\.shortcut\.([01])\.', r'.shortcut.0.\1.'),
    (r'\.shortcut\.2\.', '.shortcut.1.0.'),
    (r'\.shortcut\.3\.', '.shortcut.1.1.'),
]
