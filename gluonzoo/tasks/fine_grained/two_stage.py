"""The whole prediction of WS-DAN as one graph: a picture is looked at, then what the attention maps look at in it.

Source: as :mod:`gluonzoo.tasks.fine_grained.attention_views`, whose variants these are.
"""
from mxnet.gluon import HybridBlock

from .attention_views import RefinedView

__all__ = ['TwoStage', 'joined']


class TwoStage(HybridBlock):
    """Classifies a picture as a whole and once more by its refined crop, with the same network, and joins the two.

    Parameters
    ----------
    net : HybridBlock
        initialized; ``logits [B, classes], feature, attention [B, M, h, w] = net(images)``
    variant : {'guyuc', 'official'}, optional
        how the crop is made, see :mod:`gluonzoo.tasks.fine_grained.attention_views`, and how the probabilities are
        joined. 'guyuc': the softmax of the mean of both logits. 'official': the mean of both softmaxes. Default: that
        of `net`.

    Inputs:
        - **images**: [B, 3, H, W], as `net` takes them

    Outputs, float32:
        - **probabilities**: [B, classes]
        - **raw**: [B, classes], the logits of the whole picture
        - **refined**: [B, classes], the logits of the crop
        - **boxes**: [B, 4], see :class:`~gluonzoo.tasks.fine_grained.attention_views.AttentionBox`

    Raises
    ------
    ValueError
        if there is no such variant
    """

    def __init__(self, net, variant=None):
        super().__init__()
        self._variant = net.variant if variant is None else variant
        with self.name_scope():
            self.net, self.view = net, RefinedView(self._variant)

    def hybrid_forward(self, F, images):
        raw, _, attention = self.net(images)
        crops, boxes = self.view(images, attention)
        refined, _, _ = self.net(crops)
        raw, refined = F.cast(raw, 'float32'), F.cast(refined, 'float32')
        return F.softmax(joined(F, raw, refined, self._variant)), raw, refined, boxes


def joined(F, raw, refined, variant):
    """The logits of both stages together, of which a softmax makes the probabilities; [B, classes] each.

    'guyuc': the mean of the logits. 'official': the logarithm of the mean of both softmaxes, finite as the logits are.
    """
    if variant == 'guyuc':
        return (raw + refined) / 2
    raw, refined = F.log_softmax(raw), F.log_softmax(refined)
    most = F.maximum(raw, refined)
    return most + F.log((F.exp(raw - most) + F.exp(refined - most)) / 2)
