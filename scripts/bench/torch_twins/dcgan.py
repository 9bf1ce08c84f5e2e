"""DCGAN's networks in PyTorch, under the names of the two codes' weight files: WGAN's and MMagic's.

WGAN's main.py starts every layer whose class has 'Conv' or 'BatchNorm' in its name anew; see `start`. MMagic's
discriminator returns a vector of scores, WGAN's the mean of the batch; both return (N, 1) here.
"""
from torch import nn


class WGANGenerator(nn.Module):
    """DCGAN_G and, with norm 'none', DCGAN_G_nobn."""

    def __init__(self, size=64, channels=3, noise=100, width=64, norm='batch', extra_layers=0):
        super().__init__()
        wide = width * size // 8
        self.main = nn.Sequential()
        self.add(f'initial:{noise}-{wide}:convt', nn.ConvTranspose2d(noise, wide, 4, 1, 0, bias=False))
        self.follow(f'initial:{wide}', wide, norm)
        while wide > width:
            self.add(f'pyramid:{wide}-{wide // 2}:convt', nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False))
            wide //= 2
            self.follow(f'pyramid:{wide}', wide, norm)
        for i in range(extra_layers):
            self.add(f'extra-layers-{i}:{width}:conv', nn.Conv2d(width, width, 3, 1, 1, bias=False))
            self.follow(f'extra-layers-{i}:{width}', width, norm)
        self.add(f'final:{width}-{channels}:convt', nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False))
        self.add(f'final:{channels}:tanh', nn.Tanh())

    def add(self, name, layer):
        self.main.add_module(name, layer)

    def follow(self, name, channels, norm):
        if norm == 'batch':
            self.add(f'{name}:batchnorm', nn.BatchNorm2d(channels))
        self.add(f'{name}:relu', nn.ReLU(True))

    def forward(self, x):
        return self.main(x[:, :, None, None])


class WGANCritic(nn.Module):
    """DCGAN_D and, with norm 'none', DCGAN_D_nobn."""

    def __init__(self, size=64, channels=3, width=64, norm='batch', extra_layers=0):
        super().__init__()
        self.main = nn.Sequential()
        self.add(f'initial:{channels}-{width}:conv', nn.Conv2d(channels, width, 4, 2, 1, bias=False))
        self.add(f'initial:{width}:relu', nn.LeakyReLU(.2, True))
        for i in range(extra_layers):
            self.add(f'extra-layers-{i}:{width}:conv', nn.Conv2d(width, width, 3, 1, 1, bias=False))
            self.follow(f'extra-layers-{i}:{width}', width, norm)
        side = size // 2
        while side > 4:
            self.add(f'pyramid:{width}-{2 * width}:conv', nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False))
            width, side = 2 * width, side // 2
            self.follow(f'pyramid:{width}', width, norm)
        self.add(f'final:{width}-1:conv', nn.Conv2d(width, 1, 4, 1, 0, bias=False))

    add = WGANGenerator.add

    def follow(self, name, channels, norm):
        if norm == 'batch':
            self.add(f'{name}:batchnorm', nn.BatchNorm2d(channels))
        self.add(f'{name}:relu', nn.LeakyReLU(.2, True))

    def forward(self, x):
        return self.main(x).flatten(1)


class ConvModule(nn.Module):
    """As mmcv's: a convolution, with a bias unless a normalisation follows, the normalisation and the activation."""

    def __init__(self, conv, norm, activate):
        super().__init__()
        self.conv = conv
        if norm:
            self.bn = nn.BatchNorm2d(conv.out_channels)
        self.activate = activate

    def forward(self, x):
        x = self.conv(x)
        if hasattr(self, 'bn'):
            x = self.bn(x)
        return self.activate(x)


class MMagicGenerator(nn.Module):
    def __init__(self, size=64, channels=3, noise=100, width=128, norm='batch'):
        super().__init__()
        norm = norm == 'batch'

        def up(wide, narrow, stride, padding, norm, activate):
            return ConvModule(nn.ConvTranspose2d(wide, narrow, 4, stride, padding, bias=not norm), norm, activate)

        wide = width * size // 8
        self.noise2feat = up(noise, wide, 1, 0, norm, nn.ReLU(True))
        self.upsampling = nn.Sequential()
        while wide > width:
            self.upsampling.append(up(wide, wide // 2, 2, 1, norm, nn.ReLU(True)))
            wide //= 2
        self.output_layer = up(width, channels, 2, 1, False, nn.Tanh())

    def forward(self, x):
        return self.output_layer(self.upsampling(self.noise2feat(x[:, :, None, None])))


class MMagicDiscriminator(nn.Module):
    def __init__(self, size=64, channels=3, width=128, norm='batch'):
        super().__init__()
        self.downsamples = nn.Sequential()
        while size > 4:
            own = norm == 'batch' and len(self.downsamples) > 0
            self.downsamples.append(ConvModule(nn.Conv2d(channels, width, 4, 2, 1, bias=not own), own,
                                               nn.LeakyReLU(inplace=True)))
            channels, width, size = width, 2 * width, size // 2
        self.output_layer = ConvModule(nn.Conv2d(channels, 1, 4, 1, 0), False, nn.Identity())

    def forward(self, x):
        return self.output_layer(self.downsamples(x)).flatten(1)


def start(network):
    """The first weights of WGAN's main.py."""
    for layer in network.modules():
        name = type(layer).__name__
        if 'Conv' in name:
            layer.weight.data.normal_(0, .02)
        elif 'BatchNorm' in name:
            layer.weight.data.normal_(1, .02)
            layer.bias.data.fill_(0)
    return network
