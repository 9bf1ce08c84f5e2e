"""The official names of GhostNet, spelt out."""
from gluonzoo.convert import NAME_MAPS
from gluonzoo.models.ghostnet import ghostnet_0_5


def test_names():
    net = ghostnet_0_5(classes=2)
    ours = NAME_MAPS['ghostnet_0_5'](net).inverse(net._collect_params_with_prefix())
    for official, name in {
            'conv_stem.weight': 'features.stem.0.weight', 'bn1.weight': 'features.stem.1.gamma',
            'blocks.0.0.ghost1.primary_conv.0.weight': 'features.first.0.expand.primary.0.weight',
            'blocks.1.0.conv_dw.weight': 'features.stages.0.0.depthwise.0.weight',
            'blocks.1.0.bn_dw.running_var': 'features.stages.0.0.depthwise.1.running_var',
            'blocks.2.0.ghost2.cheap_operation.1.bias': 'features.stages.0.1.project.cheap.1.beta',
            'blocks.3.0.se.conv_expand.bias': 'features.stages.1.0.gate.expand.bias',
            'blocks.6.3.shortcut.1.weight': 'features.stages.2.4.shortcut.0.1.gamma',
            'blocks.6.3.shortcut.2.weight': 'features.stages.2.4.shortcut.1.0.weight',
            'blocks.7.0.shortcut.3.running_mean': 'features.stages.3.0.shortcut.1.1.running_mean',
            'blocks.8.3.se.conv_reduce.weight': 'features.stages.3.4.gate.reduce.weight',
            'blocks.9.0.conv.weight': 'expand.0.weight', 'blocks.9.0.bn1.bias': 'expand.1.beta',
            'conv_head.bias': 'head.1.bias', 'classifier.weight': 'output.weight'}.items():
        assert ours[official] == name
