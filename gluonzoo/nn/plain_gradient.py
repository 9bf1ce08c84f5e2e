"""A copy of maps whose gradient has the plain memory layout, for operators that fail or are slow with other layouts."""

__all__ = ['plain_gradient']


def plain_gradient(F, x):
    """Returns x, (N, C, H, W). Gradients that come back through this function have the plain layout of their shape.

    On a CPU, the gradients that convolutions return are in blocks of 8 or 16 channels. MXNet 1.9.1 cannot cut such a
    gradient for the parts of a concatenation. And where a batch normalisation has computed in other blocks, its
    gradient takes a hundred times as long as it should. Here axes are transposed to where they are, which makes an
    array of its own, and so does the gradient. That is one copy in either direction; gluonzoo.graph.training_only
    leaves the transposition out.
    """
    return F.transpose(x, axes=(0, 1, 2, 3))
