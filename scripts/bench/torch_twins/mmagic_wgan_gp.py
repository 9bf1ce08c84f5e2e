"""WGAN-GP's networks of MMagic in PyTorch, under the names of its weight files."""
import torch
from torch import nn
from torch.nn import functional


def width_at(side, width):
    return min(width, 8 * width // side)


class ConvModule(nn.Module):
    """mmcv's, and ConvLNModule: the normalisation is named after its kind."""

    def __init__(self, in_channels, channels, kernel, padding, norm, side, activate):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel, padding=padding)
        self.norm_name = {'none': None, 'batch': 'bn', 'group': 'GN', 'layer': 'LN2d'}[norm]
        if norm == 'batch':
            self.bn = nn.BatchNorm2d(channels)
        elif norm == 'group':
            self.GN = nn.GroupNorm(1, channels)
        elif norm == 'layer':
            self.LN2d = nn.LayerNorm((channels, side, side))
        self.activate = activate

    def forward(self, x):
        x = self.conv(x)
        if self.norm_name:
            x = getattr(self, self.norm_name)(x)
        return self.activate(x)


class NoiseToMap(nn.Module):
    """WGANNoiseTo2DFeat"""

    def __init__(self, noise, channels, norm):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.linear = nn.Linear(noise, 16 * channels, bias=False)
        self.norm = nn.BatchNorm2d(channels) if norm == 'batch' else nn.Identity()

    def forward(self, x):
        x = self.linear(x).reshape(len(x), -1, 4, 4) + self.bias
        return self.norm(functional.relu(x))


class Generator(nn.Module):
    def __init__(self, size=128, channels=3, width=512, noise=128, norm='batch'):
        super().__init__()

        def conv(wide, narrow):
            return ConvModule(wide, narrow, 3, 1, norm, None, nn.ReLU(True))

        self.noise2feat = NoiseToMap(noise, width, norm)
        self.conv_blocks = nn.ModuleList([conv(width, width)])
        side = 4
        while side < size:
            wide, narrow, side = width_at(side, width), width_at(2 * side, width), 2 * side
            self.conv_blocks += [nn.Upsample(scale_factor=2), conv(wide, narrow), conv(narrow, narrow)]
        self.to_rgb = ConvModule(width_at(size, width), channels, 1, 0, 'none', None, nn.Tanh())

    def forward(self, x):
        x = self.noise2feat(x)
        for block in self.conv_blocks:
            x = block(x)
        return self.to_rgb(x)


class DecisionHead(nn.Module):
    """WGANDecisionHead"""

    def __init__(self, channels, norm):
        super().__init__()
        self.conv = ConvModule(channels, channels, 4, 0, norm, 1, nn.LeakyReLU(.2, True))
        self.linear = nn.Linear(channels, 1)

    def forward(self, x):
        return self.linear(self.conv(x).flatten(1))


class Critic(nn.Module):
    def __init__(self, size=128, channels=3, width=512, norm='group'):
        super().__init__()

        def conv(narrow, wide, side):
            return ConvModule(narrow, wide, 3, 1, norm, side, nn.LeakyReLU(.2, True))

        self.from_rgb = ConvModule(channels, width_at(size, width), 1, 0, 'none', None, nn.LeakyReLU(.2, True))
        self.conv_blocks = nn.ModuleList()
        while size > 4:
            narrow, wide = width_at(size, width), width_at(size // 2, width)
            self.conv_blocks += [conv(narrow, narrow, size), conv(narrow, wide, size), nn.AvgPool2d(2, 2)]
            size //= 2
        self.decision = DecisionHead(width, norm)

    def forward(self, x):
        x = self.from_rgb(x)
        for block in self.conv_blocks:
            x = block(x)
        return self.decision(x)
