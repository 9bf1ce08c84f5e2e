"""Non-maximum suppression within each class. Composed of operators that ONNX has, too."""
from ...ops.gather import gather_rows

__all__ = ['best_of_each_class']


def best_of_each_class(F, scores, boxes, classes, candidates, overlap, least, keep):
    """The best boxes of each image, after every class has removed what overlaps a better box of the class.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    scores : NDArray or Symbol [B, classes, candidates]
    boxes : NDArray or Symbol [B, classes, candidates, 4]
        corner format
    classes, candidates : int
    overlap : float
        a box is removed if its IoU with a better box of its class is above this
    least : float
        a box counts for every class with a score above this
    keep : int
        how many boxes of an image are kept, of all classes together; at most classes * candidates

    Returns
    -------
    NDArray or Symbol [B, keep, 6]
        class, score, xmin, ymin, xmax, ymax, best first; rows of -1 fill up.
    """
    rows = F.concat(F.expand_dims(scores, axis=3), boxes, dim=3)   # [B, classes, candidates, 5]
    # One batch element a class: no class suppresses another, on every device and in ONNX.
    rows = F.reshape(rows, (-1, candidates, 5))   # [B * classes, candidates, 5]
    rows = F.contrib.box_nms(rows, overlap, least, coord_start=1, score_index=0)
    rows = F.reshape(rows, (-1, classes * candidates, 5))   # [B, classes * candidates, 5]
    scores = F.reshape(F.slice_axis(rows, axis=2, begin=0, end=1), (0, -1))   # [B, classes * candidates]
    best = F.topk(scores, axis=1, k=keep)   # [B, keep]
    rows = gather_rows(F, rows, best)   # [B, keep, 5]
    numbers = F.expand_dims(F.floor(best / candidates), axis=2)   # [B, keep, 1]
    absent = F.slice_axis(rows, axis=2, begin=0, end=1) < 0
    return F.concat(F.where(absent, -F.ones_like(numbers), numbers), rows, dim=2)
