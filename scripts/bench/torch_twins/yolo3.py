"""YOLOv3 and Darknet-53 in PyTorch, as one would write them there, under the names of gluonzoo's models."""
import torch
from torch import nn
from torch.nn import functional as F

DEPTHS = 1, 2, 8, 8, 4


def scaled(channels, width):
    return max(1, round(channels * width / 16)) * 16


def activation(kind):
    return nn.LeakyReLU(.1, inplace=True) if kind == 'leaky' else nn.Mish(inplace=True)


class ConvUnit(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1, kind='leaky'):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = activation(kind)

    def forward(self, x):
        return self.activation(self.norm(self.conv(x)))


class Residual(nn.Module):
    def __init__(self, channels, hidden, kind):
        super().__init__()
        self.reduce = ConvUnit(channels, hidden, kind=kind)
        self.expand = ConvUnit(hidden, channels, 3, kind=kind)

    def forward(self, x):
        return x + self.expand(self.reduce(x))


class Features(nn.Module):
    def __init__(self, width, depths, kind):
        super().__init__()
        channels = [scaled(channels, width) for channels in (32, 64, 128, 256, 512, 1024)]
        self.channels = channels[3:]
        self.stem = ConvUnit(3, channels[0], 3, kind=kind)
        # A residual block narrows its maps to the channels of the stage before.
        self.stages = nn.ModuleList(
            nn.Sequential(ConvUnit(inputs, outputs, 3, 2, kind),
                          *(Residual(outputs, inputs, kind) for _ in range(depth)))
            for inputs, outputs, depth in zip(channels, channels[1:], depths))

    def forward(self, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[2:]


class Darknet53(nn.Module):
    """[B, 3, H, W] -> [B, classes]"""

    def __init__(self, classes=1000, width=1, depths=DEPTHS, kind='leaky'):
        super().__init__()
        self.features = Features(width, depths, kind)
        self.output = nn.Linear(self.features.channels[-1], classes)

    def forward(self, x):
        return self.output(self.features(x)[-1].mean((2, 3)))


def conv_relu(inputs, outputs, kernel=1, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class MobileNet(nn.Module):
    channels = 256, 512, 1024

    def __init__(self):
        super().__init__()
        self.stem = conv_relu(3, 32, 3, 2)
        self.stages, inputs = nn.ModuleList(), 32
        for pairs in ('64 128/ 128 256/ 256', '512/ 512 512 512 512 512', '1024/ 1024'):
            stage = nn.Sequential()
            for pair in pairs.split():   # 512/: to 512 channels, with stride 2
                outputs = int(pair.strip('/'))
                stage.append(nn.Sequential(conv_relu(inputs, inputs, 3, 2 if '/' in pair else 1, inputs),
                                           conv_relu(inputs, outputs)))
                inputs = outputs
            self.stages.append(stage)

    def forward(self, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Scale(nn.Module):
    def __init__(self, inputs, channels, values, coarser):
        super().__init__()
        if coarser:
            self.transition = ConvUnit(coarser, channels)
            inputs += channels
        self.body = nn.Sequential(ConvUnit(inputs, channels), ConvUnit(channels, 2 * channels, 3),
                                  ConvUnit(2 * channels, channels), ConvUnit(channels, 2 * channels, 3),
                                  ConvUnit(2 * channels, channels))
        self.tip = ConvUnit(channels, 2 * channels, 3)
        self.output = nn.Conv2d(2 * channels, values, 1)

    def forward(self, x, coarser=None):
        if coarser is not None:
            x = torch.cat([F.interpolate(self.transition(coarser), scale_factor=2), x], 1)
        route = self.body(x)
        return self.output(self.tip(route)), route


class YOLO3(nn.Module):
    """[B, 3, H, W] -> three of [B, 3 * (5 + classes), H / s, W / s], for the strides s of 32, 16 and 8."""

    def __init__(self, backbone, classes, width=1):
        super().__init__()
        self.backbone = backbone
        channels = [scaled(channels, width) for channels in (512, 256, 128)]
        self.scales = nn.ModuleList(Scale(*widths[:2], 3 * (5 + classes), widths[2])
                                    for widths in zip(backbone.channels[::-1], channels, [0, *channels]))

    def forward(self, x):
        heads, route = [], None
        for scale, features in zip(self.scales, self.backbone(x)[::-1]):
            head, route = scale(features, route)
            heads.append(head)
        return tuple(heads)


def yolo3_darknet53(classes=80, width=1, depths=DEPTHS, kind='leaky'):
    return YOLO3(Features(width, depths, kind), classes, width)


def yolo3_mobilenet1_0(classes=80):
    return YOLO3(MobileNet(), classes)
