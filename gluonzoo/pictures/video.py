"""Frames of videos, cameras and streams, read by OpenCV and its FFmpeg.

Three things cannot be known, since OpenCV does not say them: that frames within a video are damaged, which show as
blocks; that the size of the frames changes on the way, after which they are cut to the size of the first one, or filled
with what is no picture; and the true times of frames in a file that has none. Pixels are taken for square.
"""
import os
import re
import threading
from contextlib import contextmanager
from typing import NamedTuple

import cv2
import numpy as np

from ..reading import FileError, open_ordinary
from .decode import MAX_PIXELS
from .errors import ImageError

__all__ = ['Frame', 'VIDEO_SUFFIXES', 'Video', 'is_live', 'is_utf8', 'is_video', 'open_video', 'shown_source']

# FFmpeg, within OpenCV, writes its messages to the terminal unless it finds this at the first video of a process.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

# Of files that are taken for videos, in lower case.
VIDEO_SUFFIXES = ('.mp4', '.m4v', '.mov', '.avi', '.mkv', '.webm', '.mpg', '.mpeg', '.ts', '.m2ts', '.mts', '.wmv',
                  '.flv', '.3gp', '.ogv', '.mjpeg', '.mjpg')

FPS = 25.0            # of what says no rate, or none that can be
_MOST_FPS = 1000
_TIMEOUT = 10_000     # milliseconds, until a stream that says nothing is given up
_SHORT = 0.5, 0.02    # a video is cut off if it lacks so many seconds, and so much of its frames

_CAMERA = re.compile(r'camera:(\d{1,4})')
_STREAM = re.compile(r'(rtsps?|rtmp|https?|udp|tcp)://.+')

# What files of videos begin with. FFmpeg also reads play lists, which name other files and addresses to be opened; a
# file of a stranger must not have that power.
_BEGINNINGS = (b'\x1a\x45\xdf\xa3', b'RIFF', b'FLV\1', b'OggS', b'DKIF', b'\xff\xd8\xff', b'\x30\x26\xb2\x75',
               b'\0\0\1\xba', b'\0\0\1\xb3', b'\x47')
_BOXES = b'ftyp', b'moov', b'mdat', b'free', b'wide', b'skip'   # of MP4 and QuickTime, from byte 4 on
_TS = b'\x47'         # of M2TS, at byte 4


class Frame(NamedTuple):
    """One picture of a video."""
    number: int
    """from 0, in the video: frames that are left out count"""
    time: float
    """seconds since the first frame"""
    image: np.ndarray
    """uint8 [H, W, 3], RGB, as a player shows it"""


def is_live(source):
    """Whether a word names a camera, 'camera:0', or a stream, 'rtsp://...', and no file."""
    return bool(_CAMERA.fullmatch(str(source)) or _STREAM.fullmatch(str(source)))


def is_video(source):
    """Whether a word names a camera or a stream, or a file whose name ends as those of videos do."""
    return is_live(source) or str(source).lower().endswith(VIDEO_SUFFIXES)


def shown_source(source):
    """A source of videos as it may be shown and stored: an address without the name and password of a user."""
    return re.sub(r'^(\w+://)[^/?#]*@', r'\1', str(source))


def is_utf8(path):
    """Whether the name of a file is UTF-8, as those of most are. Given another name, OpenCV crashes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def open_video(source):
    """Opens a video to read its frames: a :class:`Video`.

    Parameters
    ----------
    source : str or Path
        a file (see ``VIDEO_SUFFIXES`` for the usual ones); the word 'camera:' with the number of a camera; the address
        of a stream, which begins with rtsp, rtmp, http, https, udp or tcp

    Raises
    ------
    ImageError
        if it is no video, is damaged at its beginning, has no frames, or frames of more than ``MAX_PIXELS`` pixels; if
        there is no such camera, or no stream at the address; if the name is not UTF-8
    OSError
        if the file cannot be read
    """
    camera = _CAMERA.fullmatch(str(source))
    name = shown_source(source)
    live = is_live(source)
    address = str(source) if live else os.path.abspath(source)   # FFmpeg takes 'a:' in 'a:1.mp4' for a protocol
    if not is_utf8(address):
        raise ImageError(f'{name}: OpenCV reads no videos whose names are not UTF-8; rename it')
    if not live:
        _require_video(name)
    with _silent():
        if camera:
            capture = cv2.VideoCapture(int(camera[1]))
        else:
            wait = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT]
            capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, wait)
    if not capture.isOpened():
        raise ImageError(f'{name}: there is no such camera, or another program uses it' if camera else
                         f'{name}: no video comes from there' if live else
                         f'{name}: a video that is cut off, damaged, or of a kind that is not read')
    try:
        return Video(name, capture, live)
    except BaseException:
        capture.release()
        raise


def _require_video(path):
    try:
        with open_ordinary(path) as file:
            begin = file.read(16)
    except FileError as error:
        raise ImageError(str(error)) from error
    if not begin:
        raise ImageError(f'{path}: is empty')
    if not begin.startswith(_BEGINNINGS) and begin[4:8] not in _BOXES and begin[4:5] != _TS:
        raise ImageError(f'{path}: not a video of a kind that is read, such as MP4, MOV, AVI, MKV or WebM')


@contextmanager
def _silent():
    """Within, OpenCV writes no warnings to the terminal: what a user must know is an error of ours."""
    level = cv2.setLogLevel(0)
    try:
        yield
    finally:
        cv2.setLogLevel(level)


class Video:
    """An open video. As a context, it is closed at the end; one thread at a time may read it.

    Made by :func:`open_video`.

    Attributes
    ----------
    name : str
    live : bool
        a camera or a stream that does not say its length: it has no end, and does not wait
    size : (int, int)
        width and height of the first frame, as a player shows it
    fps : float
        frames a second; of a video whose rate varies, the mean one
    count : int or None
        how many frames the file says that it has; None if it does not say
    read : int
        how many frames have been read
    seconds : float
        the time of the last frame that has been read
    ended : bool
        whether there are no more frames
    """

    def __init__(self, name, capture, live):
        self.name = name
        self._capture = capture
        self._lock = threading.Lock()   # OpenCV crashes if a video is released while it is read
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)   # as telephones turn their videos
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = float(fps) if 0 < fps <= _MOST_FPS else FPS
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.count = int(count) if 0 < count < 2 ** 40 else None
        self.live = live and self.count is None
        self.read, self.seconds, self.ended = 0, 0.0, False
        self._began = None
        width, height = (capture.get(key) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MAX_PIXELS:   # before it is decoded
            raise ImageError(f'{name}: has frames of {width:.0f} x {height:.0f} pixels; at most {MAX_PIXELS} are read')
        with _silent():
            self._first = self._take() and self._picture()
        if self._first is None or self._first is False:
            raise ImageError(f'{name}: a video without a frame that can be read')
        self.size = self._first.shape[1::-1]

    def frames(self, every=1, seconds=None):
        """Yields each Frame, or one in `every`, of the first `seconds`, or until the video ends."""
        while True:
            number, wanted = self.read, self.read % every == 0
            with self._lock:
                if number:
                    if not self._take():
                        self.ended = True
                        return
                    image = self._picture() if wanted else None   # what is left out is not converted
                else:
                    image, self._first = self._first, None
                time = self._time()
            if seconds is not None and time >= seconds:
                return
            self.read, self.seconds = number + 1, time
            if wanted:
                if image is None:
                    self.ended = True
                    return
                yield Frame(number, time, image)
                del image

    def ends_early(self):
        """After the last frame: whether the file says that it has more of them, so that it is cut off or damaged.

        The number that a file says is often a guess, from the length of its sound. A few frames less mean nothing.
        """
        if not self.ended or not self.count:
            return False
        missing = self.count - self.read
        return missing / self.fps > _SHORT[0] and missing > _SHORT[1] * self.count

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with self._lock:
            self._capture.release()

    def _take(self):
        return self._capture.isOpened() and self._capture.grab()

    def _picture(self):
        done, image = self._capture.retrieve()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if done and image is not None and image.size else None

    def _time(self):
        """Seconds since the first frame. Some videos do not say it; then it follows from the rate."""
        said = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._began is None:
            self._began = said
            return 0.0
        time = said - self._began
        return time if self.seconds < time < self.seconds + 3600 else (self.seconds + 1 / self.fps)
