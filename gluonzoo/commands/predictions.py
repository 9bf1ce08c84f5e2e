"""What gluonzoo predict writes: a picture for each photo, a video for each video, and predictions.json."""
import json
import os
import unicodedata
from contextlib import contextmanager
from pathlib import Path

from ..files import PARTIAL, naming, require_replaceable
from ..pictures.video import is_video
from .errors import printable, said_of

__all__ = ['Predictions']

_KINDS = {'unreadable': 'not read', 'unpredicted': 'not predicted', 'unwritten': 'not written'}


class Predictions:
    """The results of photos, in a folder. As a context, it writes predictions.json at the end, whatever happens.

    What fails of one photo does not touch the others. The disk may become full on the way: the space for
    predictions.json is reserved before the pictures take it.

    Parameters
    ----------
    out : Path
        the folder, which is there
    source : str or Path
        where the weights come from
    found : list of (file, its name below `out`)
        the photos and videos
    video_suffix : str
        of the videos that are written

    Raises OSError or ValueError if predictions.json cannot be written there.
    """

    def __init__(self, out, source, found, video_suffix='.webm'):
        self._out, self._count, self._path = out, len(found), out / 'predictions.json'
        self._failed = {kind: [] for kind in _KINDS}
        self._images, self._videos = [], []
        self._reached = 0   # photos and videos
        self._content = {'checkpoint': str(source), **self._failed, 'not_reached': 0, 'images': self._images,
                         'videos': self._videos}
        self._taken = {_key(file) for file, _ in found}   # no photo is written over
        self._own = {_key(out / name.with_suffix(video_suffix if is_video(file) else '.jpg')) for file, name in found}
        lists = sum(3 * len(json.dumps(str(file))) + len(json.dumps(str(out))) + 300 for file, _ in found)
        self._size = len(self._text()) + lists   # bytes, if each photo is in a list of failures

    def __enter__(self):
        require_replaceable(self._path)
        self._partial = self._path.with_name(self._path.name + PARTIAL)
        with naming(self._path):
            self._file = open(self._partial, 'wb')
            try:
                self._reserve(0)
            except OSError:
                self._discard()
                raise
        return self

    def __exit__(self, *error):
        self._content['not_reached'] = self._count - self._reached
        try:
            text = self._text()
            self._file.write(text)
            self._file.truncate()
            self._file.close()
            self._partial.replace(self._path)
        except OSError as failure:
            self._failed['unwritten'].append(f'{self._path}: {failure.strerror}')
        finally:
            self._discard()

    def add(self, file, name, image, task, result, views=False):
        """Adds a photo and its result of :meth:`Task.predict`, and writes its picture; with `views` also the others."""
        self._reached += 1
        picture = self.free(name.with_suffix('.jpg'))
        entry = {'file': str(file), 'width': image.shape[1], 'height': image.shape[0], 'picture': str(picture),
                 **task.describe(result)}
        with naming(self._path):
            self._reserve(_length(entry))   # the numbers of a photo come before its picture
        self._images.append(entry)
        self._write(entry, 'picture', picture, lambda: task.draw(image, result))
        if views:
            for view, shown in task.views(image).items():
                target = self.free(name.with_name(f'{name.stem}-{view.replace("/", "_")}.jpg'))
                with self.failing('unwritten', file), naming(self._path):
                    self._reserve(_length({view: str(target)}))
                    self._write(entry, view, target, lambda shown=shown: shown)

    def add_video(self, entry):
        """Adds what there is to say of a video, a dict that JSON can hold."""
        self._reached += 1
        with naming(self._path):
            self._reserve(_length(entry))
        self._videos.append(entry)

    @contextmanager
    def failing(self, kind, file, added=False):
        """Within, an error that a user can mend becomes a line in the list `kind`, which names the photo.

        It may be 'unreadable', 'unpredicted' or 'unwritten'. `added` says whether the results of the file are there all
        the same; those of one that is not written always are.
        """
        try:
            yield
        except Exception as error:
            said = said_of(error)
            if said is None:
                raise
            name, out, path = map(printable, (file, self._out, self._path))
            named = name in said or out in said and path not in said
            said = said if named else f'{name}: {said}'
            for each in (name, out):   # the line breaks of a traceback stay
                said = said.replace(each, each.replace('\n', '\\n'))
            self._failed[kind].append(said)
            self._reached += kind != 'unwritten' and not added

    def failures(self):
        """A line for each failure."""
        return [f'{said}: {line}' for kind, said in _KINDS.items() for line in self._failed[kind]]

    def summary(self):
        """What has been written, in a line."""
        counts = [f'{len(self._images)} pictures'] * bool(self._images or not self._videos)
        if self._videos:
            counts.append(f'{len(self._videos)} videos, {sum(video["frames"] for video in self._videos)} frames')
        said = f'{", ".join(counts)}: {self._out}; what was found: {self._path}'
        left = self._content['not_reached']
        return f'{said}; {left} of {self._count} were not reached' if left else said

    def _write(self, entry, key, target, draw):
        """Writes a picture; the entry has its path, or None if it is not written."""
        from ..pictures.jpeg import write_jpeg

        entry[key] = None
        write_jpeg(self._out / target, draw())
        entry[key] = str(target)

    def free(self, name):
        """Where a picture or video goes below the folder: this name, numbered if a photo or another's picture has it.
        """
        number, free = 1, name
        while _key(self._out / free) in self._taken or number > 1 and _key(self._out / free) in self._own:
            number += 1
            free = name.with_name(f'{name.stem}-{number}{name.suffix}')
        self._taken.add(_key(self._out / free))
        return free

    def _text(self):
        return (json.dumps(self._content, indent=1) + '\n').encode()

    def _reserve(self, more):
        """Makes predictions.json as long as it will be. OSError if there is no space, and then it stays as it is."""
        os.posix_fallocate(self._file.fileno(), 0, self._size + more)
        self._size += more

    def _discard(self):
        self._file.close()
        self._partial.unlink(missing_ok=True)


def _key(path):
    """Equal for two paths that some file system takes for one: letters of either case, accents of either form."""
    return unicodedata.normalize('NFC', str(Path(path).resolve())).casefold()


def _length(entry):
    """The most bytes that an entry takes in predictions.json, where it stands deeper than alone."""
    text = json.dumps(entry, indent=1)
    return len(text) + 2 * text.count('\n') + 8
