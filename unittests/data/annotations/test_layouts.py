"""gluonzoo/data/annotations: the layouts that tools write, and folders within folders. All of them hold the same."""
import json
import tracemalloc

import pytest
from annotation_cases import CAT, CAT_XML, DOG, DOG_XML, change, coco, picture, plain, write, xml

from gluonzoo.data.annotations import AnnotationError, listing, read_annotations

A, B = ('a.jpg', [DOG, CAT]), ('b.jpg', [])   # the picture a has a dog and a cat, b has nothing
TEXT = '1 0.35 0.4166666667 0.5 0.5\n0 0.5 0.6666666667 1 0.6666666667\n'   # of a
NAMES = "names: ['cat', 'dog']\n"


def pictures(root, *paths):
    for path in paths:
        picture(root / path)


def boxes(annotations):
    """split -> [(name of the picture, boxes)], and checks the classes of a."""
    found = {}
    for split in annotations.splits:
        rows = plain(annotations, split)
        found[split] = [(name, [[round(edge, 3) for edge in box] for box in each]) for name, each, _, _ in rows]
        for _, each, labels, _ in rows:
            if each:
                assert [annotations.class_names[label] for label in labels] == ['dog', 'cat']
    return found


# -- YOLO ------------------------------------------------------------------------------------------------------------

def roboflow_yolo(root):
    write(root / 'data.yaml', 'train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\n' + NAMES
          + 'roboflow:\n  workspace: w\n  version: 1\n')
    write(root / 'README.roboflow.txt', 'exported')
    for split, name in (('train', 'a'), ('valid', 'b')):
        picture(root / split / 'images' / f'{name}.jpg')
        write(root / split / 'labels' / f'{name}.txt', TEXT if name == 'a' else '')


def roboflow_yolo_without_yaml(root):
    roboflow_yolo(root)
    (root / 'data.yaml').unlink()
    write(root / 'classes.txt', 'cat\r\ndog\r\n')


def roboflow_darknet(root):
    for split, name in (('train', 'a'), ('valid', 'b')):
        picture(root / split / f'{name}.jpg')
        write(root / split / f'{name}.txt', TEXT if name == 'a' else '')
        write(root / split / '_darknet.labels', 'cat\ndog\n')


def ultralytics(root):
    write(root / 'data.yaml', 'path: ../datasets/mine  # elsewhere\ntrain: images/train\nval: images/val\ntest:\n'
                              'names:\n  0: cat\n  1: dog\n')
    pictures(root, 'images/train/a.jpg', 'images/val/b.jpg')   # b has no text file: nothing is in it
    write(root / 'labels' / 'train' / 'a.txt', TEXT)
    (root / 'labels' / 'val').mkdir()


def ultralytics_own_names(root):
    """Folders that only the YAML names, one split as a list of two."""
    write(root / 'mine.yaml', 'path: .\ntrain: [images/one, images/two]\nval: images/three\n' + NAMES)
    pictures(root, 'images/one/a.jpg', 'images/three/b.jpg')
    (root / 'images' / 'two').mkdir()
    write(root / 'labels' / 'one' / 'a.txt', TEXT)


def ultralytics_lists(root):
    write(root / 'data.yaml', 'train: train.txt\nval: val.txt\n' + NAMES)
    pictures(root, 'images/a.jpg', 'images/b.jpg')
    write(root / 'labels' / 'a.txt', TEXT)
    write(root / 'train.txt', './images/a.jpg\n')
    write(root / 'val.txt', '/content/mine/images/b.jpg\r\n\r\n')


def cvat_yolo(root):
    write(root / 'obj.names', 'cat\ndog\n')
    write(root / 'obj.data', 'classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n')
    for split, name in (('train', 'a'), ('valid', 'b')):
        picture(root / f'obj_{split}_data' / f'{name}.jpg')
        write(root / f'obj_{split}_data' / f'{name}.txt', TEXT if name == 'a' else '')
        write(root / f'{split}.txt', f'data/obj_{split}_data/{name}.jpg\n')


def alexeyab_darknet(root):
    """The folder `data` of darknet, which has the names of COCO as well."""
    write(root / 'obj.data', '# mine\nclasses= 2\ntrain  = data/train.txt\nvalid  = data/test.txt\n'
                             'names = data/obj.names\nbackup = backup/\n;eval=coco\n')
    write(root / 'obj.names', 'cat\ndog\n\n')
    write(root / 'coco.names', 'person\nbicycle\n')
    pictures(root, 'obj/a.jpg', 'obj/b.jpg')
    write(root / 'obj' / 'a.txt', TEXT)
    write(root / 'obj' / 'b.txt', '')
    write(root / 'train.txt', 'data/obj/a.jpg\n')
    write(root / 'test.txt', 'data/obj/b.jpg\n')


def darknet_voc(root):
    """What darknet's voc_label.py makes of VOC: text files in `labels`, and lists of any names with whole paths."""
    write(root / 'voc.data', 'classes= 2\ntrain  = /home/me/voc/train.txt\nvalid  = /home/me/voc/2007_test.txt\n'
                             'names = data/voc.list\nbackup = backup\n')
    write(root / 'voc.list', 'cat\ndog\n')
    for list_, year, name in (('train', 2012, 'a'), ('2007_test', 2007, 'b')):
        picture(root / 'VOCdevkit' / f'VOC{year}' / 'JPEGImages' / f'{name}.jpg')
        write(root / 'VOCdevkit' / f'VOC{year}' / 'labels' / f'{name}.txt', TEXT if name == 'a' else '')
        write(root / f'{list_}.txt', f'/home/me/voc/VOCdevkit/VOC{year}/JPEGImages/{name}.jpg\n')


def alexeyab_working_folder(root):
    """The folder that darknet runs in, whose paths are from there, with the files of other data that darknet has."""
    alexeyab_darknet(root / 'data')
    write(root / 'cfg' / 'coco.data', 'classes= 80\ntrain  = /home/pjreddie/data/coco/trainvalno5k.txt\n'
                                      'valid  = coco_testdev\nnames = data/coco.names\n')
    pictures(root, 'data/dog.jpg', 'data/labels/33_0.png')


def pjreddie_working_folder(root):
    darknet_voc(root)
    (root / 'cfg').mkdir()
    (root / 'voc.data').rename(root / 'cfg' / 'voc.data')
    (root / 'data').mkdir()
    (root / 'voc.list').rename(root / 'data' / 'voc.names')
    change(root / 'cfg' / 'voc.data', 'voc.list', 'voc.names')
    write(root / 'cfg' / 'coco.data', 'train = /home/pjreddie/trainvalno5k.txt\nnames = data/coco.names\n')
    write(root / 'data' / 'coco.names', 'person\nbicycle\n')
    write(root / 'data' / '9k.labels', 'n00002137\nn00002452\n')


def darknet_further_below(root):
    """Paths from the folder that holds obj.data, or from one between."""
    alexeyab_darknet(root / 'build' / 'x64' / 'data')
    write(root / 'build' / 'x64' / 'data' / 'obj.data', 'train=train.txt\nvalid=data/test.txt\nnames=obj.names\n')
    write(root / 'build' / 'x64' / 'data' / 'test.txt', 'obj/b.jpg\n')


def darknet_all_in_one_folder(root):
    write(root / 'my.data', 'names=my.names\ntrain=first.txt\nvalid=second.txt')
    write(root / 'my.names', 'cat\ndog\n')
    pictures(root, 'a.jpg', 'b.jpg')
    write(root / 'a.txt', TEXT)
    write(root / 'b.txt', '')
    write(root / 'first.txt', 'a.jpg\n')
    write(root / 'second.txt', 'b.jpg\n')


def folders_within_splits(root):
    write(root / 'classes.txt', 'cat\ndog\n')
    pictures(root, 'train/more/deep/a.jpg', 'val/other/b.jpg')
    write(root / 'train' / 'more' / 'deep' / 'a.txt', '\ufeff' + TEXT.replace('\n', '  \r\n\r\n'))
    write(root / 'val' / 'other' / 'b.txt', '\n \n')


def polygons(root):
    """Of segmentation: the corners of the boxes and a point within."""
    folders_within_splits(root)
    write(root / 'train' / 'more' / 'deep' / 'a.txt',
          '1 0.1 0.1666666667 0.6 0.1666666667 0.6 0.6666666667 0.1 0.6666666667 0.3 0.3\n'
          '0 0 0.3333333333 1 0.5 0.5 1\n')


def train_and_test(root):
    folders_within_splits(root)
    (root / 'val').rename(root / 'test')


YOLO = [roboflow_yolo, roboflow_yolo_without_yaml, roboflow_darknet, ultralytics, ultralytics_own_names,
        ultralytics_lists, cvat_yolo, alexeyab_darknet, alexeyab_working_folder, darknet_voc,
        pjreddie_working_folder, darknet_further_below, darknet_all_in_one_folder, folders_within_splits, polygons,
        train_and_test]


# -- COCO ------------------------------------------------------------------------------------------------------------

def split_coco(name):
    return json.dumps(coco([name], annotations=coco()['annotations'][:2] if name[0] == 'a' else []))


def roboflow_coco(root):
    """With a category for the whole dataset, which is named as one of the classes."""
    for split, name in (('train', 'a.jpg'), ('valid', 'b.jpg')):
        picture(root / split / name)
        data = json.loads(split_coco(name))
        data['categories'] = [{'id': 0, 'name': 'dog', 'supercategory': 'none'}] + [
            {**category, 'supercategory': 'dog'} for category in data['categories']]
        write(root / split / '_annotations.coco.json', json.dumps(data))


def coco_beside_pictures(root):
    roboflow_coco(root)
    for split in ('train', 'valid'):
        (root / split / '_annotations.coco.json').rename(root / split / 'any.json')


def cvat_coco(root):
    for split, name in (('Train', 'a.jpg'), ('Validation', 'b.jpg')):
        picture(root / 'images' / split / name)
        write(root / 'annotations' / f'instances_{split}.json', split_coco(name))


def coco_in_folders(root):
    for split, name in (('train', 'deep/er/a.jpg'), ('test', 'deep\\b.jpg')):   # written by Linux, and by Windows
        picture(root / 'images' / name.replace('\\', '/'))
        data = json.loads(split_coco(name[-5:]))
        data['images'][0]['file_name'] = name
        write(root / f'{split}.json', '\ufeff' + json.dumps(data))


COCO = [roboflow_coco, coco_beside_pictures, cvat_coco, coco_in_folders]


# -- CSV -------------------------------------------------------------------------------------------------------------

HEADER = 'filename,width,height,class,xmin,ymin,xmax,ymax\n'
ROWS = '{0},40,30,dog,4,5,24,20\n{0},40,30,cat,0,10,40,30\n'


def roboflow_csv(root):
    for split, rows in (('train', ROWS.format('a.jpg')), ('valid', 'b.jpg,,,,,,,\n')):
        picture(root / split / rows[:5])
        write(root / split / '_annotations.csv', HEADER + rows)


def tables(root):
    """With a byte-order mark, blank lines, a line of commas, and folders as Windows writes them."""
    pictures(root, 'deep/er/a.jpg', 'deep/b.jpg')
    write(root / 'train.csv', '\ufeff\r\n' + HEADER.upper().replace('\n', '\r\n \r\n')
          + ROWS.format('deep/er/a.jpg').replace('\n', '\r\n') + ',,,,,,,\r\n \r\n')
    write(root / 'valid.csv', HEADER + 'deep\\b.jpg,,,,,,,\n')


CSV = [roboflow_csv, tables]


# -- VOC -------------------------------------------------------------------------------------------------------------

def objects(name):
    return [DOG_XML, CAT_XML] if name == 'a' else []


def roboflow_voc(root):
    for split, name in (('train', 'a'), ('valid', 'b')):
        picture(root / split / f'{name}.jpg')
        write(root / split / f'{name}.xml', xml(f'{name}.jpg', *objects(name)))


def nested_voc(root):
    """Pictures in folders as their documents; the document names the picture alone, or with its folder."""
    for name, folder, said in (('a', 'train', 'a.jpg'), ('b', 'val', 'val/x/b.jpg')):
        picture(root / 'JPEGImages' / folder / 'x' / f'{name}.jpg')
        write(root / 'Annotations' / folder / 'x' / f'{name}.xml', xml(said, *objects(name)))


def kaggle_voc_with_lists(root):
    for name in 'ab':
        picture(root / 'images' / f'{name}.jpg')
        write(root / 'annotations' / f'{name}.xml', '\ufeff\n' + xml(f'C:\\Users\\me\\{name}.jpg', *objects(name)))
    write(root / 'ImageSets' / 'Main' / 'trainval.txt', '\ufeffa.jpg\r\n\r\n')
    write(root / 'ImageSets' / 'Main' / 'test.txt', 'b  \n')


VOC = [roboflow_voc, nested_voc, kaggle_voc_with_lists]

LAYOUTS = [(form, make) for form, makes in (('yolo', YOLO), ('coco', COCO), ('csv', CSV), ('voc', VOC))
           for make in makes]


@pytest.mark.parametrize('form, make', LAYOUTS, ids=[make.__name__ for _, make in LAYOUTS])
def test_every_layout_holds_the_same(tmp_path, form, make):
    make(tmp_path)
    annotations = read_annotations(form, tmp_path)
    assert set(annotations.class_names) == {'cat', 'dog'} and annotations.skipped == []
    assert boxes(annotations) == {'train': [A], 'val': [B]}


def test_what_the_layouts_count(tmp_path):
    for make, counts in ((ultralytics, {'pictures without a text file, taken to be without objects': 1}),
                         (roboflow_yolo, {'files not read, *.txt': 1}), (cvat_yolo, {}),
                         (alexeyab_darknet, {'files not read, *.names': 1}), (darknet_voc, {}),
                         (alexeyab_working_folder, {
                             'files not read, data/*.names': 1, 'files not read, cfg/*.data': 1,
                             'files not read, data/*.jpg': 1, 'files not read, data/*.png': 1}),
                         (pjreddie_working_folder, {
                             'files not read, data/*.names': 1, 'files not read, data/*.labels': 1,
                             'files not read, cfg/*.data': 1}),
                         (darknet_all_in_one_folder, {}), (polygons, {'polygons taken as boxes': 2}),
                         (roboflow_coco, {'categories left out that only gather others': 1})):
        root = tmp_path / make.__name__
        make(root)
        assert read_annotations('coco' if make == roboflow_coco else 'yolo', root).counts == counts


@pytest.mark.parametrize('form, make', [('voc', roboflow_voc), ('csv', roboflow_csv), ('coco', roboflow_coco),
                                        ('yolo', roboflow_yolo), ('yolo', cvat_yolo)])
def test_splits_by_their_names(tmp_path, form, make):
    """Named by the user, whatever else is there; one alone is all."""
    make(tmp_path)
    assert boxes(read_annotations(form, tmp_path, splits=['train'])) == {'all': [A]}
    assert boxes(read_annotations(form, tmp_path, splits=['valid', 'train'])) == {'train': [B], 'val': [A]}
    with pytest.raises(AnnotationError, match='no split trial; there are: .*train'):
        read_annotations(form, tmp_path, splits=['train', 'trial'])


@pytest.mark.parametrize('splits', [['Train', 'Validation'], ['train', 'validation'], ['train', 'valid']])
def test_splits_of_coco_by_more_or_less_of_their_names(tmp_path, splits):
    cvat_coco(tmp_path)
    assert boxes(read_annotations('coco', tmp_path, splits=splits)) == {'train': [A], 'val': [B]}


def test_two_folders_of_one_name(tmp_path):
    roboflow_voc(tmp_path)
    (tmp_path / 'Train').mkdir()
    (tmp_path / 'train' / 'a.xml').rename(tmp_path / 'Train' / 'a.xml')
    roboflow_voc(tmp_path)
    with pytest.raises(AnnotationError, match='(Train|train) and .*(Train|train) have one name'):
        read_annotations('voc', tmp_path)


@pytest.mark.parametrize('splits', ['train', ['a', 'a'], ['a', 'b', 'c']])
def test_splits_that_are_no_names(tmp_path, splits):
    with pytest.raises(ValueError, match='splits: must be one name, or two different ones'):
        read_annotations('voc', tmp_path, splits=splits)


@pytest.mark.parametrize('form, make, suffix', [('voc', roboflow_voc, 'xml'), ('coco', roboflow_coco, 'json'),
                                                ('csv', roboflow_csv, 'csv')])
def test_a_third_split_is_counted(tmp_path, form, make, suffix):
    make(tmp_path)
    (tmp_path / 'train').rename(tmp_path / 'test')
    make(tmp_path)
    annotations = read_annotations(form, tmp_path)
    assert boxes(annotations) == {'train': [A], 'val': [B]}
    assert annotations.counts['files not read, test/*.jpg'] == 1
    assert annotations.counts[f'files not read, test/*.{suffix}'] == 1


@pytest.mark.parametrize('name, other', [('train', 'val'), ('val', 'train'), ('valid', 'train'), ('test', 'train'),
                                         ('trainval', 'test')])
def test_a_split_alone_says_what_is_missing(tmp_path, name, other):
    picture(tmp_path / 'a.jpg')
    write(tmp_path / f'{name}.csv', HEADER + ROWS.format('a.jpg'))
    with pytest.raises(AnnotationError, match=f'{name}.csv is there, .*/{other}.csv is not; .* --splits {name}'):
        read_annotations('csv', tmp_path)
    assert boxes(read_annotations('csv', tmp_path, splits=[name])) == {'all': [A]}


def test_cvat_with_one_subset(tmp_path):
    """Its list is called train, and there is no other."""
    cvat_yolo(tmp_path)
    (tmp_path / 'valid.txt').unlink()
    write(tmp_path / 'obj.data', 'classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n')
    write(tmp_path / 'train.txt', 'data/obj_train_data/a.jpg\ndata/obj_valid_data/b.jpg\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'all': [A, B]}


def test_a_text_that_is_called_as_a_split(tmp_path):
    """Folders are splits, whatever is in a text called test.txt."""
    folders_within_splits(tmp_path)
    write(tmp_path / 'test.txt', 'train/more/deep/a.jpg\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


def test_a_list_that_names_nothing(tmp_path):
    cvat_yolo(tmp_path)
    write(tmp_path / 'valid.txt', f'b.jpg\n\n../../nowhere/{"c" * 1000}.jpg\n\0.jpg\ndata/obj_valid_data/b.jpg')
    annotations = read_annotations('yolo', tmp_path, skip_broken=True)
    assert boxes(annotations) == {'train': [A], 'val': [B]}
    for number, line in zip((1, 3, 4), annotations.skipped):
        assert line.startswith(f'{tmp_path}/valid.txt:{number}: no picture ')
    assert len(annotations.skipped) == 3 and max(map(len, annotations.skipped)) < 400


@pytest.mark.parametrize('before', ['/m' * 300_000, '/' * 600_000, 'm' * 600_000 + '/', '\\..' * 200_000 + '\\'])
def test_a_path_of_any_length_is_found_by_its_end_at_once(tmp_path, before):
    cvat_yolo(tmp_path)
    write(tmp_path / 'valid.txt', f'{before}/data/obj_valid_data/b.jpg\n')
    write(tmp_path / 'obj.data', f'train = {before}/train.txt\nvalid = valid.txt\nnames = obj.names\n')
    tracemalloc.start()
    try:
        assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('line', ['//', '///etc/passwd', '//etc/passwd', '\\\\etc\\passwd', '../../outside.jpg', '/',
                                  '..', 'C:\\outside.jpg'])
def test_nothing_leads_out_of_the_directory(tmp_path, line):
    """By a list, or by YAML."""
    root = tmp_path / 'data'
    cvat_yolo(root)
    picture(tmp_path / 'outside.jpg')
    write(root / 'valid.txt', line)
    with pytest.raises(AnnotationError, match='valid.txt:1: no picture '):
        read_annotations('yolo', root)
    write(root / 'obj.data', f'names = obj.names\ntrain = {line}\n')
    with pytest.raises(AnnotationError, match='obj.data: train: no file '):
        read_annotations('yolo', root)
    for path in (root / 'valid.txt', root / 'train.txt', root / 'obj.names', root / 'obj.data'):
        path.unlink()
    write(root / 'data.yaml', f"{NAMES}path: '{line}'\ntrain: '{line}'\nval: '{line}'\n")
    with pytest.raises(AnnotationError, match='data.yaml: names splits, and there is no '):
        read_annotations('yolo', root)


@pytest.mark.parametrize('text, message', [
    ('names: [cat, dog', 'data.yaml: not YAML: '), ('[' * 5000, 'data.yaml: not YAML'),
    ('names: {0: cat, 2: dog}', 'names: must have the numbers from 0 to 1'), ('names: cat', 'names: must be a list'),
    ('names: [cat, [dog]]', 'names: must be a list of names'), ('names: []', 'names: must be a list'),
    ('names: &a [*a]', 'not YAML: found unconstructable recursive node'),
    ('names: [cat]\nnc: 2', "nc: must be .* 1: '2'"),
    ('names: [cat, cat]', 'must name each class once'), ('names: [cat, "a\\tb"]', 'class 2: the name of a class'),
    ('names: [cat, dog]\nkpt_shape: [2]', 'kpt_shape: must be two'),
    ('names: ["\\UFFFFFFFF"]', 'not YAML'),
    ('names: !!python/object/apply:os.getcwd []', 'names: must be a list of names'),
    ('names: [cat, dog]\ntrain: {a: b}', "train: must be a path or a list of paths: {'a': 'b'}"),
    ('names: [cat, dog]\ntrain: pictures\nval: [[pictures]]', "val: must be a path or a list of paths: "),
    ('names: [cat, dog]\ntrain: here\nval: there', "names splits, and there is no 'here'"),
    ('names: [cat, dog]\ntrain: pictures\nval: pictures', 'train and val are the same')])
def test_yaml_that_is_wrong(tmp_path, text, message):
    write(tmp_path / 'data.yaml', text)
    picture(tmp_path / 'pictures' / 'a.jpg')
    write(tmp_path / 'pictures' / 'a.txt', TEXT)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_annotations('yolo', tmp_path)
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize('text, message', [
    ('classes=3\nnames=obj.names\n', "obj.data: classes: must be the number of the names, 2: '3'"),
    ('classes=two\nnames=obj.names\n', "obj.data: classes: must be the number of the names, 2: 'two'"),
    ('names=obj.names\ntrain=x.txt', "obj.data: train: no file 'x.txt' in "),
    ('names=obj.names\ntrain=train.txt\nvalid=data/x.txt',
     "obj.data: valid: no file 'data/x.txt' in .*; to part train at random: --splits train"),
    ('names=obj.names\ntrain=train.txt\nvalid=data/train.txt',
     'obj.data: train and val are the same; .*--splits train'),
    ('names=obj.names\n\ntrain\n', "obj.data:3: must be a key and a value, key = value: 'train'"),
    ('names=obj.names\ntrain =\n', "obj.data:2: must be a key and a value, key = value: 'train ='"),
    ('train=train.txt\nnames=obj.names\ntrain=b.txt\n', "obj.data:3: train is there twice: 'train=b.txt'"),
    ('names=train.txt\n', "a.txt:1: unknown class 1; known: 0 to 0")])
def test_data_files_of_darknet_that_are_wrong(tmp_path, text, message):
    cvat_yolo(tmp_path)
    write(tmp_path / 'obj.data', text)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_annotations('yolo', tmp_path)
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize('other', ['obj.names', 'classes.txt', 'data.yaml'])
@pytest.mark.parametrize('named', ['elsewhere/my.names', 'obj_train_data', '/'])
def test_a_file_of_names_that_is_not_there(tmp_path, other, named):
    """No other one takes its place."""
    cvat_yolo(tmp_path)
    write(tmp_path / 'obj.data', f'train=train.txt\nvalid=valid.txt\nnames={named}')
    (tmp_path / 'obj.names').unlink()
    write(tmp_path / other, NAMES if other == 'data.yaml' else 'cat\ndog\n')
    with pytest.raises(AnnotationError, match=f"obj.data: names: no file '{named}' in "):
        read_annotations('yolo', tmp_path)


def test_a_file_of_names_of_any_name(tmp_path):
    """Files that begin with a dot, too, which are not listed."""
    cvat_yolo(tmp_path)
    write(tmp_path / 'obj.data', 'train=train.txt\nvalid=valid.txt\nnames=.mine')
    (tmp_path / 'obj.names').rename(tmp_path / '.mine')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


def test_two_data_files_of_darknet(tmp_path):
    cvat_yolo(tmp_path)
    write(tmp_path / 'same.data', (tmp_path / 'obj.data').read_text() + '\n# the same\neval = coco\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}
    write(tmp_path / 'other.data', 'names = obj.names\ntrain = valid.txt\n')
    with pytest.raises(AnnotationError, match="other.data: train: must be as in .*/obj.data, "
                       "'data/train.txt': 'valid.txt'; or remove one of the two files"):
        read_annotations('yolo', tmp_path)


@pytest.mark.parametrize('text, message', [
    ('classes=3\nnames=obj.names\ntrain=train.txt\n',
     "data/obj.data: classes: must be the number of the names, 2: '3'"),
    ('names=obj.names\ntrain=data/train.txt\nvalid=data/x.txt',
     "data/obj.data: valid: no file 'data/x.txt' in .*; to part train at random: --splits train"),
    ('names=my.names\ntrain=data/train.txt', "data/obj.data: names: no file 'my.names' in "),
    ('names=data/obj.names\ntrain=a.txt\nvalid=b.txt', "data/obj.data: train: no file 'a.txt' in "),
    ('names=my.names', "data/obj.data: names: no file 'my.names' in ")])
def test_data_files_of_darknet_further_below_that_are_wrong(tmp_path, text, message):
    alexeyab_darknet(tmp_path / 'data')
    (tmp_path / 'data' / 'coco.names').unlink()
    write(tmp_path / 'data' / 'obj.data', text)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_annotations('yolo', tmp_path)
    assert '\n' not in str(caught.value)


def test_two_data_files_of_darknet_further_below(tmp_path):
    """Those alone count of which a list is there; they must say the same, in whatever words."""
    alexeyab_working_folder(tmp_path)
    write(tmp_path / 'cfg' / 'same.data', 'train=/home/me/data/train.txt\nvalid=data/test.txt\nnames=data/obj.names\n'
                                          'classes=2\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}
    write(tmp_path / 'cfg' / 'same.data', 'train=data/train.txt\nnames=data/coco.names\nclasses=2')
    with pytest.raises(AnnotationError, match="data/obj.data: valid: must be as in .*cfg/same.data, none: "
                                              "'data/test.txt'; or remove one of the two files"):
        read_annotations('yolo', tmp_path)


def test_the_data_file_of_the_folder_goes_before_those_below(tmp_path):
    cvat_yolo(tmp_path)
    write(tmp_path / 'cfg' / 'voc.data', 'train = valid.txt\nvalid = train.txt\nnames = none.names\n')
    annotations = read_annotations('yolo', tmp_path)
    assert boxes(annotations) == {'train': [A], 'val': [B]} and annotations.counts == {'files not read, cfg/*.data': 1}


def test_a_data_file_of_other_data_does_not_choose_the_names(tmp_path):
    """With splits that the user names, or YAML does."""
    cvat_yolo(tmp_path)
    write(tmp_path / 'cfg' / 'coco.data', 'train=trainvalno5k.txt\nnames=coco.names\n')
    write(tmp_path / 'coco.names', 'person\nbicycle\n')
    (tmp_path / 'obj.data').unlink()
    write(tmp_path / 'cfg' / 'voc.data', 'train=2007_train.txt\nnames=voc.names\n')
    with pytest.raises(AnnotationError, match="coco.data: train: no file 'trainvalno5k.txt' in .*; nor is any list of "
                                              ".*/voc.data$"):
        read_annotations('yolo', tmp_path)
    with pytest.raises(AnnotationError, match='obj.names: its classes must be those read before'):
        read_annotations('yolo', tmp_path, splits=['train', 'valid'])
    (tmp_path / 'coco.names').unlink()
    assert boxes(read_annotations('yolo', tmp_path, splits=['train', 'valid'])) == {'train': [A], 'val': [B]}
    write(tmp_path / 'data.yaml', NAMES + 'train: train.txt\nval: valid.txt\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


@pytest.mark.parametrize('lists', [('train', 'test'), ('train',)])
def test_lists_further_below_are_not_passed_over(tmp_path, lists):
    """Else their pictures, and all others, would be parted at random."""
    alexeyab_darknet(tmp_path / 'data')
    for path in (tmp_path / 'data').glob('*.*'):
        if path.stem not in lists and path.name != 'obj.names':
            path.unlink()
    with pytest.raises(AnnotationError, match=r'data/(test|train).txt: is read in the folder of the data alone: '
                                              r'--data .*/data, or put the file into '):
        read_annotations('yolo', tmp_path)
    if len(lists) == 2:
        assert boxes(read_annotations('yolo', tmp_path / 'data')) == {'train': [A], 'val': [B]}


def test_yaml_further_below_is_not_passed_over(tmp_path):
    """If it names splits that are there."""
    ultralytics_own_names(tmp_path / 'mine')
    write(tmp_path / 'classes.txt', 'cat\ndog\n')
    write(tmp_path / 'other' / 'broken.yaml', '[')
    write(tmp_path / 'other' / 'elsewhere.yaml', NAMES + 'train: nowhere\n')
    write(tmp_path / 'other' / 'none.yaml', NAMES)
    with pytest.raises(AnnotationError, match='mine/mine.yaml: is read in the folder of the data alone: --data .*'
                                              '/mine, or put the file into '):
        read_annotations('yolo', tmp_path)
    (tmp_path / 'mine' / 'mine.yaml').unlink()
    assert boxes(read_annotations('yolo', tmp_path)) == {'all': [A, B]}


def test_texts_further_below_that_are_no_lists(tmp_path):
    """The text of a picture, names of pictures without their suffix as VOC has them, and what is no text."""
    write(tmp_path / 'classes.txt', 'cat\ndog\n')
    picture(tmp_path / 'all' / 'train.jpg')
    write(tmp_path / 'all' / 'train.txt', TEXT)
    write(tmp_path / 'ImageSets' / 'Main' / 'train.txt', 'train\n')
    write(tmp_path / 'ImageSets' / 'Main' / 'val.txt', '')
    (tmp_path / 'ImageSets' / 'Main' / 'test.txt').write_bytes(b'\xff')
    assert boxes(read_annotations('yolo', tmp_path)) == {'all': [('train.jpg', [DOG, CAT])]}


@pytest.mark.parametrize('content', [b'5.1,3.5,1.4,0.2,setosa\n', b'\xff\x00\x80', b'train\nvalid\n', b'',
                                     b'train=x\n' + bytes(1 << 20), b'learning_rate = 3\nlearning_rate = 4\n'])
def test_files_called_data_that_are_not_of_darknet(tmp_path, content):
    cvat_yolo(tmp_path)
    (tmp_path / 'obj.data').write_bytes(content)
    annotations = read_annotations('yolo', tmp_path)
    assert boxes(annotations) == {'train': [A], 'val': [B]}
    assert annotations.counts == {'files not read, *.data': 1}


def test_lists_of_other_names(tmp_path):
    """Those that the user names, such as darknet's of COCO."""
    cvat_yolo(tmp_path)
    (tmp_path / 'obj.data').unlink()
    (tmp_path / 'train.txt').rename(tmp_path / 'trainvalno5k.txt')
    (tmp_path / 'valid.txt').rename(tmp_path / '5k.txt')
    annotations = read_annotations('yolo', tmp_path, splits=['trainvalno5k', '5k'])
    assert boxes(annotations) == {'train': [A], 'val': [B]} and annotations.counts == {}


def test_yaml_goes_before_a_data_file(tmp_path):
    ultralytics(tmp_path)
    write(tmp_path / 'obj.data', 'classes = 2\ntrain = train.txt\nvalid = none.txt')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


def test_two_files_of_yaml_with_other_splits(tmp_path):
    ultralytics_own_names(tmp_path)
    write(tmp_path / 'same.yaml', NAMES + 'train: [/home/me/images/one, images/two]\nval: images/three\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}
    write(tmp_path / 'same.yaml', NAMES + 'train: images/three\nval: images/one\n')
    with pytest.raises(AnnotationError, match=r"same.yaml: train: must be as in .*/mine.yaml, .'images/one', "
                                              r"'images/two'.: .'images/three'.; or remove one of the two files"):
        read_annotations('yolo', tmp_path)


def test_yaml_with_a_split_that_is_not_there(tmp_path):
    """Test does not take the place of what is to validate with."""
    ultralytics_own_names(tmp_path)
    change(tmp_path / 'mine.yaml', 'val: images/three', 'val: images/tree\ntest: images/three')
    with pytest.raises(AnnotationError, match="mine.yaml: val: no file or folder 'images/tree' in .*; to part train at "
                                              "random: --splits train"):
        read_annotations('yolo', tmp_path)
    change(tmp_path / 'mine.yaml', 'val: images/tree', 'val: images/three')
    change(tmp_path / 'mine.yaml', 'test: images/three', 'test: images/four')   # (Roboflow names it in any case)
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


@pytest.mark.parametrize('name, text', [('mine.yaml', NAMES + 'val: valid.txt\n'), ('my.data', 'valid=valid.txt')])
def test_validation_alone(tmp_path, name, text):
    """Is not trained on, unless the user says so; and no list of another file is what to train with."""
    cvat_yolo(tmp_path)
    write(tmp_path / 'obj.data', '')
    write(tmp_path / name, f'{text}\nnames = obj.names\n' if name == 'my.data' else text)
    with pytest.raises(AnnotationError, match=f'{name}: train: must be there, too; to part val(id)? at random: --'):
        read_annotations('yolo', tmp_path)
    assert boxes(read_annotations('yolo', tmp_path, splits=['valid'])) == {'all': [B]}


def test_test_is_to_validate_with_if_nothing_else_is(tmp_path):
    ultralytics_own_names(tmp_path)
    change(tmp_path / 'mine.yaml', 'val:', 'test:')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}
    change(tmp_path / 'mine.yaml', 'three', 'four')
    with pytest.raises(AnnotationError, match="mine.yaml: test: no file or folder 'images/four' in "):
        read_annotations('yolo', tmp_path)
    change(tmp_path / 'mine.yaml', 'test:', 'other:')
    assert boxes(read_annotations('yolo', tmp_path)) == {'all': [A]}


@pytest.mark.parametrize('key', ['val', 'valid', 'validation'])
def test_what_yaml_calls_validation(tmp_path, key):
    ultralytics_own_names(tmp_path)
    change(tmp_path / 'mine.yaml', 'val:', f'{key}:')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


@pytest.mark.parametrize('form', ['yolo', 'coco'])
def test_a_file_instead_of_a_folder(tmp_path, form):
    path = write(tmp_path / 'data.yaml', NAMES)
    with pytest.raises(AnnotationError, match='data.yaml: must be the folder of the data, not a file'):
        read_annotations(form, path)


def test_classes_that_yaml_would_take_for_others(tmp_path):
    """As text alone: yes, on, 7 and null are names."""
    write(tmp_path / 'data.yaml', 'names:\n- yes\n- on\n- 7\n- null\n- 1e3\n- 0x1F\n- 2024-01-01\n')
    picture(tmp_path / 'a.jpg')
    write(tmp_path / 'a.txt', '2 .5 .5 1 1\n0.0 .5 .5 1 1')
    annotations = read_annotations('yolo', tmp_path)
    assert annotations.class_names == ['yes', 'on', '7', 'null', '1e3', '0x1F', '2024-01-01']
    assert plain(annotations)[0][2] == [2, 0]


def test_a_blank_line_among_class_names(tmp_path):
    folders_within_splits(tmp_path)
    write(tmp_path / 'classes.txt', 'cat\n\ndog\n')
    with pytest.raises(AnnotationError, match='classes.txt:2: is blank; must have a name'):
        read_annotations('yolo', tmp_path)


def test_files_of_names_must_agree(tmp_path):
    ultralytics(tmp_path)
    write(tmp_path / 'labels' / 'classes.txt', 'dog\ncat\n')   # in the order in which a tool met them
    with pytest.raises(AnnotationError, match='labels/classes.txt: its classes must be those read before'):
        read_annotations('yolo', tmp_path)
    write(tmp_path / 'labels' / 'classes.txt', 'cat\ndog\n')
    assert boxes(read_annotations('yolo', tmp_path)) == {'train': [A], 'val': [B]}


def test_points_behind_a_box(tmp_path):
    """With kpt_shape, what follows the box is no polygon."""
    write(tmp_path / 'data.yaml', NAMES + 'kpt_shape: [2, 3]\n')
    picture(tmp_path / 'a.jpg')
    write(tmp_path / 'a.txt', '1 0.35 0.4166666667 0.5 0.5 .1 .1 2 .9 .9 2\n')
    assert plain(read_annotations('yolo', tmp_path))[0][1] == [pytest.approx(DOG, abs=1e-3)]
    write(tmp_path / 'a.txt', '1 0.35 0.4166666667 0.5 0.5 .1 .1 2 .9\n')
    with pytest.raises(AnnotationError, match='a.txt:1: must be a class and four numbers'):
        read_annotations('yolo', tmp_path)


@pytest.mark.parametrize('line', ['0 .1 .1 .5 .5 .9', '0 .1 .1', '0 .1 .1 .5 .5 .9 .9 .2', '0 .1 .1 .5 .5 x .9',
                                  '0 nan .1 .5 .5 .1 .9'])
def test_no_polygon(tmp_path, line):
    write(tmp_path / 'classes.txt', 'cat')
    picture(tmp_path / 'a.jpg')
    write(tmp_path / 'a.txt', line)
    with pytest.raises(AnnotationError, match='a.txt:1: (must be a class and four numbers|a polygon must be numbers)'):
        read_annotations('yolo', tmp_path)


@pytest.mark.parametrize('annotated', [False, True])
def test_a_group_with_objects_is_a_class(tmp_path, annotated):
    """What gathers others is left out only if no annotation of any split is of it."""
    for split in ('train', 'valid'):
        picture(tmp_path / split / 'a.jpg')
        data = coco(['a.jpg'], categories=[{'id': 3, 'name': 'dog', 'supercategory': 'animal'},
                                           {'id': 0, 'name': 'animal', 'supercategory': 'none'}])
        data['annotations'] = [{**data['annotations'][0], 'category_id': 0 if annotated and split == 'valid' else 3}]
        write(tmp_path / split / '_annotations.coco.json', json.dumps(data))
    annotations = read_annotations('coco', tmp_path)
    assert annotations.class_names == (['animal', 'dog'] if annotated else ['dog'])
    assert [plain(annotations, split)[0][2] for split in ('train', 'val')] == ([[1], [0]] if annotated else [[0], [0]])


def test_a_category_of_its_own_name_is_no_group(tmp_path):
    """COCO's person is of the supercategory person."""
    picture(tmp_path / 'a.jpg')
    data = coco(['a.jpg'], categories=[{'id': 3, 'name': 'dog', 'supercategory': 'animal'},
                                       {'id': 4, 'name': 'person', 'supercategory': 'person'}])
    write(tmp_path / 'all.json', json.dumps({**data, 'annotations': data['annotations'][:1]}))
    assert read_annotations('coco', tmp_path).class_names == ['dog', 'person']


def test_ids_of_other_types_and_no_ids(tmp_path):
    """A category 1 is there as '1' or 1.0, and annotations need no ids."""
    picture(tmp_path / 'a.jpg')
    data = coco(['a.jpg'])
    for number, annotation in enumerate(data['annotations'][:2]):
        del annotation['id']
        annotation['category_id'] = (str, float)[number](annotation['category_id'])
    data['images'][0].update(id='10', width='40', height=30.0)
    write(tmp_path / 'all.json', json.dumps(data))
    assert boxes(read_annotations('coco', tmp_path)) == {'all': [A]}
    data['annotations'][0]['category_id'] = '007'
    write(tmp_path / 'all.json', json.dumps(data))
    with pytest.raises(AnnotationError, match=r"all.json: annotation \[0\]: unknown category '007'"):
        read_annotations('coco', tmp_path)


def test_two_ids_that_are_one(tmp_path):
    picture(tmp_path / 'a.jpg')
    data = coco(['a.jpg'], categories=[{'id': 3, 'name': 'dog'}, {'id': '3', 'name': 'cat'}])
    write(tmp_path / 'all.json', json.dumps(data))
    with pytest.raises(AnnotationError, match=r'categories\[1\]: the id 3 is there twice'):
        read_annotations('coco', tmp_path)


@pytest.mark.parametrize('form, make', [('voc', roboflow_voc), ('yolo', folders_within_splits)])
def test_splits_further_below_are_not_mixed(tmp_path, form, make):
    """Of the folder above, which is named by mistake."""
    make(tmp_path / 'export')
    with pytest.raises(AnnotationError, match='has no splits, and folders further below are called train and val'):
        read_annotations(form, tmp_path)


# -- folders ---------------------------------------------------------------------------------------------------------

def test_what_nothing_is_read_from_is_counted_by_folder(tmp_path):
    """Pictures without an annotation, in folders and of other kinds; what a system hides is not."""
    roboflow_voc(tmp_path)
    pictures(tmp_path, 'train/deep/c.jpg', 'd.png', '.hidden/e.jpg', 'train/.f.jpg', '__MACOSX/train/a.jpg')
    write(tmp_path / 'train' / 'g.heic', '')
    assert read_annotations('voc', tmp_path).counts == {
        'files not read, train/*.jpg': 1, 'files not read, *.png': 1, 'files not read, train/*.heic': 1}


def test_links_to_folders(tmp_path):
    """They are followed, once: a link to a folder above ends."""
    for name in 'ab':
        picture(tmp_path / 'pictures' / 'deep' / f'{name}.jpg')
        write(tmp_path / 'documents' / 'deep' / f'{name}.xml', xml(f'{name}.jpg', *objects(name)))
    root = tmp_path / 'data'
    (root / 'JPEGImages').mkdir(parents=True)
    (root / 'JPEGImages' / 'deep').symlink_to(tmp_path / 'pictures' / 'deep')
    (root / 'Annotations').symlink_to(tmp_path / 'documents')
    (tmp_path / 'documents' / 'loop').symlink_to(tmp_path / 'documents')
    assert boxes(read_annotations('voc', root)) == {'all': [A, B]}


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    def walk(top, onerror, followlinks):
        onerror(PermissionError(13, 'Permission denied', str(tmp_path / 'train')))

    monkeypatch.setattr(listing.os, 'walk', walk)
    for form, make in (('voc', roboflow_voc), ('csv', roboflow_csv), ('coco', roboflow_coco), ('yolo', cvat_yolo)):
        make(tmp_path / form)
        with pytest.raises(AnnotationError, match='train: Permission denied'):
            read_annotations(form, tmp_path / form)
