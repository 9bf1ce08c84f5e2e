"""DSOD300 in PyTorch, as one would write it there. Its parts are in the order of gluonzoo.models.dsod."""
import torch
from torch import nn
from torch.nn import functional


def conv(inputs, outputs, kernel_size=1, stride=1):
    return nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False)


def norm_relu_conv(inputs, outputs, kernel_size=1, stride=1):
    return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), conv(inputs, outputs, kernel_size, stride))


def conv_norm_relu(inputs, outputs, kernel_size=1, stride=1):
    return nn.Sequential(conv(inputs, outputs, kernel_size, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def pool():
    return nn.MaxPool2d(2, 2, ceil_mode=True)


class DenseLayer(nn.Module):
    def __init__(self, inputs, bottleneck, growth_rate):
        super().__init__()
        self.body = nn.Sequential(norm_relu_conv(inputs, bottleneck), norm_relu_conv(bottleneck, growth_rate, 3))

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def dense_block(inputs, depth, bottleneck, growth_rate):
    return nn.Sequential(*(DenseLayer(inputs + i * growth_rate, bottleneck, growth_rate) for i in range(depth)))


class Downsample(nn.Module):
    def __init__(self, inputs, channels):
        super().__init__()
        self.pooled = nn.Sequential(pool(), norm_relu_conv(inputs, channels))
        self.convolved = nn.Sequential(norm_relu_conv(inputs, channels), norm_relu_conv(channels, channels, 3, 2))

    def forward(self, x):
        return torch.cat([self.pooled(x), self.convolved(x)], 1)


class Head(nn.Module):
    def __init__(self, inputs, shapes, classes):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1, inputs, 1, 1), 20.))
        self.values = classes + 5
        self.conv = conv(inputs, shapes * self.values, 3)
        self.norm = nn.BatchNorm2d(shapes * self.values, eps=1e-3)

    def forward(self, x):
        y = self.norm(self.conv(functional.normalize(x, dim=1) * self.scale))
        return y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, self.values)


class DSOD(nn.Module):
    def __init__(self, classes, bottleneck, growth_rate):
        super().__init__()
        g = growth_rate
        self.first = nn.Sequential(
            conv_norm_relu(3, 64, 3, 2), conv_norm_relu(64, 64, 3), conv_norm_relu(64, 128, 3), pool(),
            dense_block(128, 6, bottleneck, g), norm_relu_conv(128 + 6 * g, 128 + 6 * g), pool(),
            dense_block(128 + 6 * g, 8, bottleneck, g), norm_relu_conv(128 + 14 * g, 128 + 14 * g))
        self.deeper = nn.Sequential(
            pool(), dense_block(128 + 14 * g, 8, bottleneck, g), norm_relu_conv(128 + 22 * g, 128 + 22 * g),
            dense_block(128 + 22 * g, 8, bottleneck, g), norm_relu_conv(128 + 30 * g, 256))
        self.skip = nn.Sequential(pool(), norm_relu_conv(128 + 14 * g, 256))
        self.downsamples = nn.ModuleList(Downsample(i, o) for i, o in ((512, 256), (512, 128), (256, 128), (256, 128)))
        self.heads = nn.ModuleList(Head(i, k, classes) for i, k in zip(
            (128 + 14 * g, 512, 512, 256, 256, 256), (4, 6, 6, 6, 4, 4)))

    def forward(self, x):
        first = self.first(x)
        maps = [first, torch.cat([self.deeper(first), self.skip(first)], 1)]
        for downsample in self.downsamples:
            maps.append(downsample(maps[-1]))
        y = torch.cat([head(x) for head, x in zip(self.heads, maps)], 1)
        return y[..., 4:], y[..., :4]


def dsod300(classes):
    return DSOD(classes, bottleneck=192, growth_rate=48)
