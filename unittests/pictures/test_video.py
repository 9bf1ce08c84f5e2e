"""Frames of videos: their numbers, times and orientation, and files that are no video."""
import os
import shutil
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from file_server import serve
from video_cases import grey_video, turned, write_frames

from gluonzoo.pictures import video as module
from gluonzoo.pictures.errors import ImageError
from gluonzoo.pictures.video import Video, is_live, is_video, open_video, shown_source


def read(path, **options):
    with open_video(path) as video:
        return video, list(video.frames(**options))


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_all_frames_with_their_times(tmp_path, suffix):
    video, frames = read(grey_video(tmp_path / f'a{suffix}', 20, fps=10.0))
    assert (video.size, video.fps, video.count, video.live) == ((64, 48), 10, 20, False)
    assert [frame.number for frame in frames] == list(range(20)) and video.ended and not video.ends_early()
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 10, atol=2e-3)
    greys = [frame.image.mean() for frame in frames]
    np.testing.assert_allclose(greys, 10 * np.arange(20), atol=5)
    assert all(frame.image.shape == (48, 64, 3) and frame.image.dtype == np.uint8 for frame in frames)


def test_every_third_frame_and_the_first_seconds(tmp_path):
    path = grey_video(tmp_path / 'a.mp4', 20, fps=10.0)
    video, frames = read(path, every=3)
    assert [frame.number for frame in frames] == [0, 3, 6, 9, 12, 15, 18] and video.read == 20
    np.testing.assert_allclose([frame.image.mean() for frame in frames], [0, 30, 60, 90, 120, 150, 180], atol=5)
    video, frames = read(path, every=2, seconds=.75)
    assert [frame.number for frame in frames] == [0, 2, 4, 6] and not video.ended and not video.ends_early()


def test_colours_are_rgb_and_turned_as_a_player_shows_them(tmp_path):
    """The left half is red. After a quarter turn clockwise, what was on the left is at the top."""
    frame = np.zeros((48, 64, 3), 'uint8')
    frame[:, :32], frame[:, 32:] = (0, 0, 255), (255, 0, 0)
    plain = write_frames(tmp_path / 'plain.mp4', [frame] * 3)
    image = read(plain)[1][2].image
    np.testing.assert_allclose(image[24, [5, 59]], [[255, 0, 0], [0, 0, 255]], atol=12)
    video, frames = read(turned(plain, tmp_path / 'turned.mp4'))
    assert video.size == (48, 64)
    np.testing.assert_allclose(frames[2].image[[5, 59], 24], [[255, 0, 0], [0, 0, 255]], atol=12)


def test_a_video_that_says_neither_its_length_nor_its_times(tmp_path):
    """Joined JPEGs. Where their size changes, OpenCV cuts the frames to the size of the first one."""
    path = tmp_path / 'a.mjpeg'
    large, small = np.full((48, 64, 3), 99, 'uint8'), np.full((32, 40, 3), 99, 'uint8')
    path.write_bytes(b''.join(cv2.imencode('.jpg', image)[1].tobytes() for image in [small] * 3 + [large] * 2))
    video, frames = read(path)
    assert [frame.image.shape for frame in frames] == [(32, 40, 3)] * 5
    assert video.count is None and not video.ends_early()
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(5) / 25, atol=2e-3)


class Capture:
    """What OpenCV says of a video: the seconds of its frames, and other properties."""

    def __init__(self, seconds, fps=10, count=0):
        self.seconds, self.at = seconds, -1
        self.said = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count}

    def isOpened(self):
        return True

    def grab(self):
        self.at += 1
        return self.at < len(self.seconds)

    def retrieve(self):
        return True, np.zeros((4, 4, 3), 'uint8')

    def get(self, key):
        return 1000 * self.seconds[self.at] if key == cv2.CAP_PROP_POS_MSEC else self.said.get(key, 0)

    def set(self, key, value):
        return True


@pytest.mark.parametrize('said, times', [
    ([5, 5.1, 5.5, 6], [0, .1, .5, 1]), ([0, 0, 0, 0], [0, .1, .2, .3]), ([0, .5, .2, .7], [0, .5, .6, .7]),
    ([0, .1, 90000, .3], [0, .1, .2, .3]), ([0, float('nan'), .2], [0, .1, .2])])
def test_times_that_cannot_be_follow_from_the_rate(said, times):
    frames = Video('a', Capture(said), False).frames()
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-9)


@pytest.mark.parametrize('said, fps', [(29.97, 29.97), (0, 25), (-5, 25), (90000, 25), (float('nan'), 25)])
def test_a_rate_that_cannot_be(said, fps):
    assert Video('a', Capture([0], said), False).fps == fps


@pytest.mark.parametrize('read, said, early', [
    (20, 24, False), (20, 26, True), (980, 1000, False), (970, 1000, True), (20, 0, False), (20, 10, False)])
def test_a_few_frames_less_than_said_mean_nothing(read, said, early):
    """At 10 a second, 5 are half a second; 20 of 1000 are 2 %."""
    video = Video('a', Capture([i / 10 for i in range(read)], count=said), False)
    assert not video.ends_early() and len(list(video.frames())) == read
    assert video.ends_early() == early


def test_a_video_that_is_cut_off(tmp_path):
    content = grey_video(tmp_path / 'whole.avi', 50).read_bytes()
    (tmp_path / 'cut.avi').write_bytes(content[:len(content) // 2])
    video, frames = read(tmp_path / 'cut.avi')
    assert 10 < len(frames) == video.read < 30 and video.count == 50 and video.ends_early()


@pytest.mark.parametrize('name, content, words', [
    ('empty.mp4', b'', 'is empty'), ('text.mp4', b'Dear sir, I send you', 'not a video of a kind that is read'),
    ('list.mp4', b'#EXTM3U\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n', 'not a video of a kind that is read'),
    ('concat.mp4', b'ffconcat version 1.0\nfile other.mp4\n', 'not a video of a kind that is read'),
    ('begin.mp4', b'\0\0\0\x18ftypmp42' + bytes(100), 'a video that is cut off, damaged'),
    ('begin.webm', b'\x1a\x45\xdf\xa3' + bytes(100), 'a video that is cut off, damaged')])
def test_what_is_no_video(tmp_path, name, content, words, capfd):
    """A play list would have FFmpeg open what a stranger names."""
    other = grey_video(tmp_path / 'other.mp4')
    (tmp_path / name).write_bytes(content.replace(b'{other}', os.fsencode(other)))
    with pytest.raises(ImageError, match=f'{name}: {words}'):
        open_video(tmp_path / name)
    assert capfd.readouterr() == ('', '')


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / 'pipe.mp4')
    with pytest.raises(ImageError, match='pipe.mp4: is a pipe'):
        open_video(tmp_path / 'pipe.mp4')
    with pytest.raises(FileNotFoundError):
        open_video(tmp_path / 'none.mp4')


def test_frames_that_are_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'MAX_PIXELS', 3000)
    with pytest.raises(ImageError, match='has frames of 64 x 48 pixels; at most 3000 are read'):
        open_video(grey_video(tmp_path / 'a.mp4', 2))


@pytest.mark.parametrize('source, live, video', [
    ('camera:0', True, True), ('rtsp://host/way', True, True), ('http://host/a.mp4', True, True),
    ('camera:front', False, False), ('file:///a.mp4', False, True), ('A.MOV', False, True), ('a.jpg', False, False)])
def test_sources(source, live, video):
    assert (is_live(source), is_video(source)) == (live, video)


def test_a_password_is_not_shown():
    assert shown_source('rtsp://me:secret@host:554/way?x=a@b') == 'rtsp://host:554/way?x=a@b'
    assert shown_source('rtsp://me:s@cret@host/way') == 'rtsp://host/way'
    assert shown_source('http://host?a@b') == 'http://host?a@b'
    assert shown_source('a/me@home.mp4') == 'a/me@home.mp4'


def test_a_file_at_an_address_is_no_camera(tmp_path):
    """It waits, and its end is no failure."""
    with serve({'/a.mp4': grey_video(tmp_path / 'a.mp4', 20).read_bytes()}) as server:
        video, frames = read(f'{server.url}/a.mp4')
    assert len(frames) == 20 and not video.live and video.ended and not video.ends_early()


@pytest.mark.parametrize('name', ['take:1.mp4', 'http:a.mp4', '-%03d.mp4', 'a?b=1#c.mp4'])
def test_names_of_files_that_mean_more_to_ffmpeg(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    shutil.move(grey_video(tmp_path / 'a.mp4', 3), name)
    assert len(read(name)[1]) == 3


def test_a_name_that_is_not_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b'\xff.mp4')
    grey_video(tmp_path / 'a.mp4', 3).rename(path)
    with pytest.raises(ImageError, match='not UTF-8; rename it'):
        open_video(path)


def test_no_camera_and_no_stream(capfd):
    with pytest.raises(ImageError, match='camera:9999: there is no such camera'):
        open_video('camera:9999')
    with pytest.raises(ImageError, match='^http://127.0.0.1:1/a.mp4: no video comes from there$'):
        open_video('http://me:secret@127.0.0.1:1/a.mp4')
    assert capfd.readouterr() == ('', '')


def test_a_video_may_be_closed_while_another_thread_reads_it(tmp_path):
    path = grey_video(tmp_path / 'a.mp4', 200)
    video = open_video(path)
    frames = []
    thread = threading.Thread(target=lambda: frames.extend(frame.number for frame in video.frames()))
    thread.start()
    video.__exit__()
    thread.join(10)
    assert not thread.is_alive() and frames == list(range(len(frames)))


DAMAGE = r'''
import random, sys
from pathlib import Path
from gluonzoo.pictures.errors import ImageError
from gluonzoo.pictures.video import open_video

read = refused = 0
for number in range(60):
    rng = random.Random(number)
    source = Path(sys.argv[1 + number % 2])
    content = bytearray(source.read_bytes())
    for _ in range(rng.choice([1, 8, 60])):   # most of what a reader believes is at the beginning
        place = rng.randrange(rng.choice([100, 700, len(content)]))
        content[place] = rng.choice([0, 127, 128, 255, rng.randrange(256)])
    if number % 5 == 0:
        del content[rng.randrange(len(content)):]
    damaged = source.with_name('damaged' + source.suffix)
    damaged.write_bytes(content)
    try:
        with open_video(damaged) as video:
            for frame in video.frames():
                assert frame.image.ndim == 3 and frame.image.size
        read += 1
    except ImageError as error:
        assert str(error).startswith(str(damaged)) and '\n' not in str(error)
        refused += 1
print(read, refused)
'''


def test_damaged_videos_end_in_words(tmp_path):
    """In a process of its own, which must not be killed by a signal."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (48, 64, 3), 'uint8') for _ in range(10)]
    paths = [write_frames(tmp_path / f'a{suffix}', noise) for suffix in ('.mp4', '.avi')]
    ran = subprocess.run([sys.executable, '-c', DAMAGE, *map(str, paths)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    read, refused = map(int, ran.stdout.split())
    assert read > 10 and refused > 5 and ran.stderr == ''
