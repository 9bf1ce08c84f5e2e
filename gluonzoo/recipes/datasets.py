"""What recipes must know of the data before there are settings."""
import warnings

__all__ = ['class_names_and_count']


def class_names_and_count(specification):
    """(class names, number of records) of a dataset that settings describe."""
    from ..registry import DATASETS

    with warnings.catch_warnings():   # the training makes the dataset again, and tells what is left out
        warnings.simplefilter('ignore', RuntimeWarning)
        dataset = DATASETS.make(specification, 'train_data')
    return dataset.class_names, len(dataset)
