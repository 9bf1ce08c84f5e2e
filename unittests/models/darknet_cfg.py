"""filters, size and stride of each [convolutional] of darknet's cfg files, in their order."""


def darknet53_cfg():
    """But for the last, which is dense in gluonzoo."""
    found = [(32, 3, 1)]
    for filters, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        found += [(filters, 3, 2)] + blocks * [(filters // 2, 1, 1), (filters, 3, 1)]
    return found


def yolov3_cfg():
    """For 80 classes."""
    found = darknet53_cfg()
    for filters in (512, 256, 128):
        if filters < 512:
            found.append((filters, 1, 1))   # before the upsampling
        found += 3 * [(filters, 1, 1), (2 * filters, 3, 1)] + [(255, 1, 1)]
    return found
