"""What recipes must know of the data before there are settings."""
import warnings

__all__ = ['class_names_and_count', 'unlabelled', 'unpaired_and_count']


def class_names_and_count(specification):
    """(class names, number of records) of a dataset that settings describe."""
    from ..registry import DATASETS

    with warnings.catch_warnings():   # the training makes the dataset again, and tells what is left out
        warnings.simplefilter('ignore', RuntimeWarning)
        dataset = DATASETS.make(specification, 'train_data')
    return dataset.class_names, len(dataset)


def unpaired_and_count(folder):
    """The settings of the pictures of two domains in a folder, and how many records an epoch has.

    Returns
    -------
    dict of 'train' and 'val' -> dict, 'name' and keywords of a dataset without a transform
    int

    Raises
    ------
    OSError, ValueError
        if they are not there, or cannot be trained on
    """
    from ..data import UnpairedImages

    data = {split: {'name': 'unpaired_images', **UnpairedImages.in_folder(folder, split)} for split in ('train', 'val')}
    with warnings.catch_warnings():   # as above
        warnings.simplefilter('ignore', RuntimeWarning)
        return data, len(UnpairedImages(data['train']['path']))


def unlabelled(folder, split):
    """The settings of the pictures in a folder to learn to make more of, without a transform.

    Parameters
    ----------
    folder : Path
        in the form of CIFAR-10 or CIFAR-100, whose labels are not looked at, or any folder of pictures
    split : 'train' or 'val'

    Returns
    -------
    dict : 'name' and keywords of a dataset whose samples have an `image`

    Raises
    ------
    FileNotFoundError
        if the folder is not there
    """
    from ..data import CIFAR, Pictures

    try:
        return {'name': 'cifar', **CIFAR.in_folder(folder, split)}
    except FileNotFoundError:
        return {'name': 'pictures', **Pictures.in_folder(folder, split)}
