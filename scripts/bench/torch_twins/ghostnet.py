"""GhostNet in PyTorch: the same mathematics, under the names of the official weight files."""
import torch
from torch import nn
from torch.nn import functional as F

# For every official block: kernel, expanded, channels, squeeze and excitation, stride; at width 1.
BLOCKS = [
    [(3, 16, 16, 0, 1)], [(3, 48, 24, 0, 2)], [(3, 72, 24, 0, 1)], [(5, 72, 40, 1, 2)], [(5, 120, 40, 1, 1)],
    [(3, 240, 80, 0, 2)],
    [(3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 1, 1), (3, 672, 112, 1, 1)],
    [(5, 672, 160, 1, 2)],
    [(5, 960, 160, 0, 1), (5, 960, 160, 1, 1), (5, 960, 160, 0, 1), (5, 960, 160, 1, 1)],
]


def by_four(value):
    rounded = max(4, int(value + 2) // 4 * 4)
    return rounded + 4 * (rounded < .9 * value)


def convolution(inputs, outputs, kernel=1, stride=1, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)


class Module(nn.Module):
    def __init__(self, inputs, outputs, relu):
        super().__init__()
        half = outputs // 2
        activation = nn.ReLU(True) if relu else nn.Identity()
        self.primary_conv = nn.Sequential(convolution(inputs, half), nn.BatchNorm2d(half), activation)
        self.cheap_operation = nn.Sequential(convolution(half, half, 3, groups=half), nn.BatchNorm2d(half), activation)

    def forward(self, x):
        x = self.primary_conv(x)
        return torch.cat([x, self.cheap_operation(x)], 1)


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        reduced = by_four(channels / 4)
        self.conv_reduce = convolution(channels, reduced, bias=True)
        self.conv_expand = convolution(reduced, channels, bias=True)

    def forward(self, x):
        gate = self.conv_expand(F.relu(self.conv_reduce(x.mean((2, 3), keepdim=True))))
        return x * F.hardsigmoid(gate)


class Bottleneck(nn.Module):
    def __init__(self, inputs, expanded, outputs, kernel, gated, stride):
        super().__init__()
        self.ghost1 = Module(inputs, expanded, relu=True)
        self.conv_dw, self.bn_dw = nn.Identity(), nn.Identity()
        if stride == 2:
            self.conv_dw, self.bn_dw = convolution(expanded, expanded, kernel, 2, expanded), nn.BatchNorm2d(expanded)
        self.se = Gate(expanded) if gated else nn.Identity()
        self.ghost2 = Module(expanded, outputs, relu=False)
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            convolution(inputs, inputs, kernel, stride, inputs), nn.BatchNorm2d(inputs),
            convolution(inputs, outputs), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return self.ghost2(self.se(self.bn_dw(self.conv_dw(self.ghost1(x))))) + self.shortcut(x)


class Last(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv, self.bn1 = convolution(inputs, outputs), nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.bn1(self.conv(x)), True)


class GhostNet(nn.Module):
    """[B, 3, H, W] -> [B, classes]. Without dropout. `features` gives the maps at strides 4, 8, 16 and 32 alone."""

    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        channels = by_four(16 * width)
        self.conv_stem, self.bn1 = convolution(3, channels, 3, 2), nn.BatchNorm2d(channels)
        self.blocks = nn.Sequential()
        for rows in BLOCKS:
            block = nn.Sequential()
            for kernel, expanded, outputs, gated, stride in rows:
                outputs = by_four(outputs * width)
                block.append(Bottleneck(channels, by_four(expanded * width), outputs, kernel, gated, stride))
                channels = outputs
            self.blocks.append(block)
        self.blocks.append(nn.Sequential(Last(channels, by_four(960 * width))))
        self.conv_head = convolution(by_four(960 * width), 1280, bias=True)
        self.classifier = nn.Linear(1280, classes)

    def features(self, x):
        maps = [F.relu(self.bn1(self.conv_stem(x)), True)]
        for block in self.blocks[:9]:
            maps.append(block(maps[-1]))
        return [maps[i] for i in (3, 5, 7, 9)]

    def forward(self, x):
        x = self.blocks[9](self.features(x)[-1])
        x = F.relu(self.conv_head(x.mean((2, 3), keepdim=True)))
        return self.classifier(x.flatten(1))
