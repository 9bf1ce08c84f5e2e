"""A selective kernel in PyTorch, with its softmax spelt out."""
import torch
from torch import nn


class SelectiveKernel(nn.Module):
    """[B, inputs, H, W] -> [B, outputs, H / stride, W / stride], rounded up."""

    def __init__(self, inputs, outputs, hidden, stride, groups, hidden_norm, momentum=.1):
        super().__init__()

        def branch(dilation):
            return nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, groups, bias=False),
                nn.BatchNorm2d(outputs, momentum=momentum), nn.ReLU())

        self.near, self.far = branch(1), branch(2)
        squeeze = nn.Conv2d(outputs, hidden, 1, bias=False)
        self.squeeze = (nn.Sequential(squeeze, nn.BatchNorm2d(hidden, momentum=momentum), nn.ReLU())
                        if hidden_norm else squeeze)
        self.choose = nn.Conv2d(hidden, 2 * outputs, 1, bias=False)

    def forward(self, x):
        maps = torch.stack([self.near(x), self.far(x)], 1)   # [B, 2, C, H, W]
        means = maps.sum(1).mean((2, 3), keepdim=True)
        shares = self.choose(self.squeeze(means)).unflatten(1, (2, -1)).softmax(1)   # [B, 2, C, 1, 1]
        return (maps * shares).sum(1)
