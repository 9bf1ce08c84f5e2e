"""The residual networks for CIFAR-10 in PyTorch, under the names of github.com/akamaster/pytorch_resnet_cifar10."""
from torch import nn
from torch.nn import functional as F

from .selective_kernel import SelectiveKernel


class ZeroChannels(nn.Module):
    """Every second pixel, and zeros before and after the channels."""

    def forward(self, x):
        half = x.shape[1] // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))


def shortcut_of(kind, inputs, outputs):
    if kind == 'A':
        return ZeroChannels()
    pool = [nn.AvgPool2d(2, 2)] if kind == 'D' else []
    return nn.Sequential(*pool, nn.Conv2d(inputs, outputs, 1, 1 if pool else 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, shortcut, selective):
        super().__init__()

        def convolution(inputs, stride):
            if selective:
                return SelectiveKernel(inputs, outputs, max(outputs // 16, 32), stride, 16, hidden_norm=False)
            return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)

        self.conv1, self.bn1 = convolution(inputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, 1), nn.BatchNorm2d(outputs)
        self.shortcut = shortcut_of(shortcut, inputs, outputs) if stride == 2 else nn.Identity()

    def forward(self, x):
        inside = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inside + self.shortcut(x))


class ResNet(nn.Module):
    """[B, 3, H, W] -> [B, classes]."""

    def __init__(self, depth, classes=10, shortcut='A', selective=False, stem_stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, stem_stride, 1, bias=False), nn.BatchNorm2d(16)
        for number, (inputs, outputs) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            first = Block(inputs, outputs, outputs // inputs, shortcut, selective)
            rest = [Block(outputs, outputs, 1, shortcut, selective) for _ in range((depth - 2) // 6 - 1)]
            setattr(self, f'layer{number}', nn.Sequential(first, *rest))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))
