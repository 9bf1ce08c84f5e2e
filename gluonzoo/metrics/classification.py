"""How many pictures are classified rightly, and which classes are taken for which."""
import numpy as np

__all__ = ['Classified', 'ranks']

MOST = 2000   # classes of a confusion matrix


class Classified:
    """Counts over pictures that come in batches.

    Parameters
    ----------
    classes : int

    Attributes
    ----------
    confusion : int64 array [classes, classes]
        how many pictures of the class of a row have been taken for the class of a column. Pictures with a logit that
        is NaN are taken for none, and are not in it. None for more than MOST classes, whose matrix takes too much
        memory.
    """

    def __init__(self, classes):
        self.confusion = np.zeros((classes, classes), np.int64) if classes <= MOST else None
        self._pictures, self._right = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
        self._among_five = 0

    def add(self, truth, logits):
        """Takes in some pictures: class numbers [n] and logits [n, classes]."""
        found = ranks(logits, truth)
        np.add.at(self._pictures, truth, 1)
        np.add.at(self._right, truth[found < 1], 1)
        self._among_five += int((found < 5).sum())
        if self.confusion is None:
            return
        there = ~np.isnan(logits).any(axis=1)
        np.add.at(self.confusion, (truth[there], logits[there].argmax(axis=1)), 1)

    def metrics(self):
        """'top1', 'top5' and 'mean_class_top1', dict of name -> float from 0 to 1. ValueError without a picture.

        The last is the mean of the top1 of the classes that have pictures.
        """
        total = self._pictures.sum()
        if not total:
            raise ValueError('batches: there must be at least one image')
        there = self._pictures > 0
        return {'top1': float(self._right.sum() / total), 'top5': float(self._among_five / total),
                'mean_class_top1': float((self._right[there] / self._pictures[there]).mean())}


def ranks(logits, truth):
    """How many classes are before the true one, int [n]. Of equals the first is. With a NaN anywhere, all others are,
    and five at least.

    logits : float array [n, classes]
    truth : int array [n]
    """
    own = np.take_along_axis(logits, truth[:, None], axis=1)   # [n, 1]
    earlier = np.arange(logits.shape[1]) < truth[:, None]   # [n, classes]
    found = (~(logits <= own) | ((logits == own) & earlier)).sum(axis=1)
    return np.where(np.isnan(logits).any(axis=1), max(5, logits.shape[1]), found)
