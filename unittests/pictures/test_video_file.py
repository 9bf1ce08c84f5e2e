"""Videos that are written: their frames, their pace, and disks that are full."""
import errno
import os
import shutil
import subprocess
import threading

import numpy as np
import pytest
from full_disk import full_disk
from video_cases import frames_of

from gluonzoo.pictures.video_file import VIDEO_KINDS, writing_video


def grey(level, height=48, width=64):
    return np.full((height, width, 3), level, 'uint8')


def means(path):
    return [round(float(frame.mean())) for frame in frames_of(path)[1]]


@pytest.mark.parametrize('suffix', VIDEO_KINDS)
def test_frames_rate_and_colours(tmp_path, suffix, capfd):
    path = tmp_path / 'deep' / f'a{suffix}'
    picture = grey(0)
    picture[:, 32:] = 200, 30, 90
    with writing_video(path, 29.97) as add:
        for i in range(20):
            add(picture, i / 29.97)
    rate, frames = frames_of(path)
    assert rate == pytest.approx(29.97, abs=.05) and len(frames) == 20 and frames[0].shape == (48, 64, 3)
    np.testing.assert_allclose(frames[10][24, 55], [90, 30, 200], atol=8)   # BGR
    assert os.listdir(path.parent) == [path.name] and capfd.readouterr() == ('', '')


@pytest.mark.parametrize('asked, rate', [(.01, 1), (1000, 240)])
def test_rates_that_no_player_shows(tmp_path, asked, rate):
    with writing_video(tmp_path / 'a.mp4', asked) as add:
        add(grey(9), 0)
    assert frames_of(tmp_path / 'a.mp4')[0] == rate


@pytest.mark.parametrize('suffix, mark', [('.webm', b'V_VP8'), ('.mp4', b'mp4v')])
def test_compressions(tmp_path, suffix, mark):
    with writing_video(tmp_path / f'a{suffix}', 25) as add:
        add(grey(9), 0)
    assert mark in (tmp_path / f'a{suffix}').read_bytes()


BROWSER = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


@pytest.mark.skipif(BROWSER is None, reason='there is no Chromium to play the video')
def test_a_browser_plays_webm(tmp_path):
    with writing_video(tmp_path / 'a.webm', 10) as add:
        for i in range(10):
            add(grey(20 * i), i / 10)
    page = tmp_path / 'page.html'
    page.write_text("""<video id="v" preload="auto" src="a.webm"></video><p id="p"></p><script>
        v.onerror = () => p.textContent = 'error: ' + v.error.message
        v.onloadeddata = () => p.textContent = `${v.videoWidth} x ${v.videoHeight}, ${v.duration} s`</script>""")
    ran = subprocess.run([BROWSER, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path}/user',
                          '--timeout=5000', '--dump-dom', page.as_uri()], capture_output=True, text=True, timeout=60)
    assert '<p id="p">64 x 48, 1 s</p>' in ran.stdout


def test_the_pace_is_kept_where_frames_come_irregularly(tmp_path):
    """At 10 a second: a picture stays until the next one comes, and of two at a time the second is left out."""
    with writing_video(tmp_path / 'a.mp4', 10) as add:
        for level, time in ((50, 0), (100, .3), (150, .32), (200, .4)):
            add(grey(level), time)
    np.testing.assert_allclose(means(tmp_path / 'a.mp4'), [50, 50, 50, 100, 200], atol=4)


def test_a_gap_is_at_most_a_minute(tmp_path):
    with writing_video(tmp_path / 'a.mp4', 1) as add:
        for level, time in ((50, 0), (100, 3000), (150, 3001)):
            add(grey(level), time)
    shown = means(tmp_path / 'a.mp4')
    assert len(shown) == 63
    np.testing.assert_allclose(shown[-3:], [50, 100, 150], atol=4)


def test_sizes(tmp_path):
    """Odd sides become even. A picture of another shape is whole in the size of the first one, with grey beside it."""
    with writing_video(tmp_path / 'a.mp4', 25) as add:
        add(grey(255, 47, 63), 0)
        add(grey(255, 48, 24), 1 / 25)
    first, second = frames_of(tmp_path / 'a.mp4')[1]
    assert first.shape == (48, 64, 3) and first.min() > 240
    assert second[:, 24:40].min() > 220 and second[:, :16].max() < 145 and second[:, 48:].max() < 145


@pytest.mark.parametrize('suffix', VIDEO_KINDS)
@pytest.mark.parametrize('height, width', [(1, 1), (24, 2), (2, 4)])
def test_small_pictures_are_enlarged(tmp_path, suffix, height, width):
    """As they are, OpenCV fails or crashes."""
    with writing_video(tmp_path / f'a{suffix}', 25) as add:
        for i in range(3):
            add(grey(255, height, width), i / 25)
    frames = frames_of(tmp_path / f'a{suffix}')[1]
    assert len(frames) == 3 and min(frames[0].shape[:2]) == 16 and frames[0].max() > 240


@pytest.mark.parametrize('name', ['part:1/take:1.webm', f'{82 * "漢"}.webm', '-%03d.mp4'])
def test_names_that_mean_more_to_ffmpeg_or_are_long(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with writing_video(name, 25) as add:
        add(grey(9), 0)
    assert len(frames_of(tmp_path / name)[1]) == 1 and len(list((tmp_path / name).parent.iterdir())) == 1


def test_a_folder_whose_name_is_not_utf_8(tmp_path):
    with pytest.raises(ValueError, match='not UTF-8'), writing_video(tmp_path / os.fsdecode(b'\xff') / 'a.webm', 25):
        pass
    assert not list(tmp_path.iterdir())


def test_no_picture_no_file(tmp_path):
    with writing_video(tmp_path / 'a.webm', 25):
        pass
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_the_former_file(tmp_path):
    (tmp_path / 'a.webm').write_bytes(b'former')
    with pytest.raises(RuntimeError), writing_video(tmp_path / 'a.webm', 25) as add:
        add(grey(1), 0)
        raise RuntimeError
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'former']


def test_an_interruption_leaves_what_is_done(tmp_path):
    with pytest.raises(KeyboardInterrupt), writing_video(tmp_path / 'a.webm', 25) as add:
        add(grey(1), 0)
        add(grey(1), 1 / 25)
        raise KeyboardInterrupt
    assert len(frames_of(tmp_path / 'a.webm')[1]) == 2 and len(list(tmp_path.iterdir())) == 1


def test_another_thread_may_add_pictures_until_the_end(tmp_path):
    """As it does when Ctrl-C comes twice. OpenCV must not release what is written."""
    ended = []

    def write(add):
        with pytest.raises(RuntimeError, match='a.webm: is closed; no picture can be added'):
            for i in range(10 ** 6):
                add(grey(i % 256, 480, 640), i / 25)
        ended.append(True)
    with pytest.raises(KeyboardInterrupt), writing_video(tmp_path / 'a.webm', 25) as add:
        add(grey(0, 480, 640), 0)
        thread = threading.Thread(target=write, args=[add], daemon=True)
        thread.start()
        raise KeyboardInterrupt
    thread.join(10)
    assert ended and os.listdir(tmp_path) == ['a.webm']


@pytest.mark.parametrize('suffix', VIDEO_KINDS)
def test_a_disk_that_becomes_full(tmp_path, suffix):
    """OpenCV says nothing of it."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), 'uint8') for _ in range(20)]
    with pytest.raises(OSError) as raised, full_disk(20000), writing_video(tmp_path / f'a{suffix}', 25) as add:
        for i, picture in enumerate(noise):
            add(picture, i / 25)
    assert raised.value.errno == errno.ENOSPC and raised.value.filename == str(tmp_path / f'a{suffix}')
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr('os.statvfs', lambda path: os.statvfs_result((4096, 4096, 9, 9, 3, 9, 9, 9, 0, 255)))
    with pytest.raises(OSError, match='No space left'), writing_video(tmp_path / 'a.webm', 25) as add:
        add(grey(1), 0)
        pytest.fail('the first picture was written')
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written(tmp_path):
    (tmp_path / 'a.webm').mkdir()
    with pytest.raises(ValueError, match='a.webm: is a folder'), writing_video(tmp_path / 'a.webm', 25):
        pass
    with pytest.raises(ValueError, match='a.avi: must end with .webm or .mp4'), writing_video(tmp_path / 'a.avi', 25):
        pass
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError) as raised, writing_video(tmp_path / 'file' / 'a.webm', 25):
        pass
    assert raised.value.errno in (errno.ENOTDIR, errno.EEXIST)
