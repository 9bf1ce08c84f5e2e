"""gluonzoo/data/annotations/data_yaml.py: what data.yaml says; test_layouts has what follows of it."""
import pytest
from annotation_cases import write

from gluonzoo.data.annotations import AnnotationError
from gluonzoo.data.annotations.data_yaml import read_yaml, yaml_names, yaml_splits


@pytest.mark.parametrize('text, names, splits', [
    ('names: [cat, " dog"]\ntrain: a\nval: [b, c]\ntest:\n', ['cat', 'dog'], {'train': ['a'], 'val': ['b', 'c']}),
    ('names: {1: yes, 0: 7}\nnc: 2\nvalidation: d\nminival: e\ntest: []\n', ['7', 'yes'], {'validation': ['d']})])
def test_what_a_file_says(tmp_path, text, names, splits):
    path = write(tmp_path / 'data.yaml', text)
    content = read_yaml(path)
    assert (yaml_names(path, content), yaml_splits(path, content)) == (names, splits)


@pytest.mark.parametrize('text', ['', 'train: a\n', '[names]', 'names', '7'])
def test_yaml_of_something_else(tmp_path, text):
    assert read_yaml(write(tmp_path / 'data.yaml', text)) is None


def test_a_long_file_is_not_read(tmp_path):
    with pytest.raises(AnnotationError, match='data.yaml: has more than 1048576 bytes'):
        read_yaml(write(tmp_path / 'data.yaml', 'names: [a]\n' + ' ' * (1 << 20)))
