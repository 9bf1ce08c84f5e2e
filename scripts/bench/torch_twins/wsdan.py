"""WS-DAN's network in PyTorch, with the names of GuYuc's: its checkpoints fit."""
import torch
from torch import nn
from torch.nn import functional as F

from .cifar_resnet import ResNet as CIFARResNet
from .inception import Conv, Inception3
from .resnet import ResNet
from .vgg import VGG19BN


def bilinear_attention_pooling(features, attention):
    """[B, C, h, w], [B, M, h, w] -> [B, M * C], of length 1."""
    height, width = features.shape[2:]
    x = (torch.einsum('bmhw,bchw->bmc', attention, features) / (height * width)).flatten(1)
    x = torch.sign(x) * torch.sqrt(torch.abs(x) + 1e-12)
    return F.normalize(x, dim=-1)


class WSDAN(nn.Module):
    """[B, 3, H, W] -> logits [B, classes], feature [B, L], attention [B, maps, h, w].

    `backbone`: inception_v3, resnet50, resnet34, vgg19_bn or cifar_resnet20; `end`, of the first: mixed_6e or mixed_7c,
    with which attention is the first channels of the features.
    """

    def __init__(self, backbone, classes=200, maps=32, bias=False, end='mixed_6e'):
        super().__init__()
        self.maps = maps
        if backbone == 'inception_v3':
            self.features, channels = Inception3().trunk(end.capitalize()), {'mixed_6e': 768, 'mixed_7c': 2048}[end]
        elif backbone == 'vgg19_bn':
            self.features, channels = VGG19BN(hidden=1).features, 512
        elif backbone == 'cifar_resnet20':
            net = CIFARResNet(20, stem_stride=2)
            self.features, channels = nn.Sequential(nn.Sequential(net.conv1, net.bn1, nn.ReLU()), net.layer1,
                                                    net.layer2, net.layer3), 64
        else:
            depth = int(backbone[-2:])
            self.features, channels = ResNet(depth, bias=depth == 34).trunk(), {34: 512, 50: 2048}[depth]
        self.attentions = None if end == 'mixed_7c' else Conv(channels, maps, 1)
        self.fc = nn.Linear(maps * channels, classes, bias=bias)

    def forward(self, x):
        features = self.features(x)
        attention = features[:, :self.maps] if self.attentions is None else self.attentions(features)
        feature = bilinear_attention_pooling(features, attention)
        return self.fc(100 * feature), feature, attention
