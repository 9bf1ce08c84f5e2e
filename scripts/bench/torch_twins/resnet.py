"""ResNet in PyTorch, with torchvision's names: its files of weights fit."""
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Convolutions with batch normalisation, [(kernel, channels, stride)], and a shortcut."""

    def __init__(self, inputs, rows, stride, bias=False):
        super().__init__()
        self.count, outputs, shape = len(rows), rows[-1][1], (inputs, stride)
        for number, (kernel, channels, own_stride) in enumerate(rows, 1):
            self.add_module(f'conv{number}', nn.Conv2d(inputs, channels, kernel, own_stride, kernel // 2,
                                                       bias=bias and kernel == 3))
            self.add_module(f'bn{number}', nn.BatchNorm2d(channels))
            inputs = channels
        self.downsample = None
        if shape != (outputs, 1):
            self.downsample = nn.Sequential(nn.Conv2d(shape[0], outputs, 1, stride, bias=False),
                                            nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        for number in range(1, self.count + 1):
            x = self.get_submodule(f'bn{number}')(self.get_submodule(f'conv{number}')(x))
            if number < self.count:
                x = F.relu(x)
        return F.relu(x + shortcut)


class ResNet(nn.Module):
    """[B, 3, H, W] -> [B, classes]. `depth`: 34 or 50."""

    def __init__(self, depth=50, classes=1000, bias=False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, blocks in enumerate((3, 4, 6, 3)):
            channels, stage = 64 * 2 ** number, nn.Sequential()
            for place in range(blocks):
                stride = 2 if number and not place else 1
                rows = ([(3, channels, stride), (3, channels, 1)] if depth == 34 else
                        [(1, channels, 1), (3, channels, stride), (1, 4 * channels, 1)])
                stage.append(Block(inputs, rows, stride, bias))
                inputs = rows[-1][1]
            self.add_module(f'layer{number + 1}', stage)
        self.fc = nn.Linear(inputs, classes)

    def trunk(self):
        return nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool, self.layer1, self.layer2, self.layer3,
                             self.layer4)

    def forward(self, x):
        for part in (self.conv1, self.bn1, self.relu, self.maxpool, self.layer1, self.layer2, self.layer3, self.layer4):
            x = part(x)
        return self.fc(x.mean((2, 3)))
