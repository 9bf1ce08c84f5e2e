"""Inception v3 in PyTorch, with torchvision's names: its file of weights fits, with its auxiliary classifier."""
import torch
from torch import nn
from torch.nn import functional as F

# Of each block: its branches, of which each is the rest of a name and rows (channels, kernel, stride, padding).
# A name ends with _1, _2 ... where there are several rows. 'avg' and 'max' come first where a pool does.
ONE, STRIDE3 = (1, 1, 0), (3, 2, 0)
ROW, COLUMN = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
WIDE, HIGH = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))


class Conv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Branches side by side: {name: [(channels, kernel, stride, padding)]}, and what the name's pool is."""

    def __init__(self, inputs, branches, pool=None):
        super().__init__()
        self.pool, self.branches, self.channels = pool, [], 0
        for name, rows in branches.items():
            names, before = [], inputs
            for number, (channels, *geometry) in enumerate(rows, 1):
                names.append(f'branch{name}_{number}' if len(rows) > 1 else f'branch{name}')
                self.add_module(names[-1], Conv(before, channels, *geometry))
                before = channels
            self.branches.append((name, names))
            self.channels += before
        if pool == 'max':
            self.channels += inputs

    def forward(self, x):
        outputs = []
        for name, names in self.branches:
            y = F.avg_pool2d(x, 3, 1, 1) if name == '_pool' else x
            for part in names:
                y = self.get_submodule(part)(y)
            outputs.append(y)
        if self.pool == 'max':
            outputs.append(F.max_pool2d(x, 3, 2))
        return torch.cat(outputs, 1)


class Split(nn.Module):
    """The blocks of the end, whose branches part once more."""

    def __init__(self, inputs):
        super().__init__()
        self.channels = 2048
        self.branch1x1 = Conv(inputs, 320, *ONE)
        self.branch3x3_1 = Conv(inputs, 384, *ONE)
        self.branch3x3_2a, self.branch3x3_2b = Conv(384, 384, *WIDE), Conv(384, 384, *HIGH)
        self.branch3x3dbl_1 = Conv(inputs, 448, *ONE)
        self.branch3x3dbl_2 = Conv(448, 384, 3, 1, 1)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Conv(384, 384, *WIDE), Conv(384, 384, *HIGH)
        self.branch_pool = Conv(inputs, 192, *ONE)

    def forward(self, x):
        y, z = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([self.branch1x1(x), self.branch3x3_2a(y), self.branch3x3_2b(y), self.branch3x3dbl_3a(z),
                          self.branch3x3dbl_3b(z), self.branch_pool(F.avg_pool2d(x, 3, 1, 1))], 1)


def block_a(inputs, pooled):
    return Block(inputs, {'1x1': [(64, *ONE)], '5x5': [(48, *ONE), (64, 5, 1, 2)],
                          '3x3dbl': [(64, *ONE), (96, 3, 1, 1), (96, 3, 1, 1)], '_pool': [(pooled, *ONE)]})


def block_c(width):
    return Block(768, {'1x1': [(192, *ONE)], '7x7': [(width, *ONE), (width, *ROW), (192, *COLUMN)],
                       '7x7dbl': [(width, *ONE), (width, *COLUMN), (width, *ROW), (width, *COLUMN), (192, *ROW)],
                       '_pool': [(192, *ONE)]})


def parts():
    """(torchvision's name, module) of all that is before the mean, in order."""
    return [('Conv2d_1a_3x3', Conv(3, 32, *STRIDE3)), ('Conv2d_2a_3x3', Conv(32, 32, 3)),
            ('Conv2d_2b_3x3', Conv(32, 64, 3, 1, 1)), ('maxpool1', nn.MaxPool2d(3, 2)),
            ('Conv2d_3b_1x1', Conv(64, 80, *ONE)), ('Conv2d_4a_3x3', Conv(80, 192, 3)),
            ('maxpool2', nn.MaxPool2d(3, 2)), ('Mixed_5b', block_a(192, 32)), ('Mixed_5c', block_a(256, 64)),
            ('Mixed_5d', block_a(288, 64)),
            ('Mixed_6a', Block(288, {'3x3': [(384, *STRIDE3)],
                                     '3x3dbl': [(64, *ONE), (96, 3, 1, 1), (96, *STRIDE3)]}, 'max')),
            ('Mixed_6b', block_c(128)), ('Mixed_6c', block_c(160)), ('Mixed_6d', block_c(160)),
            ('Mixed_6e', block_c(192)),
            ('Mixed_7a', Block(768, {'3x3': [(192, *ONE), (320, *STRIDE3)],
                                     '7x7x3': [(192, *ONE), (192, *ROW), (192, *COLUMN), (192, *STRIDE3)]}, 'max')),
            ('Mixed_7b', Split(1280)), ('Mixed_7c', Split(2048))]


class Inception3(nn.Module):
    """[B, 3, H, W] -> [B, classes]. With `aux`, the weights of the auxiliary classifier are there, and unused."""

    def __init__(self, classes=1000, aux=False):
        super().__init__()
        self.order = []
        for name, part in parts():
            self.add_module(name, part)
            self.order.append(name)
            if aux and name == 'Mixed_6e':
                self.AuxLogits = nn.Module()
                self.AuxLogits.conv0, self.AuxLogits.conv1 = Conv(768, 128, *ONE), Conv(128, 768, 5)
                self.AuxLogits.fc = nn.Linear(768, classes)
        self.dropout, self.fc = nn.Dropout(), nn.Linear(2048, classes)

    def trunk(self, end='Mixed_7c'):
        """The layers up to `end`, as a Sequential."""
        return nn.Sequential(*(self.get_submodule(name) for name in self.order[:self.order.index(end) + 1]))

    def forward(self, x):
        for name in self.order:
            x = self.get_submodule(name)(x)
        return self.fc(self.dropout(x.mean((2, 3))))
