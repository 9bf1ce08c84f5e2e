"""Concatenation along the channels, with a gradient that MXNet can compute on a CPU."""
from ..graph.blocks_of_channels import BLOCK
from .plain_gradient import plain_gradient

__all__ = ['concat', 'are_whole_blocks']


def are_whole_blocks(*channels):
    """Whether maps of so many channels can be concatenated without help: oneDNN's blocks are of 16 or 8."""
    return all(count % BLOCK == 0 for count in channels)


def concat(F, *maps, whole_blocks=False):
    """``F.concat(*maps, dim=1)``, with a backward pass that works for any number of channels.

    On a CPU, MXNet 1.9.1 cuts the gradient of a concatenation in the memory layout that it has. After a convolution
    this layout has blocks of 8 or 16 channels. Where a part does not end with a block, MXNet raises "could not
    construct a sub-memory", or the process dies of a floating point exception.

    Inputs: (N, C_i, H, W) each. Outputs: (N, sum of C_i, H, W).

    Parameters
    ----------
    whole_blocks : bool
        :func:`are_whole_blocks` of all C_i. Then MXNet needs no help. (The help costs a copy in either direction.)
    """
    y = F.concat(*maps, dim=1)
    return y if whole_blocks else plain_gradient(F, y)
