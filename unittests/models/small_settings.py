"""How test_every_model.py makes each network small, and what shapes it then demands.

A new model adds a line here, and no logic there. One without a line is tested as it is made by default, on two images
of its `input_size`.
"""
from typing import NamedTuple, Optional


class Small(NamedTuple):
    arguments: dict = {}
    shape: Optional[tuple] = None      # of the input; None: (2, 3, input_size, input_size)
    outputs: Optional[list] = None     # their shapes; None: of a detector or a classifier, as the contract has them
    gammas: tuple = (.5, 1.5)          # of normalisations, where numbers that differ are wanted
    dynamic: tuple = ('batch', 'size')   # what may differ in an exported network


def keypoint_heads(rows, columns, stacks=1):
    """The outputs of a CenterNet of 3 classes: heat maps, embeddings, offsets."""
    return stacks * [(2, channels, rows, columns) for channels in (3, 3, 3, 1, 1, 2, 2, 2)]


HOURGLASS = {'classes': 3, 'levels': (8, 6, 10), 'depths': (2, 1, 2), 'stem_channels': 4, 'channels': 6,
             'pool_channels': 4}
GHOST = Small({'classes': 5}, (2, 3, 64, 95), gammas=(.8, 1.8))   # or its maps become ever smaller
GHOST_CENTERNET = Small({'classes': 3, 'channels': 12}, (2, 3, 63, 95), keypoint_heads(16, 24))


def unet(side):
    return Small({'width': 4}, (2, 3, side, 2 * side), [(2, 3, side, 2 * side)])


RESNET = Small({'width': 6}, (2, 3, 32, 44), [(2, 3, 32, 44)])


SMALL_PICTURES = Small({'classes': 5}, (2, 3, 24, 31))
SKNET = Small({'classes': 5}, (2, 3, 64, 95))


def yolo_heads(classes, rows, columns):
    """The outputs of a YOLOv3, of which the coarsest has so many rows and columns."""
    return [(2, 3 * (5 + classes), factor * rows, factor * columns) for factor in (1, 2, 4)]


YOLO3 = Small({'classes': 3}, (2, 3, 64, 96), yolo_heads(3, 2, 3))
SMALL_DARKNET = {'width': .125, 'depths': (1, 1, 2, 1, 1)}


IMAGENET = Small({'classes': 5}, (2, 3, 64, 95))


def wsdan(channels, shape, rows, columns):
    """The outputs of a WS-DAN of 5 classes and 6 maps: logits, feature, attention."""
    return Small({'classes': 5, 'maps': 6}, shape, [(2, 5), (2, 6 * channels), (2, 6, rows, columns)])


def from_noise(side, noise=5, **arguments):
    """A generator of pictures from noise."""
    return Small({'noise': noise, **arguments}, (2, noise), [(2, 3, side, side)], dynamic=('batch',))


def critic(side, **arguments):
    return Small(arguments, (2, 3, side, side), [(2, 1)], dynamic=('batch',))


SMALL = {
    'centernet_hourglass52': Small(HOURGLASS, (2, 3, 63, 79), keypoint_heads(16, 20)),
    'centernet_hourglass104': Small(HOURGLASS, (2, 3, 63, 79), keypoint_heads(16, 20, 2)),
    **{f'cifar_resnet{kind}': SMALL_PICTURES for depth in (20, 32, 44, 56, 110) for kind in (f'{depth}', f'{depth}d')},
    'cifar_resnet32_sk': SMALL_PICTURES,
    'darknet53': Small({'classes': 5, **SMALL_DARKNET}, (2, 3, 64, 95)),
    # Weights of 0.02 alone would make the same of any input.
    'dcgan_discriminator': critic(32, size=32, width=4, extra_layers=1)._replace(gammas=(5, 15)),
    'dcgan_generator': from_noise(32, size=32, width=4, extra_layers=1)._replace(gammas=(5, 15)),
    # 129 is the least size and odd on all scales; two sides that differ tell rows from columns.
    'dsod300': Small({'classes': 3}, (2, 3, 129, 150)),
    'dsod300_smallest': Small({'classes': 2}, (2, 3, 150, 129)),
    # No multiple of 16 anywhere: the channels do not fill oneDNN's blocks.
    'dsod_pikachu': Small({'classes': 2, 'stem_filter': 10, 'num_init_layer': 2, 'growth_rate': 12, 'factor': .5},
                          (2, 3, 129, 150)),
    'ghost_centernet': GHOST_CENTERNET,
    'ghost_centernet_0_5': GHOST_CENTERNET,
    'ghost_centernet_1_3': GHOST_CENTERNET,
    'ghostnet_0_5': GHOST,
    'ghostnet_1_0': GHOST,
    'ghostnet_1_3': GHOST,
    'inception_v3': Small({'classes': 5}, (2, 3, 75, 107)),
    'mlp_critic': critic(16, size=16, width=8),
    'mlp_generator': from_noise(16, size=16, width=8),
    'mmagic_wgan_gp_critic': critic(32, size=32, width=8),
    'mmagic_wgan_gp_generator': from_noise(32, size=32, width=8),
    'patchgan': Small({'width': 8}, (2, 6, 64, 80), [(2, 1, 6, 8)]),
    'pixelgan': Small({'width': 8}, (2, 6, 20, 30), [(2, 1, 20, 30)]),
    'residual32_critic': critic(32, width=4, norm='group'),
    'residual32_generator': from_noise(32, width=4),
    'residual64_critic': critic(64, width=2),
    'residual64_generator': from_noise(64, width=2),
    'resnet34': IMAGENET,
    'resnet50': IMAGENET,
    'resnet_6blocks': RESNET,
    'resnet_9blocks': RESNET,
    'sknet50': SKNET,
    # With 33 shortcuts, sums would become huge, and so would their rounding.
    'sknet101': SKNET._replace(gammas=(.3, .9)),
    'unet128': unet(128),
    'unet256': unet(256),
    'vgg19_bn': Small({'classes': 5, 'hidden': 12, 'size': 64}, (2, 3, 64, 64), gammas=(1.2, 2.2), dynamic=('batch',)),
    'wgan_gp_critic': critic(32, width=4, norm='layer'),
    'wgan_gp_generator': from_noise(32, width=4),
    'wsdan_cifar_resnet20': wsdan(64, (2, 3, 24, 31), 3, 4),
    'wsdan_inception_v3': wsdan(768, (2, 3, 75, 107), 3, 5),
    'wsdan_resnet34': wsdan(512, (2, 3, 64, 95), 2, 3),
    'wsdan_resnet50': wsdan(2048, (2, 3, 64, 95), 2, 3),
    'wsdan_vgg19_bn': wsdan(512, (2, 3, 64, 97), 2, 3),
    'yolo3_darknet53': YOLO3._replace(arguments={'classes': 3, **SMALL_DARKNET}),
    'yolo3_mobilenet1_0': YOLO3,
}
