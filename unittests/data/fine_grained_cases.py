"""Small datasets in the forms of CUB, Aircraft, Cars and Dogs, written here by hand and not by the package."""
import cv2
import numpy as np
from scipy.io import savemat

NAMES = ['ant', 'big bee', 'cat']
# Number -> (class from 1, whether it is to train with): classes with two, one and two pictures to train on.
PICTURES = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (1, 0), 5: (2, 0), 6: (3, 0), 7: (1, 1), 8: (3, 1)}


def save(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((9, 12, 3), value, 'uint8'))


def wanted(split):
    """The (label, value) of the pictures of a part, in order."""
    return [(label - 1, 10 * number) for number, (label, train) in PICTURES.items() if train == (split == 'train')]


def cub(root):
    """Its ids are not in order, and its names have blanks."""
    lines = {name: [] for name in ('images', 'image_class_labels', 'train_test_split')}
    for number, (label, train) in PICTURES.items():
        file = f'{label:03}.{NAMES[label - 1]}/{number}.png'
        save(root / 'images' / file, 10 * number)
        for name, value in zip(lines, (file, label, train)):
            lines[name].append(f'{number} {value}')
    lines['image_class_labels'].reverse()
    lines['classes'] = [f'{number} {number:03}.{name}' for number, name in enumerate(NAMES, 1)]
    for name, each in lines.items():
        (root / f'{name}.txt').write_text('\n'.join(each) + '\n')


def aircraft(root):
    lists = {1: [], 0: []}
    for number, (label, train) in PICTURES.items():
        save(root / f'data/images/{number:07}.jpg', 10 * number)
        lists[train].append(f'{number:07} {NAMES[label - 1]}')
    (root / 'data/variants.txt').write_text('\n'.join(NAMES) + '\n')
    for train, name in ((1, 'trainval'), (0, 'test')):
        (root / f'data/images_variant_{name}.txt').write_text('\n'.join(lists[train]) + '\n')


def cells(texts, shape):
    array = np.empty(len(texts), object)
    array[:] = texts
    return array.reshape(shape)


def annotations(rows, **renamed):
    """As MATLAB has them: a struct of one row, whose classes are bytes and whose names are texts."""
    fields = {'bbox_x1': 3, 'class': None, 'fname': None}
    array = np.empty((1, len(rows)), [(renamed.get(name, name), object) for name in fields])
    for place, (file, label) in enumerate(rows):
        array[0, place] = (np.uint16(3), np.uint8(label), file)
    return array


def cars(root, compress=True):
    rows = {1: [], 0: []}
    for label, train in PICTURES.values():
        rows[train].append((f'{len(rows[train]) + 1:05}.jpg', label))
    for train, split in ((1, 'train'), (0, 'test')):
        for (file, _), number in zip(rows[train], [key for key, (_, part) in PICTURES.items() if part == train]):
            save(root / f'cars_{split}' / file, 10 * number)
    (root / 'devkit').mkdir()
    savemat(root / 'devkit/cars_meta.mat', {'class_names': cells(NAMES, (1, -1))}, do_compression=compress)
    savemat(root / 'devkit/cars_train_annos.mat', {'annotations': annotations(rows[1])}, do_compression=compress)
    savemat(root / 'cars_test_annos_withlabels.mat', {'annotations': annotations(rows[0])}, do_compression=compress)


def dogs(root, compress=True):
    for train, split in ((1, 'train'), (0, 'test')):
        files, labels = [], []
        for number, (label, part) in PICTURES.items():
            if part == train:
                files.append(f'n{label}-{NAMES[label - 1]}/n{label}_{number}.jpg')
                labels.append(label)
                save(root / 'Images' / files[-1], 10 * number)
        savemat(root / f'{split}_list.mat', {'file_list': cells(files, (-1, 1)), 'labels': np.array(labels)[:, None]},
                do_compression=compress)


WRITE = {'cub': cub, 'aircraft': aircraft, 'cars': cars, 'dogs': dogs}
CLASS_NAMES = {'cub': ['001.ant', '002.big bee', '003.cat'], 'aircraft': NAMES, 'cars': NAMES,
               'dogs': ['n1-ant', 'n2-big bee', 'n3-cat']}
