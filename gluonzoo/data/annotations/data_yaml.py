"""The file of YAML about a dataset, data.yaml of Ultralytics and Roboflow: the names of the classes, and the splits.

Source: the datasets of Ultralytics (docs.ultralytics.com/datasets/detect). What is wrong is an AnnotationError that
names the file and the key.
"""
import yaml

from ...reading import quoted, read_text
from .base import AnnotationError, file_errors

__all__ = ['read_yaml', 'yaml_names', 'yaml_splits']

MAX_BYTES = 1 << 20
_SPLITS = 'train', 'val', 'valid', 'validation', 'test'


def read_yaml(path):
    """What a file of YAML holds, if it is one about data: a dict that has names; else None."""
    with file_errors(path):
        text = read_text(path, MAX_BYTES)
    try:
        content = yaml.load(text, yaml.BaseLoader)   # text alone: a class may be called yes, or 7
    except RecursionError:
        raise AnnotationError(f'{path}: not YAML that can be used: nested too deeply') from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:   # the last two: letters that there are not
        raise AnnotationError(f'{path}: not YAML: {" ".join(str(error).split())}') from error
    return content if isinstance(content, dict) and 'names' in content else None


def yaml_splits(path, content):
    """split -> list of paths of folders and lists, of a file of YAML."""
    splits = {}
    for split in _SPLITS:
        values = content.get(split) or []
        values = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str) for value in values):
            raise AnnotationError(f'{path}: {split}: must be a path or a list of paths: {quoted(content[split])}')
        if values:
            splits[split] = values
    return splits


def yaml_names(path, content):
    """The names of the classes of a file of YAML: a list, or a dict with the numbers 0, 1 ... as keys."""
    names = content['names']
    if isinstance(names, dict):
        if set(names) != {str(number) for number in range(len(names))}:
            raise AnnotationError(f'{path}: names: must have the numbers from 0 to {len(names) - 1}: {quoted(names)}')
        names = [names[str(number)] for number in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise AnnotationError(f'{path}: names: must be a list of names: {quoted(names)}')
    if content.get('nc', str(len(names))) != str(len(names)):
        raise AnnotationError(f'{path}: nc: must be the number of the names, {len(names)}: {quoted(content["nc"])}')
    return [name.strip() for name in names]
