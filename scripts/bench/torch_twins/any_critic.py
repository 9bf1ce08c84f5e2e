"""Any critic of gluonzoo in PyTorch, made from the critic's blocks and weights.

Each layer is the one that PyTorch has for it. Where gluonzoo computes a layer in another way (gluonzoo.nn.one_channel,
resampled_conv, whole_map), PyTorch computes it as the layer is defined.
"""
import torch
from mxnet.gluon import nn

from gluonzoo.models.residual_gan import FirstBlock, ResidualBlock
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.nn.resampled_conv import ConvMeanPool

functional = torch.nn.functional
ACTIVATIONS = {'relu': torch.relu, 'tanh': torch.tanh, 'sigmoid': torch.sigmoid, 'softrelu': functional.softplus}


class CriticInTorch:
    """Computes what a critic computes.

    Parameters
    ----------
    net : HybridBlock
        of the layers that are known here
    dtype : torch.dtype

    Attributes
    ----------
    parameters : dict of name, as in ``net.collect_params()``, -> Tensor with a gradient
    """

    def __init__(self, net, dtype=torch.float64):
        self._net = net
        self.parameters = {name: torch.tensor(parameter.data().asnumpy(), dtype=dtype).requires_grad_()
                           for name, parameter in net.collect_params().items()}

    def __call__(self, x):
        return self._apply(self._net, x)

    def _apply(self, block, x):
        if isinstance(block, (ResidualBlock, FirstBlock)):
            return self._apply(block.body, x) + self._apply(block.shortcut, x)
        if isinstance(block, ConvMeanPool):   # which has a stride of 2 and other padding, and is the same
            return functional.avg_pool2d(functional.conv2d(x, *self._of(block, 'weight', 'bias'), padding=1), 2)
        if isinstance(block, nn.Conv2D):
            return functional.conv2d(x, *self._of(block, 'weight', 'bias'), block._kwargs['stride'],
                                     block._kwargs['pad'])
        if isinstance(block, nn.Dense):
            assert block.act is None
            return functional.linear(x.flatten(1), *self._of(block, 'weight', 'bias'))
        if isinstance(block, MapNorm):
            gamma, beta = self._of(block, 'gamma', 'beta')
            if gamma.ndim == 1:
                return functional.group_norm(x, 1, gamma, beta)
            return functional.layer_norm(x, gamma.shape, gamma, beta)
        if isinstance(block, InstanceNorm):
            return functional.instance_norm(x)
        if isinstance(block, nn.LeakyReLU):
            return functional.leaky_relu(x, block._alpha)
        if isinstance(block, nn.Activation):
            return ACTIVATIONS[block._act_type](x)
        if isinstance(block, nn.GlobalAvgPool2D):
            return x.mean((2, 3), keepdim=True)
        if isinstance(block, nn.AvgPool2D):
            return functional.avg_pool2d(x, block._kwargs['kernel'], block._kwargs['stride'], block._kwargs['pad'])
        if isinstance(block, nn.Flatten):
            return x.flatten(1)
        children = list(block._children.values())
        assert isinstance(block, nn.HybridSequential) or len(children) == 1, f'PyTorch has no {type(block).__name__}'
        for child in children:
            x = self._apply(child, x)
        return x

    def _of(self, block, *names):
        parameters = [getattr(block, name) for name in names]
        return [None if parameter is None else self.parameters[parameter.name] for parameter in parameters]
