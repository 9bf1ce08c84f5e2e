"""Videos, cameras and streams predicted frame by frame: a video with the results drawn, and a line of JSON a frame."""
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..files import naming
from ..pictures.ahead import Ahead
from ..pictures.errors import ImageError
from ..pictures.video import open_video, shown_source
from ..pictures.video_file import writing_video
from ..tasks.base import chunks, late
from ..train.appended_file import AppendedFile
from ..train.data_wait import Timed
from .errors import printable

__all__ = ['BATCH_PIXELS', 'predict_videos']

LINES = 'predictions.jsonl'
BATCH_PIXELS = 1 << 24   # of the frames of a batch, if they are more than one: 50 MB, of which there are some five


def predict_videos(task, found, predictions, options):
    """Adds to the predictions what is found in videos.

    Ctrl-C ends a camera or a stream, which has no other end. In a file, it ends everything.

    Parameters
    ----------
    task : Task
    found : list of (file, camera or stream; its name below the folder)
    predictions : Predictions
    options
        `out`, a folder that is there; `batch_size`; `every`, the step from frame to frame; `seconds` or None, the
        time to end; `video`, the kind of videos that are written

    Returns whether it was interrupted by Ctrl-C.
    """
    if not found:
        return False
    lines = AppendedFile(options.out / LINES)
    lines.add()   # a former file is no part of this one, and a folder that cannot be written is an error at once
    for source, name in found:
        video = None
        try:
            with predictions.failing('unreadable', shown_source(source)):
                video = open_video(source)
        except KeyboardInterrupt:
            return True
        if video is None:
            continue
        with video:
            if _Predicted(task, video, predictions, options, lines).write(name) and not video.live:
                return True
    return False


class _Predicted:
    """One video, while it is predicted."""

    def __init__(self, task, video, predictions, options, lines):
        self._task, self._video, self._predictions = task, video, predictions
        self._options, self._lines = options, lines
        self._failing = partial(predictions.failing, file=video.name, added=True)
        width, height = video.size
        self._rate = video.fps / options.every
        self._entry = {'file': video.name, 'width': width, 'height': height, 'fps': round(video.fps, 3), 'frames': 0,
                       'video': None, 'complete': False, 'a_second': 0.0}
        # A camera's frames are predicted as they come.
        self._count = 1 if video.live else max(1, min(options.batch_size, BATCH_PIXELS // (width * height)))

    def write(self, name):
        """Writes the video and its lines. Returns whether Ctrl-C has ended it."""
        target = self._predictions.free(name.with_suffix(f'.{self._options.video}'))
        interrupted, began = False, time.perf_counter()
        with self._failing('unwritten'):
            try:
                with writing_video(self._options.out / target, self._rate) as add:
                    self._predict(add)
            except KeyboardInterrupt:
                interrupted = True
                self._entry['complete'] = self._video.live   # a camera has no other end
            if self._entry['frames'] and (self._options.out / target).exists():   # not after a third Ctrl-C
                self._entry['video'] = str(target)
        self._entry['a_second'] = round(self._entry['frames'] / (time.perf_counter() - began), 2)
        with self._failing('unreadable'):
            self._require_end()
        self._predictions.add_video(self._entry)
        if self._entry['frames']:
            print('{}: {frames} frames, {a_second:.1f} a second; {waited:.1%} of the time went by in waiting for frames'
                  .format(printable(self._video.name), **self._entry))
        return interrupted

    def _predict(self, add):
        """Three threads: one reads frames ahead, this one has the network, one writes behind."""
        from tqdm import tqdm

        video, options = self._video, self._options
        ahead = Ahead(video.frames(options.every, options.seconds), 2 * self._count, newest=video.live)
        timed = Timed(ahead)
        with tqdm(total=self._expected(), desc=video.name, unit=' frames', leave=False, disable=None) as bar, \
                ThreadPoolExecutor(1, 'gluonzoo-video') as writer:
            try:
                with timed:
                    for written in late((writer.submit(self._write_frame, add, *drawn)
                                         for drawn in self._drawn(chunks(timed, self._count))), self._count):
                        written.result()
                        bar.update()
            except Exception:
                writer.shutdown(cancel_futures=True)   # after Ctrl-C, what has been predicted is written
                raise
            finally:
                self._entry['waited'] = round(timed.waited, 4)
                if video.live:
                    self._entry['dropped'] = ahead.dropped

    def _drawn(self, batches):
        """Yields the line, the picture and the time of each frame."""
        for frame, result in self._results(batches):
            yield self._line(frame, result), self._task.draw(frame.image, result), frame.time

    def _write_frame(self, add, line, picture, seconds):
        with naming(self._options.out / LINES):
            self._lines.add(line)
        add(picture, seconds)
        self._entry['frames'] += 1

    def _results(self, batches):
        """Yields each frame with its result, up to what cannot be read or predicted."""
        while True:
            batch = found = None
            with self._failing('unreadable'):
                batch = next(batches, [])
            if not batch:
                self._entry['complete'] = batch == []
                return
            with self._failing('unpredicted'):
                found = self._task.predict([frame.image for frame in batch])
            if found is None:
                return
            yield from zip(batch, found)

    def _line(self, frame, result):
        height, width = frame.image.shape[:2]
        return json.dumps({'file': self._video.name, 'frame': frame.number, 'time': round(frame.time, 3),
                           'width': width, 'height': height, **self._task.describe(result)}).encode() + b'\n'

    def _expected(self):
        """How many frames there will be, for the time that is left; None if nobody knows."""
        count = min(self._video.count or math.inf, (self._options.seconds or math.inf) * self._video.fps)
        return math.ceil(count / self._options.every) if math.isfinite(count) else None

    def _require_end(self):
        video = self._video
        if not (video.ended and video.live or video.ends_early()):
            return
        self._entry['complete'] = False
        if video.live:
            raise ImageError(f'{video.name}: no more frames came after {video.read}')
        raise ImageError(f'{video.name}: is cut off or damaged: {video.read} frames of {video.count} could be read')
