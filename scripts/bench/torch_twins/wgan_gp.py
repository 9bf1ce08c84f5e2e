"""WGAN-GP's networks in PyTorch, as TensorFlow computes them: gan_cifar.py, gan_64x64.py and gan_cifar_resnet.py.

What changes the size does so at the larger one, in the order of the official code.
"""
import torch
from torch import nn
from torch.nn import functional


class SameConv(nn.Conv2d):
    """5x5, stride 2, padding SAME: 1 in front and 2 behind, where the size is even."""

    def __init__(self, in_channels, channels):
        super().__init__(in_channels, channels, 5, 2)

    def forward(self, x):
        return super().forward(functional.pad(x, (1, 2, 1, 2)))


class SameDeconv(nn.ConvTranspose2d):
    """The gradient of a :class:`SameConv`: 1 pixel less in front, 2 behind."""

    def __init__(self, in_channels, channels):
        super().__init__(in_channels, channels, 5, 2)

    def forward(self, x):
        return super().forward(x)[:, :, 1:-2, 1:-2]


def norm_of(norm, channels, side=None):
    if norm == 'none':
        return []
    return [{'batch': lambda: nn.BatchNorm2d(channels), 'group': lambda: nn.GroupNorm(1, channels),
             'layer': lambda: nn.LayerNorm((channels, side, side))}[norm]()]


class Generator(nn.Module):
    """Of gan_cifar.py: the first normalisation is of 16 times as many numbers, over the batch alone."""

    def __init__(self, size=32, channels=3, width=64, noise=128, norm='batch'):
        super().__init__()
        wide = width * size // 8
        self.first = nn.Sequential(nn.Linear(noise, 16 * wide),
                                   *([nn.BatchNorm1d(16 * wide)] if norm == 'batch' else []), nn.ReLU())
        self.rest = nn.Sequential()
        while wide > width:
            for layer in (SameDeconv(wide, wide // 2), *norm_of(norm, wide // 2), nn.ReLU()):
                self.rest.append(layer)
            wide //= 2
        self.rest.append(SameDeconv(width, channels))

    def forward(self, x):
        x = self.first(x)
        return torch.tanh(self.rest(x.view(len(x), -1, 4, 4)))


class Critic(nn.Module):
    """Of gan_cifar.py; `norm` stands where MODE says that batch normalisation does."""

    def __init__(self, size=32, channels=3, width=64, norm='none'):
        super().__init__()
        self.body = nn.Sequential(SameConv(channels, width), nn.LeakyReLU(.2))
        side = size // 2
        while side > 4:
            side //= 2
            for layer in (SameConv(width, 2 * width), *norm_of(norm, 2 * width, side), nn.LeakyReLU(.2)):
                self.body.append(layer)
            width *= 2
        self.output = nn.Linear(16 * width, 1)

    def forward(self, x):
        return self.output(self.body(x).flatten(1))


def mean_pool(x):
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


class ConvMeanPool(nn.Conv2d):
    def forward(self, x):
        return mean_pool(super().forward(x))


class MeanPoolConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(mean_pool(x))


class UpsampleConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(functional.interpolate(x, scale_factor=2, mode='nearest'))


class Block(nn.Module):
    """ResidualBlock of both files. `shortcut` is the kind of the shortcut that halves the size."""

    def __init__(self, in_channels, channels, resample, norm, side, first_bias, shortcut=MeanPoolConv):
        super().__init__()
        middle = in_channels if resample == 'down' else channels
        first = UpsampleConv if resample == 'up' else nn.Conv2d
        second = ConvMeanPool if resample == 'down' else nn.Conv2d
        self.body = nn.Sequential(
            *norm_of(norm, in_channels, side), nn.ReLU(), first(in_channels, middle, 3, padding=1, bias=first_bias),
            *norm_of(norm, middle, 2 * side if resample == 'up' else side), nn.ReLU(),
            second(middle, channels, 3, padding=1))
        if resample is None and in_channels == channels:
            self.shortcut = nn.Identity()
        else:
            self.shortcut = {'up': UpsampleConv, 'down': shortcut, None: nn.Conv2d}[resample](in_channels, channels, 1)

    def forward(self, x):
        return self.shortcut(x) + self.body(x)


class ResidualGenerator(nn.Module):
    def __init__(self, widths, channels, noise, norm, first_bias):
        super().__init__()
        self.first = nn.Linear(noise, 16 * widths[0])
        self.blocks = nn.Sequential(*(Block(wide, narrow, 'up', norm, 4 * 2 ** i, first_bias)
                                      for i, (wide, narrow) in enumerate(zip(widths, widths[1:]))))
        self.last = nn.Sequential(*norm_of(norm, widths[-1]), nn.ReLU(), nn.Conv2d(widths[-1], channels, 3, padding=1))

    def forward(self, x):
        x = self.first(x)
        return torch.tanh(self.last(self.blocks(x.view(len(x), -1, 4, 4))))


class ResidualCritic(nn.Module):
    def __init__(self, first, blocks, units, pool):
        super().__init__()
        self.first, self.blocks, self.pool = first, nn.Sequential(*blocks), pool
        self.output = nn.Linear(units, 1)

    def forward(self, x):
        x = self.blocks(self.first(x))
        return self.output(functional.relu(x).mean((2, 3)) if self.pool else x.flatten(1))


def residual64_generator(channels=3, width=64, noise=128, norm='batch'):
    """GoodGenerator"""
    return ResidualGenerator([8 * width, 8 * width, 4 * width, 2 * width, width], channels, noise, norm, False)


def residual64_critic(channels=3, width=64, norm='group'):
    """GoodDiscriminator"""
    widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
    return ResidualCritic(nn.Conv2d(channels, width, 3, padding=1),
                          [Block(narrow, wide, 'down', norm, 64 // 2 ** i, False)
                           for i, (narrow, wide) in enumerate(zip(widths, widths[1:]))], 128 * width, pool=False)


def residual32_generator(channels=3, width=128, noise=128, norm='batch'):
    return ResidualGenerator(4 * [width], channels, noise, norm, True)


class FirstBlock(nn.Module):
    """OptimizedResBlockDisc1"""

    def __init__(self, in_channels, channels):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU(),
                                  ConvMeanPool(channels, channels, 3, padding=1))
        self.shortcut = MeanPoolConv(in_channels, channels, 1)

    def forward(self, x):
        return self.shortcut(x) + self.body(x)


def residual32_critic(channels=3, width=128, norm='none'):
    blocks = [Block(width, width, resample, norm, side, True, ConvMeanPool)
              for resample, side in (('down', 16), (None, 8), (None, 8))]
    return ResidualCritic(FirstBlock(channels, width), blocks, width, pool=True)
