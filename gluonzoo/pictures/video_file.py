"""Videos written as files, by OpenCV and its FFmpeg."""
import errno
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from ..files import PARTIAL, folder_for, naming, require_replaceable
from .check import check_images
from .resize import resize
from .video import is_utf8

__all__ = ['VIDEO_KINDS', 'writing_video']

# Suffix -> the code of its compression. OpenCV's own packages have no encoder of H.264. Browsers play VP8, which takes
# ten times as long to write as MPEG-4 part 2, which they do not play.
VIDEO_KINDS = {'.webm': 'VP80', '.mp4': 'mp4v'}

_MOST_STAY = 60        # seconds of one picture
_RATES = 1, 240        # pictures a second; beyond, some compressions fail
_LEAST_FREE = 1 << 16  # bytes
_LEAST_SIDE = 16       # pixels; OpenCV writes beyond its memory if a video is 2 pixels wide


@contextmanager
def writing_video(path, fps):
    """A function add(picture, time) that adds pictures to a video. At the end the video is at `path`.

    The video has a constant rate. A picture stays until the time of the next one, at most a minute, so a video whose
    rate varies, or a camera whose frames were not all taken, keeps its pace. Of pictures that come faster than the
    rate, some are left out.

    All pictures are shown in the size of the first one: those of another size keep their aspect ratio, on grey. An odd
    side becomes even, since the compressions want it: the last row or column is there twice. A video is at least 16
    pixels wide and high: smaller first pictures are enlarged.

    After an error within, no file is there, or still the former one. An interruption by the keyboard is no error:
    what has been added becomes the video.

    Parameters
    ----------
    path : Path
        ends with a key of ``VIDEO_KINDS``; its folder is made
    fps : float
        pictures a second; taken as 1 or 240 beyond these

    Of ``add``, `picture` is a uint8 array [H, W, 3], RGB, and `time` its seconds since the first one. Another thread
    may call it; after the end it raises RuntimeError.

    Raises
    ------
    ValueError
        for another suffix, if something is at the path that is no file, or if its folder has a name that is not UTF-8
    OSError
        if the video cannot be written, or not to its end
    """
    path = Path(path)
    if path.suffix not in VIDEO_KINDS:
        raise ValueError(f'{path}: must end with {" or ".join(VIDEO_KINDS)}')
    require_replaceable(path)
    with folder_for(path), naming(path):
        # OpenCV finds the kind of a file by its suffix, so the suffix of a partial file must come last.
        stem = os.fsencode(path.stem)[:100].decode(errors='ignore')
        # As an absolute path: FFmpeg takes what stands before a colon for a protocol.
        partial = path.absolute().with_name(f'{stem}{PARTIAL}{path.suffix}')
        if not is_utf8(partial):
            raise ValueError(f'{path}: OpenCV writes no videos in folders whose names are not UTF-8')
        writer = _Writer(partial, path, round(min(max(fps, _RATES[0]), _RATES[1]), 2))
        try:
            open(partial, 'wb').close()   # OpenCV does not say why it cannot write
            try:
                yield writer.add
            except KeyboardInterrupt:
                writer.finish()
                raise
            writer.finish()
        except OSError as error:
            if error.filename == str(partial):
                error.filename = str(path)
            raise
        finally:
            writer.discard()


@contextmanager
def _silent():
    """Within, C writes nothing to stderr: OpenCV warns there of VP8 in WebM, which all that play WebM play."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    level = cv2.setLogLevel(0)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
        cv2.setLogLevel(level)


class _Writer:
    def __init__(self, partial, path, fps):
        self._partial, self._path, self._fps = partial, path, fps
        self._video, self._size = None, None
        self._last, self._written = None, 0
        self._skipped = 0   # pictures of the constant rate that no picture lasted for
        self._closed = False
        # A thread may still add pictures when the end comes, as with a second Ctrl-C. OpenCV crashes if a video is
        # released while it is written.
        self._lock = threading.Lock()

    def add(self, picture, time):
        check_images([picture])
        with self._lock:
            if self._closed:
                raise RuntimeError(f'{self._path}: is closed; no picture can be added')
            self._add(picture, time)

    def _add(self, picture, time):
        if self._video is None:
            self._open(picture)
        picture = cv2.cvtColor(self._fitted(picture), cv2.COLOR_RGB2BGR)
        # The number of this picture, of those at a constant rate. The one before it fills what lies between.
        missing = round(time * self._fps) - self._skipped - self._written
        if self._last is None:
            missing = 0
        copies = min(missing, round(_MOST_STAY * self._fps))
        self._skipped += max(missing - copies, 0)
        for _ in range(copies):
            self._write(self._last)
        if missing >= 0:
            self._write(picture)
        self._last = picture

    def finish(self):
        """Closes the video and gives it its name. OSError if it is not whole; nothing, if there are no pictures."""
        self._close()
        if not self._written:
            return
        if not self._is_whole():
            raise OSError(errno.ENOSPC, 'the video could not be written to its end; is the disk full?',
                          str(self._path))
        self._partial.replace(self._path)

    def discard(self):
        self._close()
        self._partial.unlink(missing_ok=True)

    def _close(self):
        with self._lock:
            self._closed = True
            if self._video is not None:
                self._video.release()
                self._video = None

    def _open(self, picture):
        height, width = picture.shape[:2]
        self._size = tuple(max(_LEAST_SIDE, side + side % 2) for side in (width, height))
        code = cv2.VideoWriter_fourcc(*VIDEO_KINDS[self._path.suffix])
        with _silent():
            self._video = cv2.VideoWriter(str(self._partial), cv2.CAP_FFMPEG, code, self._fps, self._size)
        if not self._video.isOpened():
            raise OSError(errno.EINVAL, f'no {self._path.suffix} video of {width} x {height} pixels and '
                          f'{self._fps:g} frames a second can be written', str(self._path))

    def _fitted(self, picture):
        width, height = self._size
        if (picture.shape[1] + picture.shape[1] % 2, picture.shape[0] + picture.shape[0] % 2) != self._size:
            scale = min(width / picture.shape[1], height / picture.shape[0])
            inner = [min(side, max(1, round(scale * own))) for side, own in zip(self._size, picture.shape[1::-1])]
            canvas = np.full((height, width, 3), 127, np.uint8)
            left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
            canvas[top:top + inner[1], left:left + inner[0]] = resize(picture, *inner)
            return canvas
        return cv2.copyMakeBorder(picture, 0, height - picture.shape[0], 0, width - picture.shape[1],
                                  cv2.BORDER_REPLICATE)

    def _write(self, picture):
        # OpenCV does not say that a disk is full, and writes on for hours.
        space = os.statvfs(self._partial.parent)
        if space.f_bavail * space.f_frsize < _LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._video.write(picture)
        self._written += 1

    def _is_whole(self):
        """Whether the file says how many frames it has, and has the last one. OpenCV does not say what went wrong."""
        video = cv2.VideoCapture(str(self._partial), cv2.CAP_FFMPEG)
        try:
            if not video.isOpened() or abs(video.get(cv2.CAP_PROP_FRAME_COUNT) - self._written) > 1:
                return False
            video.set(cv2.CAP_PROP_POS_FRAMES, self._written - 1)
            return video.grab() and video.get(cv2.CAP_PROP_POS_MSEC) >= (self._written - 2) / self._fps * 1000 - 1
        finally:
            video.release()
