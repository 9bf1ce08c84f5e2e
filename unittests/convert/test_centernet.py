"""The official names of CenterNet, spelt out, and the order of its colours."""
import numpy as np
import pytest

from gluonzoo.convert import NAME_MAPS, load_weights, torch_state
from gluonzoo.registry import get_model


@pytest.fixture
def net():
    net = get_model('centernet_hourglass104', classes=1, levels=(2, 3, 4), depths=(1, 2, 1), stem_channels=2,
                    channels=2, pool_channels=2)
    net.initialize()
    return net


def test_names(net):
    name_map = NAME_MAPS['centernet_hourglass104'](net)
    ours = name_map.inverse(net._collect_params_with_prefix())
    for official, name in {
            'pre.0.conv.weight': 'features.stem.0.0.weight', 'pre.0.bn.bias': 'features.stem.0.1.beta',
            'pre.1.conv2.weight': 'features.stem.1.body.1.0.weight',
            'pre.1.skip.1.running_mean': 'features.stem.1.shortcut.1.running_mean',
            'kps.1.up1.0.bn1.weight': 'features.hourglasses.1.stay.0.body.0.1.gamma',
            'kps.0.low1.0.skip.0.weight': 'features.hourglasses.0.down.0.shortcut.0.weight',
            'kps.0.low2.low2.0.conv1.weight': 'features.hourglasses.0.inside.inside.0.body.0.0.weight',
            'kps.0.low2.low3.1.bn2.running_var': 'features.hourglasses.0.inside.up.1.body.1.1.running_var',
            'cnvs.1.conv.weight': 'features.projections.1.0.weight', 'cnvs.1.bn.bias': 'features.projections.1.1.beta',
            'inters.0.conv1.weight': 'features.handovers.0.mix.body.0.0.weight',
            'inters_.0.0.weight': 'features.handovers.0.before.0.weight',
            'cnvs_.0.1.weight': 'features.handovers.0.after.1.gamma',
            'tl_cnvs.1.p1_conv1.conv.weight': 'heads.1.tl.pooling.branches.0.edge.0.weight',
            'br_cnvs.0.look_conv2.bn.weight': 'heads.0.br.pooling.branches.1.inside.1.gamma',
            'br_cnvs.0.P2_look_conv.weight': 'heads.0.br.pooling.branches.1.mix.weight',
            'ct_cnvs.0.p2_conv1.bn.bias': 'heads.0.ct.pooling.branches.1.conv.1.beta',
            'ct_cnvs.0.p_conv1.weight': 'heads.0.ct.pooling.merge.0.weight',
            'ct_cnvs.0.p_bn1.weight': 'heads.0.ct.pooling.merge.1.gamma',
            'tl_cnvs.0.conv1.weight': 'heads.0.tl.pooling.shortcut.0.weight',
            'tl_cnvs.0.bn1.bias': 'heads.0.tl.pooling.shortcut.1.beta',
            'tl_cnvs.0.conv2.conv.weight': 'heads.0.tl.pooling.out.0.weight',
            'tl_cnvs.0.conv2.bn.running_var': 'heads.0.tl.pooling.out.1.running_var',
            'ct_heats.1.0.conv.bias': 'heads.1.ct.heat.0.bias', 'br_tags.0.1.weight': 'heads.0.br.tag.2.weight',
            'ct_regrs.1.1.bias': 'heads.1.ct.offset.2.bias'}.items():
        assert ours[official] == name
    assert name_map.prefix == 'module.'


def test_colours_of_the_stem(net):
    name_map = NAME_MAPS['centernet_hourglass104'](net)
    state = torch_state(net, name_map)
    weight = net._collect_params_with_prefix()['features.stem.0.0.weight'].data().asnumpy()
    np.testing.assert_array_equal(state['module.pre.0.conv.weight'], weight[:, [2, 1, 0]])
    state['module.pre.0.conv.weight'][:] = np.arange(3).reshape(1, 3, 1, 1)
    load_weights(net, state, name_map)
    weight = net._collect_params_with_prefix()['features.stem.0.0.weight'].data().asnumpy()
    assert (weight[:, 0] == 2).all() and (weight[:, 1] == 1).all() and (weight[:, 2] == 0).all()
