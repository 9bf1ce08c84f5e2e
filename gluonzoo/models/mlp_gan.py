"""The fully connected networks of WGAN, which show that its training needs no architecture of a certain kind.

Paper: "Wasserstein GAN" (Arjovsky et al., 2017, https://arxiv.org/abs/1701.07875), section 4.3.
Official code: github.com/martinarjovsky/WassersteinGAN, models/mlp.py.

============= ========= ===================================
network       trained   of the form
============= ========= ===================================
mlp_generator 6,880,768 512 units, 64 x 64 pixels, RGB
mlp_critic    6,817,793 512 units, 64 x 64 pixels, RGB
============= ========= ===================================

Generator: noise (N, noise) -> pictures (N, channels, size, size), -1..1. Critic: such pictures -> raw scores (N, 1).
Three hidden layers with ReLU each. Weights and biases start uniform in +-1 / sqrt(inputs), PyTorch's default.

Deviations:

1. The code's generator has no tanh, so that its pictures may leave -1..1; `tanh` = False makes it so.
2. WGAN's critic returns the mean score of the batch, this one the score of each picture.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import dense, sequential
from ..nn.unflatten import Unflatten
from ..registry import MODELS
from ..values import COUNT, check, whole

__all__ = ['MLPCritic', 'MLPGenerator', 'mlp_critic', 'mlp_generator']

SIZE = whole(1, 1024)
HIDDEN_LAYERS = 3


def hidden(in_units, width):
    """The hidden layers, each with its ReLU."""
    return [layer for units in (in_units, *(HIDDEN_LAYERS - 1) * [width])
            for layer in (dense(units, width), nn.Activation('relu'))]


class MLPGenerator(HybridBlock):
    """Makes pictures from noise by four fully connected layers.

    Inputs: (N, noise). Outputs: (N, channels, size, size), -1..1 if `tanh`.

    Parameters
    ----------
    size, channels : int
        of the pictures
    noise : int
    width : int
        units of a hidden layer
    tanh : bool
        whether the pictures stay in -1..1

    Attributes
    ----------
    noise, image_size, channels : int
    """

    def __init__(self, size=64, channels=3, noise=100, width=512, tanh=True):
        super().__init__()
        check('size', size, SIZE)
        self.noise, self.image_size, self.channels = noise, size, channels
        with self.name_scope():
            self.body = sequential(*hidden(noise, width), dense(width, channels * size ** 2),
                                   *([nn.Activation('tanh')] if tanh else []), Unflatten(channels, size))

    def hybrid_forward(self, F, x):
        return self.body(x)


class MLPCritic(HybridBlock):
    """Makes a score of a picture by four fully connected layers.

    Inputs: (N, channels, size, size). Outputs: (N, 1), raw.

    Parameters
    ----------
    size, channels : int
        of the pictures
    width : int
        units of a hidden layer

    Attributes
    ----------
    image_size, channels : int
    """

    def __init__(self, size=64, channels=3, width=512):
        super().__init__()
        check('size', size, SIZE)
        self.image_size, self.channels = size, channels
        with self.name_scope():
            self.body = sequential(nn.Flatten(), *hidden(channels * size ** 2, width), dense(width, 1))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def mlp_generator(size: SIZE = 64, channels: COUNT = 3, noise: COUNT = 100, width: COUNT = 512, tanh=True):
    """:class:`MLPGenerator`, WGAN's generator without convolutions."""
    return MLPGenerator(size, channels, noise, width, tanh)


@MODELS.register
def mlp_critic(size: SIZE = 64, channels: COUNT = 3, width: COUNT = 512):
    """:class:`MLPCritic`, WGAN's critic without convolutions."""
    return MLPCritic(size, channels, width)
