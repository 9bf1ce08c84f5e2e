"""gluonzoo predict with videos and cameras."""
import json
import shutil
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from full_disk import full_disk
from run_checks import check_error_is_one_line
from video_cases import frames_of, grey_video

from gluonzoo.commands import videos as module
from gluonzoo.commands.main import main
from gluonzoo.commands.predict import find
from gluonzoo.commands.predictions import Predictions
from gluonzoo.commands.videos import predict_videos
from gluonzoo.pictures.errors import ImageError
from gluonzoo.pictures.video import Video


class Meter:
    """A task that finds the mean grey of pictures, and draws them beside their negatives."""

    def __init__(self, fails_at=None):
        self.fails_at, self.batches, self.before = fails_at, [], lambda: None

    def predict(self, images):
        self.before()
        self.batches.append(len(images))
        if self.fails_at is not None and sum(self.batches) > self.fails_at:
            raise ValueError('the network does not take it')
        return [round(float(image.mean()) / 10) for image in images]

    def describe(self, result):
        return {'grey': result}

    def draw(self, image, result):
        return np.hstack([image, 255 - image])


def run(task, paths, out, batch_size=8, every=1, seconds=None, video='mp4'):
    """What predictions.json and predictions.jsonl say, and whether it was interrupted."""
    out.mkdir(exist_ok=True)
    found = list(find(paths, ()))
    options = SimpleNamespace(out=out, batch_size=batch_size, every=every, seconds=seconds, video=video)
    with Predictions(out, 'weights', found, f'.{video}') as predictions:
        interrupted = predict_videos(task, found, predictions, options)
    lines = [json.loads(line) for line in (out / 'predictions.jsonl').read_text().splitlines()]
    return json.loads((out / 'predictions.json').read_text()), lines, interrupted


def test_each_frame_has_a_line_and_its_place_in_the_video(tmp_path):
    path, task = grey_video(tmp_path / 'a.mp4', 20), Meter()
    said, lines, interrupted = run(task, [path], tmp_path / 'out')
    assert not interrupted and task.batches == [8, 8, 4]
    assert [line['frame'] for line in lines] == list(range(20)) and lines[5]['time'] == .2
    assert lines[3].keys() == {'file', 'frame', 'time', 'width', 'height', 'grey'} and lines[3]['file'] == str(path)
    np.testing.assert_allclose([line['grey'] for line in lines], range(20), atol=1)
    video, = said['videos']
    assert {**video, 'a_second': 0, 'waited': 0} == {
        'file': str(path), 'width': 64, 'height': 48, 'fps': 25.0, 'frames': 20, 'video': 'a.mp4',
        'complete': True, 'a_second': 0, 'waited': 0}
    rate, frames = frames_of(tmp_path / 'out' / video['video'])
    assert rate == 25 and len(frames) == 20 and frames[0].shape == (48, 128, 3)
    np.testing.assert_allclose([frame[:, :60].mean() for frame in frames], 10 * np.arange(20), atol=7)
    np.testing.assert_allclose([frame[:, 68:].mean() for frame in frames], 255 - 10 * np.arange(20), atol=7)


def test_of_large_frames_a_batch_has_fewer(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'BATCH_PIXELS', 3 * 64 * 48)
    task = Meter()
    run(task, [grey_video(tmp_path / 'a.mp4', 7), grey_video(tmp_path / 'b.mp4', 2, 640, 480)], tmp_path / 'out')
    assert task.batches == [3, 3, 1, 1, 1]


def test_every_second_frame_keeps_the_pace(tmp_path):
    said, lines, _ = run(Meter(), [grey_video(tmp_path / 'a.mp4', 20)], tmp_path / 'out', every=2, seconds=.6)
    assert [line['frame'] for line in lines] == [0, 2, 4, 6, 8, 10, 12, 14]
    rate, frames = frames_of(tmp_path / 'out' / 'a.mp4')
    assert (rate, len(frames)) == (12.5, 8) and said['unreadable'] == []


def test_more_seconds_than_there_are(tmp_path):
    said, lines, _ = run(Meter(), [grey_video(tmp_path / 'a.mp4', 5)], tmp_path / 'out', seconds=1e308)
    assert len(lines) == 5 and said['videos'][0]['complete']


def test_what_is_not_read_to_its_end_has_all_before(tmp_path):
    content = grey_video(tmp_path / 'whole.avi', 50).read_bytes()
    (tmp_path / 'cut.avi').write_bytes(content[:len(content) // 2])
    (tmp_path / 'none.mp4').write_bytes(b'\0\0\0\x18ftypmp42')
    last = grey_video(tmp_path / 'last.mp4', 3)
    said, lines, _ = run(Meter(), [tmp_path / 'cut.avi', tmp_path / 'none.mp4', last], tmp_path / 'out')
    cut, whole = said['videos']
    assert not cut['complete'] and whole['complete']
    count = cut['frames']
    assert 10 < count < 30 and len(frames_of(tmp_path / 'out' / 'cut.mp4')[1]) == count and whole['frames'] == 3
    assert len(lines) == count + 3 and said['not_reached'] == 0
    assert said['unreadable'] == [
        f'{tmp_path}/cut.avi: is cut off or damaged: {count} frames of 50 could be read',
        f'{tmp_path}/none.mp4: a video that is cut off, damaged, or of a kind that is not read']


def test_frames_that_the_network_does_not_take(tmp_path):
    said, lines, _ = run(Meter(fails_at=8), [grey_video(tmp_path / 'a.mp4', 20)], tmp_path / 'out', batch_size=4)
    assert len(lines) == 8 == said['videos'][0]['frames'] == len(frames_of(tmp_path / 'out' / 'a.mp4')[1])
    assert not said['videos'][0]['complete']
    assert said['unpredicted'] == [f'{tmp_path}/a.mp4: the network does not take it']


def test_an_interruption_keeps_what_is_done(tmp_path):
    task = Meter()

    def interrupt():
        if len(task.batches) == 2:
            raise KeyboardInterrupt
    task.before = interrupt
    paths = [grey_video(tmp_path / name, 20) for name in ('a.mp4', 'b.mp4')]
    said, lines, interrupted = run(task, paths, tmp_path / 'out', batch_size=3)
    assert interrupted and said['not_reached'] == 1 and len(lines) == 6
    assert said['videos'][0]['frames'] == 6 == len(frames_of(tmp_path / 'out' / 'a.mp4')[1])
    assert not said['videos'][0]['complete']


def test_an_interruption_while_the_video_is_closed(tmp_path, monkeypatch):
    """Then there is none, and nothing says that there is one."""
    def interrupt(*_):
        raise KeyboardInterrupt
    task = Meter()
    task.before = lambda: task.batches and interrupt()
    monkeypatch.setattr('gluonzoo.pictures.video_file._Writer.finish', interrupt)
    said, lines, interrupted = run(task, [grey_video(tmp_path / 'a.mp4', 20)], tmp_path / 'out', batch_size=3)
    assert interrupted and len(lines) == 3 and said['videos'][0]['video'] is None
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['predictions.json', 'predictions.jsonl']


def test_an_interruption_while_a_camera_is_opened(tmp_path, monkeypatch):
    def interrupt(source):
        raise KeyboardInterrupt
    monkeypatch.setattr(module, 'open_video', interrupt)
    said, lines, interrupted = run(Meter(), ['camera:0', 'camera:1'], tmp_path / 'out')
    assert interrupted and said['not_reached'] == 2 and lines == []


def test_lines_of_a_former_prediction_are_gone(tmp_path):
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'predictions.jsonl').write_text('{}\n')
    said, lines, _ = run(Meter(), [tmp_path / 'a.mp4'], tmp_path / 'out')
    assert lines == [] and len(said['unreadable']) == 1


def test_a_full_disk_leaves_whole_lines_and_no_half_video(tmp_path, monkeypatch):
    path = grey_video(tmp_path / 'a.mp4', 60)
    monkeypatch.setattr(Meter, 'describe', lambda self, result: {'words': 900 * 'x'})
    (tmp_path / 'out').mkdir()
    with full_disk(20000):
        said, lines, _ = run(Meter(), [path], tmp_path / 'out')
    assert 10 < len(lines) < 25
    assert said['unwritten'] == [f'{path}: {tmp_path}/out/predictions.jsonl: File too large']
    assert said['videos'][0]['video'] is None
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['predictions.json', 'predictions.jsonl']


class Camera:
    """What OpenCV says of a camera that has so many frames, of the grey 10 i, at 10 a second."""

    def __init__(self, count):
        self.count, self.at = count, -1

    def isOpened(self):
        return True

    def grab(self):
        self.at += 1
        return self.at < self.count

    def retrieve(self):
        return True, np.full((48, 64, 3), 10 * (self.at % 25), 'uint8')

    def get(self, key):
        return {cv2.CAP_PROP_FPS: 10, cv2.CAP_PROP_FRAME_WIDTH: 64, cv2.CAP_PROP_FRAME_HEIGHT: 48,
                cv2.CAP_PROP_POS_MSEC: 5000 + 100 * self.at}.get(key, 0)

    def set(self, key, value):
        return True

    def release(self):
        pass


def test_a_stream_is_called_by_its_address_without_the_password():
    (source, name), = find(['rtsp://me:secret@host/wäy?channel=1'], ())
    assert source == 'rtsp://me:secret@host/wäy?channel=1' and str(name) == 'rtsp-host-w-y-channel-1'


def test_a_camera_ends_with_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'open_video', lambda source: Video(source, Camera(10 ** 9), True))
    task = Meter()
    task.before = lambda: time.sleep(.01)   # the camera does not wait for it
    said, lines, interrupted = run(task, ['camera:0'], tmp_path / 'out', seconds=3)
    video, = said['videos']
    assert video['dropped'] > 0 and not interrupted and said['unreadable'] == [] and video['file'] == 'camera:0'
    assert len(lines) == video['frames'] and len(lines) + video['dropped'] == 30
    assert [line['frame'] for line in lines] == sorted({line['frame'] for line in lines}) and lines[-1]['frame'] == 29
    rate, frames = frames_of(tmp_path / 'out' / 'camera-0.mp4')
    assert rate == 10 and len(frames) == 30   # frames that were dropped are filled by those before them


def test_a_camera_ends_with_ctrl_c_and_what_follows_is_predicted(tmp_path, monkeypatch):
    task = Meter()

    def interrupt():
        if len(task.batches) == 5:
            task.before = lambda: None
            raise KeyboardInterrupt
    task.before = interrupt
    real = module.open_video
    monkeypatch.setattr(module, 'open_video', lambda source: Video(source, Camera(10 ** 9), True)
                        if source == 'camera:0' else real(source))
    said, lines, interrupted = run(task, ['camera:0', grey_video(tmp_path / 'a.mp4', 4)], tmp_path / 'out')
    assert not interrupted and [video['frames'] for video in said['videos']] == [5, 4] and said['not_reached'] == 0


def test_a_camera_that_is_pulled_out(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'open_video', lambda source: Video(source, Camera(7), True))
    said, lines, _ = run(Meter(), ['camera:0'], tmp_path / 'out')
    assert said['unreadable'] == ['camera:0: no more frames came after 7'] and lines[-1]['frame'] == 6


def test_pictures_and_videos_of_a_folder(detector, tmp_path, capsys):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    (photos / 'deeper').mkdir(parents=True)
    cv2.imwrite(str(photos / 'a.png'), np.zeros((48, 64, 3), 'uint8'))
    grey_video(photos / 'deeper' / 'a.mp4', 5)
    shutil.copy(photos / 'deeper' / 'a.mp4', photos / 'deeper' / 'a.MOV')
    assert main(['predict', '--run', str(detector), '--images', str(photos), '--out', str(out), '--every', '2']) == 0
    said = json.loads((out / 'predictions.json').read_text())
    assert [image['picture'] for image in said['images']] == ['a.jpg']
    assert sorted(video['video'] for video in said['videos']) == ['deeper/a-2.webm', 'deeper/a.webm']
    lines = [json.loads(line) for line in (out / 'predictions.jsonl').read_text().splitlines()]
    assert len(lines) == 6 and all('detections' in line for line in lines)
    assert all(len(frames_of(out / video['video'])[1]) == 3 for video in said['videos'])
    assert '1 pictures, 2 videos, 6 frames: ' in capsys.readouterr().out


@pytest.mark.parametrize('words, said', [
    (['--images', 'camera:front'], "must be a file, a folder, like camera:0 or like rtsp://...: 'camera:front'"),
    (['--images', 'file:///a.mp4'], 'must be a file, a folder, like camera:0'),
    (['--images', 'a.mp4', '--every', '0'], 'must be 1 to 1000000'),
    (['--images', 'a.mp4', '--every', '9' * 400], 'must be 1 to 1000000'),
    (['--images', 'a.mp4', '--seconds', '0'], 'must be above 0'),
    (['--images', 'a.mp4', '--video', 'avi'], 'invalid choice')])
def test_arguments(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['predict', '--run', 'x', *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_video_has_no_views(detector, tmp_path, capsys):
    path = grey_video(tmp_path / 'a.mp4', 2)
    check_error_is_one_line(['predict', '--run', str(detector), '--images', str(path), '--views', '--out',
                             str(tmp_path / 'out')], f'gluonzoo predict: --views: is of pictures; {path} is a video',
                            capsys)
    assert not (tmp_path / 'out').exists()


def test_options_of_videos_are_not_ignored_of_pictures(detector, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((48, 64, 3), 'uint8'))
    check_error_is_one_line(['predict', '--run', str(detector), '--images', str(tmp_path / 'a.png'), '--every', '2',
                             '--out', str(tmp_path / 'out')],
                            'gluonzoo predict: --every, --seconds: are of videos; --images has none', capsys)
    assert not (tmp_path / 'out').exists()


def test_the_network_does_not_wait_for_frames(tmp_path, monkeypatch):
    """To read a frame takes 10 ms, and to predict one 20 ms."""
    camera, task = Camera(40), Meter()
    grab = camera.grab
    camera.grab = lambda: time.sleep(.01) or grab()
    task.before = lambda: time.sleep(8 * .02)
    monkeypatch.setattr(module, 'open_video', lambda source: Video(str(source), camera, False))
    said, lines, _ = run(task, [grey_video(tmp_path / 'a.mp4', 2)], tmp_path / 'out')
    assert len(lines) == 40 and said['videos'][0]['waited'] < .22   # the first 8 are waited for: 80 of 880 ms


def test_an_error_in_the_thread_that_reads_is_said(tmp_path, monkeypatch):
    camera = Camera(10 ** 9)

    def retrieve():
        if camera.at == 4:
            raise ImageError('a.mp4: too much')
        return True, np.zeros((48, 64, 3), 'uint8')
    camera.retrieve = retrieve
    monkeypatch.setattr(module, 'open_video', lambda source: Video(str(source), camera, False))
    said, lines, _ = run(Meter(), [grey_video(tmp_path / 'a.mp4', 2)], tmp_path / 'out', batch_size=1)
    assert len(lines) == 4 and said['unreadable'] == [f'{tmp_path}/a.mp4: a.mp4: too much']
