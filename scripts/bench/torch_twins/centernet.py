"""CenterNet in PyTorch, under the names of the official weight files.

The parts of Ghost CenterNet are in the order of ours. The pools are cumulative maxima. Their values are those of the
official code; their gradients differ where two inputs are equal, so do not test with ties.
"""
import torch
from torch import nn
from torch.nn import functional as F

from . import ghostnet


def top(x):
    return x.flip(2).cummax(2)[0].flip(2)


def bottom(x):
    return x.cummax(2)[0]


def left(x):
    return x.flip(3).cummax(3)[0].flip(3)


def right(x):
    return x.cummax(3)[0]


def conv3(inputs, outputs, stride=1, bias=False):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=bias)


def conv1(inputs, outputs, stride=1, bias=False):
    return nn.Conv2d(inputs, outputs, 1, stride, bias=bias)


class Convolution(nn.Module):
    def __init__(self, inputs, outputs, kernel=3, stride=1, normalise=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not normalise)
        self.bn = nn.BatchNorm2d(outputs) if normalise else nn.Identity()

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), True)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv3(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv3(outputs, outputs), nn.BatchNorm2d(outputs)
        self.skip = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            conv1(inputs, outputs, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), True))) + self.skip(x), True)


def residuals(channels, stride=1):
    """A residual block from each number of channels to the next; the first has the stride."""
    pairs = list(zip(channels, channels[1:]))
    return nn.Sequential(Residual(*pairs[0], stride), *[Residual(*pair) for pair in pairs[1:]])


class Hourglass(nn.Module):
    def __init__(self, levels, depths):
        super().__init__()
        outer, inner, depth = levels[0], levels[1], depths[0]
        self.up1 = residuals([outer] * (depth + 1))
        self.low1 = residuals([outer] + [inner] * depth, stride=2)
        self.low2 = Hourglass(levels[1:], depths[1:]) if len(levels) > 2 else residuals([inner] * (depths[1] + 1))
        self.low3 = residuals([inner] * depth + [outer])

    def forward(self, x):
        return self.up1(x) + F.interpolate(self.low3(self.low2(self.low1(x))), scale_factor=2, mode='nearest')


class Pooling(nn.Module):
    """What a corner pooling and a centre pooling have in common."""

    def __init__(self, channels, pooled):
        super().__init__()
        self.add_branches(channels, pooled)
        self.p_conv1, self.p_bn1 = conv3(pooled, channels), nn.BatchNorm2d(channels)
        self.conv1, self.bn1 = conv1(channels, channels), nn.BatchNorm2d(channels)
        self.conv2 = Convolution(channels, channels)

    def forward(self, x):
        return self.conv2(F.relu(self.p_bn1(self.p_conv1(self.pooled(x))) + self.bn1(self.conv1(x)), True))


class Corner(Pooling):
    def __init__(self, channels, pooled, vertical, horizontal):
        super().__init__(channels, pooled)
        self.vertical, self.horizontal = vertical, horizontal

    def add_branches(self, channels, pooled):
        self.p1_conv1, self.look_conv1 = Convolution(channels, pooled), Convolution(channels, pooled)
        self.P1_look_conv = conv3(pooled, pooled)
        self.p2_conv1, self.look_conv2 = Convolution(channels, pooled), Convolution(channels, pooled)
        self.P2_look_conv = conv3(pooled, pooled)

    def pooled(self, x):
        first = self.P1_look_conv(self.p1_conv1(x) + self.horizontal(self.look_conv1(x)))
        second = self.P2_look_conv(self.p2_conv1(x) + self.vertical(self.look_conv2(x)))
        return self.vertical(first) + self.horizontal(second)


class Center(Pooling):
    def add_branches(self, channels, pooled):
        self.p1_conv1, self.p2_conv1 = Convolution(channels, pooled), Convolution(channels, pooled)

    def pooled(self, x):
        return bottom(top(self.p1_conv1(x))) + right(left(self.p2_conv1(x)))


def head(channels, hidden, outputs):
    return nn.Sequential(Convolution(channels, hidden, normalise=False), conv1(hidden, outputs, bias=True))


def each(count, make):
    return nn.ModuleList([make() for _ in range(count)])


class Heads(nn.Module):
    """The heads of each of `stacks` maps of features."""

    def __init__(self, stacks, classes, channels, pooled, hidden):
        super().__init__()
        pools = {'tl': lambda: Corner(channels, pooled, top, left),
                 'br': lambda: Corner(channels, pooled, bottom, right),
                 'ct': lambda: Center(channels, pooled)}
        for point, pool in pools.items():
            setattr(self, f'{point}_cnvs', each(stacks, pool))
            for name, outputs in (('heats', classes), ('tags', 1), ('regrs', 2)):
                if (point, name) != ('ct', 'tags'):
                    setattr(self, f'{point}_{name}', each(stacks, lambda n=outputs: head(channels, hidden, n)))

    def heads(self, i, features):
        tl, br, ct = self.tl_cnvs[i](features), self.br_cnvs[i](features), self.ct_cnvs[i](features)
        return [self.tl_heats[i](tl), self.br_heats[i](br), self.ct_heats[i](ct),
                self.tl_tags[i](tl), self.br_tags[i](br),
                self.tl_regrs[i](tl), self.br_regrs[i](br), self.ct_regrs[i](ct)]


class CenterNet(Heads):
    """[B, 3, H, W], BGR -> for every hourglass tl, br, ct heats, tl, br tags, tl, br, ct offsets, as one list."""

    def __init__(self, stacks, classes, levels, depths, stem, channels, pooled):
        outer = levels[0]
        super().__init__(stacks, classes, channels, pooled, outer)
        self.pre = nn.Sequential(Convolution(3, stem, 7, 2), Residual(stem, outer, 2))
        self.kps = each(stacks, lambda: Hourglass(levels, depths))
        self.cnvs = each(stacks, lambda: Convolution(outer, channels))
        self.inters = each(stacks - 1, lambda: Residual(outer, outer))
        self.inters_ = each(stacks - 1, lambda: nn.Sequential(conv1(outer, outer), nn.BatchNorm2d(outer)))
        self.cnvs_ = each(stacks - 1, lambda: nn.Sequential(conv1(channels, outer), nn.BatchNorm2d(outer)))

    def forward(self, x):
        outputs = []
        x = self.pre(x)
        for i in range(len(self.kps)):
            features = self.cnvs[i](self.kps[i](x))
            outputs += self.heads(i, features)
            if i + 1 < len(self.kps):
                x = self.inters[i](torch.relu(self.inters_[i](x) + self.cnvs_[i](features)))
        return outputs


class GhostCenterNet(nn.Module):
    """[B, 3, H, W] -> the eight heads, on GhostNet and a neck. There are no official weights; the names are ours."""

    def __init__(self, width, classes, channels):
        super().__init__()
        self.backbone = ghostnet.GhostNet(width)
        del self.backbone.blocks[9], self.backbone.conv_head, self.backbone.classifier
        inputs = [self.backbone.blocks[i][-1].ghost2.cheap_operation[1].num_features * 2 for i in (2, 4, 6, 8)]
        self.laterals = nn.ModuleList([conv1(c, channels, bias=True) for c in inputs])
        self.refine = each(3, lambda: ghostnet.Bottleneck(channels, channels, channels, 3, 0, 1))
        self.points = Heads(1, classes, channels, channels // 2, channels)

    def forward(self, x):
        c4, c8, c16, c32 = [lateral(c) for lateral, c in zip(self.laterals, self.backbone.features(x))]
        x = c32
        for refine, c in zip(self.refine, (c16, c8, c4)):
            x = refine(c + F.interpolate(x, scale_factor=2, mode='nearest'))
        return self.points.heads(0, x)
