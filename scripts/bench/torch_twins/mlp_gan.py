"""WGAN's fully connected networks in PyTorch, under the names of the official weight files."""
from torch import nn


def layers(in_units, width, units):
    return [nn.Linear(in_units, width), nn.ReLU(True), nn.Linear(width, width), nn.ReLU(True),
            nn.Linear(width, width), nn.ReLU(True), nn.Linear(width, units)]


class Generator(nn.Module):
    """MLP_G, with the tanh that the official code has not, unless `tanh` is False."""

    def __init__(self, size=64, channels=3, noise=100, width=512, tanh=True):
        super().__init__()
        self.main = nn.Sequential(*layers(noise, width, channels * size ** 2), *([nn.Tanh()] if tanh else []))
        self.shape = channels, size, size

    def forward(self, x):
        return self.main(x).view(len(x), *self.shape)


class Critic(nn.Module):
    """MLP_D, which returns the mean of the batch there."""

    def __init__(self, size=64, channels=3, width=512):
        super().__init__()
        self.main = nn.Sequential(*layers(channels * size ** 2, width, 1))

    def forward(self, x):
        return self.main(x.flatten(1))
