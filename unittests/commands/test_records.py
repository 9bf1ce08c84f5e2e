"""gluonzoo records: from annotated pictures to records."""
import errno
import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from gluonzoo.commands import records
from gluonzoo.commands.main import main
from gluonzoo.data import DetectionRecords
from gluonzoo.data.annotations import FORMATS
from gluonzoo.data.records import RecordFile, unpack

FILES = ['classes.txt', 'train.idx', 'train.rec', 'val.idx', 'val.rec']
WIDTH, HEIGHT = 48, 32


def picture(number):
    """Smooth, so that a JPEG of it is close; another one for each number."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([3 * x + number, 4 * y + number, 255 - 3 * x], 2).clip(0, 255).astype(np.uint8)


def save(path, number, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(number)).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Ten pictures in YOLO's form; the object of picture k begins at pixel k. The first has none."""
    root = tmp_path / 'photos'
    for number in range(10):
        save(root / f'{number}.jpg', number, quality=90)
        box = (number + 10) / WIDTH, .5, 20 / WIDTH, .5
        (root / f'{number}.txt').write_text('1 %.9f %.9f %.9f %.9f\n' % box if number else '')
    (root / 'classes.txt').write_text('cat\ndog\n')
    return root


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command: (exit code, stdout, stderr)."""
    def run(form, data, *arguments):
        code = main(['records', '--from', form, '--data', str(data), '--out', str(run.out), *arguments])
        return (code, *capsys.readouterr())
    run.out = tmp_path / 'out' / 'mine'
    return run


def samples(out, split):
    dataset = DetectionRecords(out / f'{split}.rec')
    return [dataset.sample(number) for number in range(len(dataset))]


def encoded(out, split, number=0):
    records = RecordFile(out / f'{split}.rec')
    image = bytes(unpack(records.read(number))[1])
    records.close()
    return image


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder(run, folder):
    code, said, _ = run('yolo', folder)
    assert code == 0 and names(run.out) == FILES and names(run.out.parent) == ['mine']
    assert (run.out / 'classes.txt').read_text() == 'cat\ndog\n'
    train, val = samples(run.out, 'train'), samples(run.out, 'val')
    assert (len(train), len(val)) == (9, 1)
    assert 'train: 9 pictures, ' in said and 'val: 1 pictures, ' in said and '0 cat' in said
    stored = {path.read_bytes(): int(path.stem) for path in folder.glob('*.jpg')}   # as they are, encoded once
    found = [stored.pop(encoded(run.out, split, index)) for split, count in (('train', 9), ('val', 1))
             for index in range(count)]
    assert not stored and found[:9] == sorted(found[:9])
    for number, sample in zip(found, train + val):
        expected = [[number, 8, number + 20, 24]] if number else np.empty((0, 4))
        np.testing.assert_allclose(sample.boxes, expected, atol=.01)
        assert sample.labels.tolist() == ([1] if number else [])
        assert abs(sample.image.astype(int) - picture(number)).mean() < 5


def test_the_choice_of_val(run, folder, tmp_path):
    def chosen(name, *arguments):
        run.out = tmp_path / name
        assert run('yolo', folder, *arguments)[0] == 0
        return (run.out / 'val.rec').read_bytes(), len(samples(run.out, 'val'))

    first = chosen('0', '--val-fraction', '.3')
    assert first[1] == 3 and chosen('1', '--val-fraction', '.3', '--seed', '0') == first
    assert chosen('2', '--val-fraction', '.3', '--seed', '1')[0] != first[0]
    assert chosen('3', '--val-fraction', '.001')[1] == 1
    assert chosen('4', '--val-fraction', '.999')[1] == 9


XML = ('<annotation><filename>%s.jpg</filename><object><name>%s</name><difficult>%d</difficult><bndbox>'
       '<xmin>1</xmin><ymin>3</ymin><xmax>10</xmax><ymax>20</ymax></bndbox></object></annotation>')


def make_voc(root):
    for number in range(6):
        save(root / 'JPEGImages' / f'{number}.jpg', number)
        (root / 'Annotations').mkdir(exist_ok=True)
        (root / 'Annotations' / f'{number}.xml').write_text(XML % (number, 'ab'[number % 2], number == 4))
    (root / 'ImageSets' / 'Main').mkdir(parents=True)
    (root / 'ImageSets' / 'Main' / 'train.txt').write_text('3\n1\n0\n')
    (root / 'ImageSets' / 'Main' / 'val.txt').write_text('4\n2\n')


def test_voc_with_its_splits(run, tmp_path):
    make_voc(tmp_path / 'voc')
    code, said, _ = run('voc', tmp_path / 'voc')
    assert code == 0 and 'train: 3 pictures, 3 objects (1 a, 2 b)' in said
    assert 'pictures in neither train.txt nor val.txt: 1' in said
    train, val = samples(run.out, 'train'), samples(run.out, 'val')
    assert [sample.labels.tolist() for sample in train + val] == [[1], [1], [0], [0], [0]]
    assert [sample.difficult.tolist() for sample in val] == [[True], [False]]
    np.testing.assert_allclose(train[0].boxes, [[0, 2, 10, 20]], atol=1e-3)


@pytest.mark.parametrize('option', [('--val-fraction', '.2'), ('--seed', '0')])
def test_options_for_data_without_splits(run, tmp_path, option):
    make_voc(tmp_path / 'voc')
    code, _, complained = run('voc', tmp_path / 'voc', *option)
    assert code == 1 and 'has splits of its own' in complained and not run.out.exists()


def test_coco_with_its_splits(run, tmp_path):
    root = tmp_path / 'coco'
    for split in ('train2017', 'val2017'):
        save(root / split / 'x.jpg', 0)
        data = {'images': [dict(id=1, file_name='x.jpg')], 'categories': [dict(id=5, name='ball')],
                'annotations': [dict(id=k, image_id=1, category_id=5, bbox=[2, 4, 6, 8], iscrowd=k) for k in (0, 1)]}
        (root / 'annotations').mkdir(exist_ok=True)
        (root / 'annotations' / f'instances_{split}.json').write_text(json.dumps(data))
    code, said, _ = run('coco', root)
    assert code == 0 and 'crowds left out: 2' in said
    for split in ('train', 'val'):
        np.testing.assert_allclose(samples(run.out, split)[0].boxes, [[2, 4, 8, 12]], atol=1e-3)


def test_csv_and_pictures_of_other_kinds(run, tmp_path):
    """A PNG, one with 16 bits, a grey one, and a photo that was stored lying."""
    root = tmp_path / 'csv'
    save(root / 'a.png', 0)
    cv2.imwrite(str(root / 'b.png'), np.full((HEIGHT, WIDTH), 40_000, np.uint16))
    save(root / 'c.jpg', 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    save(root / 'd.jpg', 0, exif=exif)
    (root / 'train.csv').write_text('image,xmin,ymin,xmax,ymax,class\n' + ''.join(
        f'{name},0,0,10,20,thing\n' for name in ('a.png', 'b.png', 'c.jpg')))
    (root / 'val.csv').write_text('image,xmin,ymin,xmax,ymax,class\nd.jpg,0,0,10,40,thing\n')
    assert run('csv', root)[0] == 0
    colour, grey, jpeg = samples(run.out, 'train')
    assert abs(colour.image.astype(int) - picture(0)).mean() < 3
    assert abs(grey.image.astype(int) - 40_000 // 256).max() <= 1
    assert [encoded(run.out, 'train', number)[:3] for number in range(3)] == [b'\xff\xd8\xff'] * 3
    turned, = samples(run.out, 'val')
    assert turned.image.shape == (WIDTH, HEIGHT, 3)
    assert abs(turned.image.astype(int) - np.rot90(picture(0), -1)).mean() < 5
    np.testing.assert_allclose(turned.boxes, [[0, 0, 10, 40]], atol=1e-3)
    with Image.open(root / 'd.jpg') as before:
        assert before.getexif()[0x0112] == 6
    assert b'Exif' not in encoded(run.out, 'val')   # for readers that do not know of it


def test_quality(run, tmp_path):
    root = tmp_path / 'csv'
    save(root / 'a.png', 0)
    save(root / 'b.png', 1)
    (root / 'all.csv').write_text('image,xmin,ymin,xmax,ymax,class\na.png,0,0,9,9,x\nb.png,0,0,9,9,x\n')
    sizes = []
    for quality in ('10', '100'):
        run.out = tmp_path / quality
        assert run('csv', root, '--quality', quality)[0] == 0
        sizes.append(len(encoded(run.out, 'train')))
    assert sizes[0] < .6 * sizes[1]


@pytest.mark.parametrize('shorter, size', [(16, (16, 24)), (31, (31, 46)), (32, (32, 48)), (200, (32, 48))])
def test_resize_shorter(run, folder, shorter, size):
    assert run('yolo', folder, '--resize-shorter', str(shorter))[0] == 0
    for sample in samples(run.out, 'train'):
        assert sample.image.shape[:2] == size
        if len(sample.boxes):
            np.testing.assert_allclose(sample.boxes[0, 1::2], [size[0] / 4, size[0] * 3 / 4], atol=.01)
            assert sample.boxes[0, 2] - sample.boxes[0, 0] == pytest.approx(20 * size[1] / WIDTH, abs=.01)


def test_the_first_that_is_broken_is_an_error(run, folder):
    (folder / '3.txt').write_text('2 .5 .5 1 1')
    code, _, complained = run('yolo', folder)
    assert code == 1 and '3.txt:1: unknown class 2' in complained and not run.out.exists()


def test_a_picture_that_is_cut_off(run, folder):
    path = folder / '3.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    code, _, complained = run('yolo', folder)
    assert code == 1 and str(path) in complained and names(run.out.parent) == []


def test_what_is_broken_is_skipped_and_listed(run, folder):
    (folder / '3.txt').write_text('2 .5 .5 1 1\n1 .5 .5 1 1')
    (folder / '4.txt').unlink()
    (folder / '5.jpg').write_bytes((folder / '5.jpg').read_bytes()[:-200])
    code, said, _ = run('yolo', folder, '--skip-broken', '--val-fraction', '.3')
    assert code == 0 and 'left out as broken: 3\n' in said
    for line in ('3.txt:1: unknown class 2', '4.txt: No such file', '5.jpg: '):
        assert f'  {folder}/{line}' in said
    both = samples(run.out, 'train') + samples(run.out, 'val')
    assert len(both) == 8 and sum(len(sample.boxes) for sample in both) == 7
    assert sum(int(line.split(' objects')[0].split()[-1]) for line in said.splitlines()[:2]) == 7


def test_a_long_list_is_cut_short(run, folder):
    (folder / '3.txt').write_text('2 .5 .5 1 1\n' * 30)
    _, said, _ = run('yolo', folder, '--skip-broken')
    assert 'left out as broken: 30\n' in said and 'and 10 more' in said
    assert '3.txt:20: ' in said and '3.txt:21: ' not in said


def test_a_split_of_which_nothing_can_be_decoded(run, folder):
    for path in folder.glob('*.jpg'):
        path.write_bytes(path.read_bytes()[:-200])
    code, _, complained = run('yolo', folder, '--skip-broken')
    assert code == 1 and 'gluonzoo records: no picture is left\n' in complained and names(run.out.parent) == []


def test_one_picture_alone(run, tmp_path):
    save(tmp_path / 'one' / 'a.jpg', 0)
    (tmp_path / 'one' / 'a.txt').write_text('0 .5 .5 1 1')
    (tmp_path / 'one' / 'classes.txt').write_text('x')
    code, _, complained = run('yolo', tmp_path / 'one')
    assert code == 1 and 'cannot be split' in complained


def test_a_folder_that_is_there_is_not_touched(run, folder, capsys):
    run.out.mkdir(parents=True)
    (run.out / 'mine').write_text('mine')
    with pytest.raises(SystemExit) as ended:
        run('yolo', folder)
    assert ended.value.code == 2 and '--out: must be a new or an empty folder' in capsys.readouterr().err
    (run.out / 'mine').unlink()
    assert run('yolo', folder)[0] == 0   # an empty one will do


def test_two_directories_and_lists_that_are_named(run, tmp_path):
    """As DSOD trains on VOC: trainval of both years, and the test set of one."""
    for year in ('2007', '2012'):
        make_voc(tmp_path / year)
        (tmp_path / year / 'ImageSets' / 'Main' / 'trainval.txt').write_text('3\n1\n0\n')
    (tmp_path / '2007' / 'ImageSets' / 'Main' / 'test.txt').write_text('4\r\n2\r\n')
    code = main(['records', '--from', 'voc', '--data', str(tmp_path / '2007'), str(tmp_path / '2012'), '--splits',
                 'trainval', 'test', '--out', str(run.out)])
    assert code == 0 and [len(samples(run.out, split)) for split in ('train', 'val')] == [6, 2]
    assert [sample.labels.tolist() for sample in samples(run.out, 'train')] == 2 * [[1], [1], [0]]


def test_what_is_left_out_is_counted(run, folder):
    """Pictures in folders within folders are read; those without a text and other files are counted, or an error."""
    save(folder / 'more' / 'x' / 'a.png', 3)
    code, _, complained = run('yolo', folder)
    assert code == 1 and 'more/x/a.txt: No such file' in complained
    (folder / 'more' / 'x' / 'a.txt').write_text('0 .5 .5 1 1')
    (folder / 'more' / 'x' / 'b.psd').write_bytes(b'8BPS')
    code, said, _ = run('yolo', folder)
    assert code == 0 and 'files not read, more/*.psd: 1\n' in said
    assert sum(len(samples(run.out, split)) for split in ('train', 'val')) == 11


def make_csv(root, rows):
    for name in ('a.png', 'b.png'):
        save(root / name, 0)
    (root / 'all.csv').write_text('image,xmin,ymin,xmax,ymax,class\n' + rows)


@pytest.mark.parametrize('rows, message', [
    ('a.png,,,,,\nb.png,,,,,\n', 'no objects in any of the 2 pictures, such as '),
    ('a.png,.1,.2,.5,.6,x\nb.png,.1,.1,1,1,x\n',
     'all 2 boxes are smaller than a pixel; boxes must be xmin, ymin, xmax, ymax in pixels (or say that they are '
     'fractions: --unit fractions)'),
    ('a.png,20,2,10,6,x\nb.png,1,1,9,9,x\n', 'all.csv:2: the box xmin 20, ymin 2, xmax 10, ymax 6 is empty')])
def test_data_of_which_nothing_could_be_learned(run, tmp_path, rows, message):
    make_csv(tmp_path / 'csv', rows)
    code, _, complained = run('csv', tmp_path / 'csv')
    assert code == 1 and message in complained and not run.out.exists()


def test_fractions_in_a_table(run, tmp_path):
    make_csv(tmp_path / 'csv', 'a.png,.25,.5,.5,1,x\nb.png,.25,.5,.5,1,x\n')
    assert run('csv', tmp_path / 'csv', '--unit', 'fractions')[0] == 0
    np.testing.assert_allclose(samples(run.out, 'train')[0].boxes, [[12, 16, 24, 32]], atol=1e-3)


def test_objects_that_are_too_small(run, tmp_path):
    """They are left out here and counted, since training would leave them out."""
    make_csv(tmp_path / 'csv', 'a.png,4,4,4.4,9,x\na.png,0,0,9,9,x\nb.png,0,0,9,9,x\nb.png,0,0,2,9,y\n')
    code, said, _ = run('csv', tmp_path / 'csv')
    assert code == 0 and 'objects left out that are less than half a pixel wide or high: 1\n' in said
    run.out = tmp_path / 'scaled'
    code, said, _ = run('csv', tmp_path / 'csv', '--resize-shorter', '6')
    assert code == 0 and 'less than half a pixel wide or high: 2\n' in said
    datasets = [DetectionRecords(run.out / f'{split}.rec') for split in ('train', 'val')]
    assert [len(dataset.sample(0).boxes) for dataset in datasets] == [1, 1]
    assert [sum(map(int, dataset.dropped.values())) for dataset in datasets] == [0, 0]
    run.out = tmp_path / 'none'
    code, _, complained = run('csv', tmp_path / 'csv', '--resize-shorter', '1')
    assert code == 1 and 'all 4 objects are less than half a pixel wide or high, with pictures scaled' in complained
    assert not run.out.exists()


def test_a_split_without_objects(run, tmp_path):
    root = tmp_path / 'csv'
    make_csv(root, 'a.png,4,4,9,9,x\n')
    (root / 'all.csv').rename(root / 'train.csv')
    (root / 'val.csv').write_text('image,xmin,ymin,xmax,ymax,class\nb.png,,,,,\n')
    code, said, _ = run('csv', root)
    assert code == 0 and 'val: 1 pictures, 0 objects: an evaluation will have nothing to measure by\n' in said


def test_many_classes_are_in_lines_that_can_be_read(run, tmp_path):
    root = tmp_path / 'csv'
    make_csv(root, ''.join(f'{name}.png,4,4,9,9,kind of {number}\n' for name in 'ab' for number in range(500)))
    code, said, _ = run('csv', root)
    assert code == 0 and max(map(len, said.splitlines())) <= max(120, len(str(run.out)) + 60)
    assert said.count('1 kind of ') >= 1000 and '1 kind of 99\n' in said


def test_an_error_has_a_line_of_its_own(run, folder):
    """Not one with the progress bar."""
    path = folder / '3.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    code, _, complained = run('yolo', folder)
    assert code == 1 and complained.splitlines()[-1].startswith(f'gluonzoo records: {path}: ')


def test_an_output_that_cannot_be(run, folder, tmp_path):
    (tmp_path / 'file').write_text('')
    run.out = tmp_path / 'file' / 'mine'
    code, _, complained = run('yolo', folder)
    assert code == 1 and f'{tmp_path}/file' in complained and complained.count('\n') == 1
    run.out = tmp_path / ('long' * 100)
    with pytest.raises(SystemExit) as ended:
        run('yolo', folder)
    assert ended.value.code == 2


FILES_OF = {'voc': 'a.xml', 'coco': 'a.json', 'csv': 'a.csv', 'yolo': '0.txt'}


@pytest.mark.parametrize('form', FILES_OF)
def test_what_is_no_file_or_must_not_be_read(run, tmp_path, form, monkeypatch):
    """A line that names it; a pipe is not waited for."""
    root = tmp_path / form
    path = root / FILES_OF[form]
    save(root / '0.jpg', 0)
    (root / 'classes.txt').write_text('x')
    os.mkfifo(path)
    code, _, complained = run(form, root)
    assert code == 1 and complained == f'gluonzoo records: {path}: is a pipe; must be an ordinary file\n'
    path.unlink()
    path.write_text('{}')
    _refuse(monkeypatch, path)
    code, _, complained = run(form, root)
    assert code == 1 and complained == f'gluonzoo records: {path}: Permission denied\n'


def _refuse(monkeypatch, path):
    """As for a user without rights, which those who run tests may have."""
    def opened(name, *args, **options):
        if str(name) == str(path):
            raise PermissionError(errno.EACCES, 'Permission denied', str(name))
        return real(name, *args, **options)

    real = os.open
    monkeypatch.setattr(os, 'open', opened)


def test_a_file_name_that_is_no_text(run, folder):
    os.rename(folder / '3.jpg', os.fsencode(folder) + b'/\xff.jpg')
    os.rename(folder / '3.txt', os.fsencode(folder) + b'/\xff.txt')
    assert run('yolo', folder)[0] == 0
    (folder / os.fsdecode(b'\xfe.txt')).write_text('')
    run.out = run.out.with_name('other')
    code, said, _ = run('yolo', folder, '--skip-broken')
    assert code == 0 and f'  {folder}/\\udcfe.txt: no picture of this name\n' in said


@pytest.mark.parametrize('option', [('--splits', 'a', 'b', 'c'), ('--splits', 'a', 'a'), ('--unit', 'fractions'),
                                    ('--unit', 'inches')])
def test_splits_and_units_that_there_are_not(run, folder, option, capsys):
    with pytest.raises(SystemExit) as ended:
        run('yolo', folder, *option)
    assert ended.value.code == 2 and option[0] in capsys.readouterr().err


@pytest.mark.parametrize('option', [('--val-fraction', '1'), ('--val-fraction', 'nan'), ('--seed', '-1'),
                                    ('--quality', '0'), ('--resize-shorter', '0'), ('--from', 'folder')])
def test_options_out_of_range(run, folder, option, capsys):
    with pytest.raises(SystemExit) as ended:
        run('yolo', folder, *option)
    assert ended.value.code == 2 and option[0] in capsys.readouterr().err


def test_the_formats_that_stand_here_too():
    """They must be known for the help, before the readers are imported."""
    assert records.FORMATS == tuple(FORMATS)
