"""VGG-19 with batch normalisation in PyTorch, with torchvision's names: its file of weights fits."""
from torch import nn

CHANNELS = [64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0]   # 0: a pool


class VGG19BN(nn.Module):
    """[B, 3, H, W] -> [B, classes]."""

    def __init__(self, classes=1000, hidden=4096, cells=7):
        super().__init__()
        self.features, inputs = nn.Sequential(), 3
        for channels in CHANNELS:
            if channels:
                self.features.extend([nn.Conv2d(inputs, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()])
                inputs = channels
            else:
                self.features.append(nn.MaxPool2d(2))
        self.avgpool = nn.AdaptiveAvgPool2d(cells)
        self.classifier = nn.Sequential(nn.Linear(512 * cells ** 2, hidden), nn.ReLU(), nn.Dropout(),
                                        nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
