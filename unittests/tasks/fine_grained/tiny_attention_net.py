"""A network with attention maps, small enough for tests."""
from mxnet.gluon import HybridBlock, nn


class TinyAttentionNet(HybridBlock):
    """``logits [B, classes], feature [B, M * 8], attention [B, M, H / 4, W / 4] = net(images)``"""

    def __init__(self, classes=5, maps=3, variant='guyuc'):
        super().__init__()
        self.classes, self.maps, self.variant = classes, maps, variant
        with self.name_scope():
            self.features = nn.HybridSequential()
            self.features.add(nn.Conv2D(8, 3, 2, 1, in_channels=3), nn.BatchNorm(in_channels=8), nn.Activation('relu'),
                              nn.Conv2D(8, 3, 2, 1, in_channels=8), nn.Activation('relu'))
            self.attention = nn.HybridSequential()
            self.attention.add(nn.Conv2D(maps, 1, in_channels=8), nn.BatchNorm(in_channels=maps), nn.Activation('relu'))
            self.fc = nn.Dense(classes, in_units=maps * 8)

    def hybrid_forward(self, F, images):
        features = self.features(images)
        attention = self.attention(features)
        pooled = F.batch_dot(F.reshape(attention, (0, 0, -1)), F.reshape(features, (0, 0, -1)), transpose_b=True)
        feature = F.reshape(pooled, (0, -1))
        feature = F.broadcast_div(feature, F.sqrt(F.sum(F.square(feature), axis=1, keepdims=True) + 1e-12))
        return self.fc(feature * 10), feature, attention
