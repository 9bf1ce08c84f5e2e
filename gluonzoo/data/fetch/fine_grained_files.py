"""Writes pictures in the forms of CUB, FGVC-Aircraft, Stanford Cars and Stanford Dogs: what their datasets read.

:mod:`gluonzoo.data.fine_grained` says what the files mean. What CUB and Cars tell beside the classes is written, too:
the box of the bird, and of CUB where its crown is.
"""
import io

import numpy as np

from ...pictures.jpeg import write_jpeg

__all__ = ['WRITERS']

QUALITY = 95   # of the JPEG files


def write_cub(folder, class_names, samples):
    """Writes images/NUMBER.CLASS/*.jpg and the lists of CUB.

    Parameters
    ----------
    folder : Path
        an empty folder
    class_names : sequence of str
    samples : iterable of (split, Bird)
        'train' or 'test', and what :func:`gluonzoo.data.drawn.birds.picture` returns

    Raises OSError if a file cannot be written.
    """
    folders = [f'{number:03}.{name}' for number, name in enumerate(class_names, 1)]
    lists = {name: [] for name in ('images', 'image_class_labels', 'train_test_split', 'bounding_boxes')}
    places = []
    for number, (split, bird) in enumerate(samples, 1):
        file = f'{folders[bird.label]}/{class_names[bird.label]}_{number:05}.jpg'
        write_jpeg(folder / 'images' / file, bird.image, QUALITY)
        box = _numbers(_corner_and_size(bird.box))
        for name, value in zip(lists, (file, bird.label + 1, int(split == 'train'), box)):
            lists[name].append(f'{number} {value}')
        x, y, width, height = _corner_and_size(bird.crown)
        places.append(f'{number} 1 {_numbers((x + width / 2, y + height / 2))} 1')
    lists['classes'] = [f'{number} {name}' for number, name in enumerate(folders, 1)]
    for name, lines in lists.items():
        _write_lines(folder / f'{name}.txt', lines)
    (folder / 'parts').mkdir()
    _write_lines(folder / 'parts/parts.txt', ['1 crown'])
    _write_lines(folder / 'parts/part_locs.txt', places)


def write_aircraft(folder, class_names, samples):
    """Writes data/images/*.jpg and the lists of FGVC-Aircraft. Arguments and errors as of :func:`write_cub`."""
    data, lists = folder / 'data', {'train': [], 'test': []}
    for number, (split, bird) in enumerate(samples, 1):
        write_jpeg(data / 'images' / f'{number:07}.jpg', bird.image, QUALITY)
        lists[split].append(f'{number:07} {class_names[bird.label]}')
    _write_lines(data / 'variants.txt', class_names)
    _write_lines(data / 'images_variant_trainval.txt', lists['train'])
    _write_lines(data / 'images_variant_test.txt', lists['test'])


def write_cars(folder, class_names, samples):
    """Writes cars_train/*.jpg, cars_test/*.jpg and the lists of Cars. Arguments and errors as of :func:`write_cub`."""
    rows = {'train': [], 'test': []}
    for split, bird in samples:
        file = f'{len(rows[split]) + 1:05}.jpg'
        write_jpeg(folder / f'cars_{split}' / file, bird.image, QUALITY)
        xmin, ymin, xmax, ymax = np.round(bird.box).astype(int).tolist()
        rows[split].append((xmin + 1, ymin + 1, xmax, ymax, bird.label + 1, file))   # pixels counted from 1
    (folder / 'devkit').mkdir()
    _write_mat(folder / 'devkit/cars_meta.mat', class_names=_cells(class_names, 1))
    fields = [(name, object) for name in ('bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2', 'class', 'fname')]
    for split, name in (('train', 'devkit/cars_train_annos.mat'), ('test', 'cars_test_annos_withlabels.mat')):
        _write_mat(folder / name, annotations=np.array(rows[split], fields)[None])


def write_dogs(folder, class_names, samples):
    """Writes Images/CLASS/*.jpg and the lists of Dogs. Arguments and errors as of :func:`write_cub`."""
    lists = {'train': ([], []), 'test': ([], [])}
    for number, (split, bird) in enumerate(samples, 1):
        kind = f'n{bird.label + 1:08}'
        file = f'{kind}-{class_names[bird.label]}/{kind}_{number}.jpg'
        write_jpeg(folder / 'Images' / file, bird.image, QUALITY)
        for values, value in zip(lists[split], (file, bird.label + 1)):
            values.append(value)
    for split, (files, labels) in lists.items():
        _write_mat(folder / f'{split}_list.mat', file_list=_cells(files, 0), labels=np.array(labels, 'u1')[:, None])


WRITERS = {'cub': write_cub, 'aircraft': write_aircraft, 'cars': write_cars, 'dogs': write_dogs}


def _corner_and_size(box):
    xmin, ymin, xmax, ymax = box
    return xmin, ymin, xmax - xmin, ymax - ymin


def _numbers(values):
    return ' '.join(f'{value:.1f}' for value in values)


def _write_lines(path, lines):
    path.write_text('\n'.join(lines) + '\n')


def _cells(texts, axis):
    """MATLAB's cells of texts: one row (axis 1) or one column (0)."""
    cells = np.empty(len(texts), object)
    cells[:] = list(texts)
    return np.expand_dims(cells, 1 - axis)


def _write_mat(path, **variables):
    """Writes variables as MATLAB's version 5 does, but for the time in the header: the same values, the same file."""
    from scipy.io import savemat  # here, since it takes a third of a second

    content = io.BytesIO()
    savemat(content, variables, do_compression=True)
    path.write_bytes(b'MATLAB 5.0 MAT-file, written by gluonzoo'.ljust(116) + content.getvalue()[116:])
