"""SKNet in PyTorch, from the authors' prototxt, under our own names: there are no weights of it in PyTorch."""
from torch import nn
from torch.nn import functional as F

from .selective_kernel import SelectiveKernel

MOMENTUM = .05   # Caffe's .95


def conv_bn(inputs, outputs, kernel=1, stride=1, relu=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
              nn.BatchNorm2d(outputs, momentum=MOMENTUM)]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Unit(nn.Module):
    def __init__(self, inputs, channels, hidden, stride):
        super().__init__()
        whole = stride == 1 and inputs == 2 * channels
        self.shortcut = nn.Identity() if whole else conv_bn(inputs, 2 * channels, stride=stride, relu=False)
        self.reduce = conv_bn(inputs, channels)
        self.select = SelectiveKernel(channels, channels, hidden, stride, 32, hidden_norm=True, momentum=MOMENTUM)
        self.increase = conv_bn(channels, 2 * channels, relu=False)

    def forward(self, x):
        return F.relu(self.increase(self.select(self.reduce(x))) + self.shortcut(x))


class SKNet(nn.Module):
    """[B, 3, H, W] -> [B, classes]. `depths` and `hidden` have four numbers."""

    def __init__(self, depths=(3, 4, 6, 3), hidden=(32, 32, 32, 64), classes=1000):
        super().__init__()
        # Caffe rounds the size of a pool's output up.
        self.stem = nn.Sequential(conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True))
        inputs, self.stages = 64, nn.Sequential()
        for number, (depth, units) in enumerate(zip(depths, hidden)):
            channels = 128 * 2 ** number
            stage = nn.Sequential(Unit(inputs, channels, units, 2 if number else 1))
            inputs = 2 * channels
            for _ in range(depth - 1):
                stage.append(Unit(inputs, channels, units, 1))
            self.stages.append(stage)
        self.output = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.output(self.stages(self.stem(x)).mean((2, 3)))
