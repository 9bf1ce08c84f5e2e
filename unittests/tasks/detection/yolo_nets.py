"""What the targets and priors of YOLO read of a network, without the network."""

ANCHORS = (((116, 90), (156, 198), (373, 326)), ((30, 61), (62, 45), (59, 119)), ((10, 13), (16, 30), (33, 23)))


class Shape:
    """Three scales of three anchors each, as those of YOLOv3."""
    strides = (32, 16, 8)

    def __init__(self, anchors=ANCHORS):
        self.anchors = anchors

    def grids(self, height, width):
        return [(height // stride, width // stride) for stride in self.strides]
