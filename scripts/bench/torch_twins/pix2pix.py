"""The networks of pix2pix and CycleGAN in PyTorch, under the names of the official weight files.

Activations overwrite their inputs, as in the official code. A layer that is left out is an Identity, so that the
numbers of the other layers stay.
"""
import torch
from torch import nn

NORMS = {'batch': nn.BatchNorm2d, 'instance': nn.InstanceNorm2d, 'none': lambda channels: nn.Identity()}


def relu():
    return nn.ReLU(True)


def leaky_relu():
    return nn.LeakyReLU(.2, True)


class Level(nn.Module):
    """One level of a U-Net, around the next one."""

    def __init__(self, layers, outermost):
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class UNet(nn.Module):
    def __init__(self, levels, in_channels=3, out_channels=3, width=64, norm='batch', dropout=.5):
        super().__init__()
        bias, make = norm == 'instance', NORMS[norm]
        inner = [width * min(2 ** level, 8) for level in range(levels)]
        outer = [out_channels, *inner]
        level = None
        for i in reversed(range(levels)):
            last = i == levels - 1
            seen = inner[i] if last else 2 * inner[i]
            down = nn.Conv2d(outer[i] if i else in_channels, inner[i], 4, 2, 1, bias=bias)
            up = nn.ConvTranspose2d(seen, outer[i], 4, 2, 1, bias=bias or i == 0)
            if i == 0:
                layers = [down, level, relu(), up, nn.Tanh()]
            elif last:
                layers = [leaky_relu(), down, relu(), up, make(outer[i])]
            else:
                layers = [leaky_relu(), down, make(inner[i]), level, relu(), up, make(outer[i])]
                if inner[i] == outer[i] and dropout:
                    layers.append(nn.Dropout(dropout))
            level = Level(layers, outermost=i == 0)
        self.model = level

    def forward(self, x):
        return self.model(x)


class Block(nn.Module):
    def __init__(self, channels, norm, dropout):
        super().__init__()

        def half():
            return [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=norm == 'instance'),
                    NORMS[norm](channels)]

        self.conv_block = nn.Sequential(*half(), relu(), *([nn.Dropout(dropout)] if dropout else []), *half())

    def forward(self, x):
        return x + self.conv_block(x)


class ResNetGenerator(nn.Module):
    def __init__(self, blocks, in_channels=3, out_channels=3, width=64, norm='instance', dropout=0.0):
        super().__init__()
        bias, make = norm == 'instance', NORMS[norm]
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7, bias=bias), make(width), relu()]
        for channels in (width, 2 * width):
            layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1, bias=bias), make(2 * channels), relu()]
        layers += [Block(4 * width, norm, dropout) for _ in range(blocks)]
        for channels in (2 * width, width):
            layers += [nn.ConvTranspose2d(2 * channels, channels, 3, 2, 1, output_padding=1, bias=bias),
                       make(channels), relu()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class PatchGAN(nn.Module):
    def __init__(self, in_channels=6, layers=3, width=64, norm='batch'):
        super().__init__()
        body, channels = [nn.Conv2d(in_channels, width, 4, 2, 1), leaky_relu()], width
        for layer in range(1, layers + 1):
            wider = width * min(2 ** layer, 8)
            body += [nn.Conv2d(channels, wider, 4, 1 if layer == layers else 2, 1, bias=norm == 'instance'),
                     NORMS[norm](wider), leaky_relu()]
            channels = wider
        self.model = nn.Sequential(*body, nn.Conv2d(channels, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


class PixelGAN(nn.Module):
    def __init__(self, in_channels=6, width=64, norm='batch'):
        super().__init__()
        bias = norm == 'instance'
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, width, 1), leaky_relu(), nn.Conv2d(width, 2 * width, 1, bias=bias),
            NORMS[norm](2 * width), leaky_relu(), nn.Conv2d(2 * width, 1, 1, bias=bias))

    def forward(self, x):
        return self.net(x)


def randomise(net):
    """Gives every parameter and every running statistic a value of its own, none near zero change."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .5, 1.5)
            nn.init.normal_(module.bias, 0, .2)
            nn.init.normal_(module.running_mean, 0, .2)
            nn.init.uniform_(module.running_var, .5, 1.5)
    return net
