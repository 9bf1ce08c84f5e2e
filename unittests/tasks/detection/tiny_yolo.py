"""A YOLO network that learns in seconds, for the pictures of tiny_detector.py."""
from mxnet.gluon import HybridBlock, nn
from tiny_detector import MEAN, STD, TinyDetector

ANCHORS = (((32, 32), (24, 36), (36, 24)), ((22, 22), (20, 28), (28, 20)), ((16, 16), (18, 14), (14, 18)))


class TinyYOLO(HybridBlock):
    """Heads of strides 32, 16 and 8."""
    classes = 2
    input_size = 64
    mean, std = MEAN, STD
    anchors, strides = ANCHORS, (32, 16, 8)

    def __init__(self, channels=16):
        super().__init__()
        self.stages, self.heads = nn.HybridSequential(), nn.HybridSequential()
        for widths in ((channels, channels, 2 * channels), (2 * channels,), (2 * channels,)):
            stage = nn.HybridSequential()
            for width in widths:
                stage.add(*TinyDetector.halve(width))
            self.stages.add(stage)
            self.heads.add(nn.Conv2D(3 * (5 + self.classes), 3, padding=1))

    def grids(self, height, width):
        if height % 32 or width % 32:
            raise ValueError(f'height, width: must be multiples of 32: {height} x {width}')
        return [(height // stride, width // stride) for stride in self.strides]

    def hybrid_forward(self, F, x):
        outputs = []
        for stage, head in zip(self.stages, self.heads):
            x = stage(x)
            outputs.insert(0, head(x))
        return tuple(outputs)
