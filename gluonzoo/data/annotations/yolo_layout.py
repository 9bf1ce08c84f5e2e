"""Where the parts of YOLO's data lie: the names of the classes, the splits, and the text file of each picture.

Pictures and their text files lie side by side, or in folders ``images`` (or ``JPEGImages``) and ``labels`` of the same
inner order. The splits are folders, or are named by a file of YAML (Ultralytics, Roboflow), or by lists of pictures
(darknet, CVAT), which a file such as obj.data may name (darknet).
"""
from ...pictures.decode import SUFFIXES
from ...reading import quoted
from .base import AnnotationError, few, leads_inside, lines
from .darknet_data import KEYS, read_options
from .data_yaml import read_yaml, yaml_names, yaml_splits
from .listing import with_suffix
from .splits import PAIRS, choose, require_none_below

__all__ = ['Layout']

_MOST_LETTERS = 2048   # at the end of a path: no longer one leads inside

_LISTS = {name for pair in PAIRS for name in pair}
_FILES = 'train', 'valid', 'names'   # keys of a file such as obj.data whose values are paths
_PICTURES = 'images', 'JPEGImages'   # folders beside which there is a folder `labels`


class Layout:
    """Reads a directory's layout; the names of the classes go to `reading`.

    Attributes
    ----------
    splits : dict of split -> list of Path, pictures
    keypoints : int, or None
        how many numbers of points stand behind the box in a line; None if there are no points
    """

    def __init__(self, reading):
        self._reading, self._root = reading, reading.directory
        self.keypoints = None
        self._files = reading.files()
        self._labels = {}  # folder of pictures -> folder of their text files, None if it is the same
        self._named = {}   # split -> (the file that says so, folders and lists, the folder that they are below)
        self._read_yaml_files()
        self._data, self._options = self._darknet_data()
        self._read_names()
        if not self._named:
            self._named = {split: (self._data, [self._options[split]], None) for split in ('train', 'valid')
                           if split in self._options}
        sources = self._sources()
        self.splits = {split: [picture for source in sources[split] for picture in self._pictures(source)]
                       for split in sources}

    def text_of(self, picture):
        """(path of the text file about a picture, whether it may be missing, which says that there is no object)"""
        folder = picture.parent
        if folder not in self._labels:
            self._labels[folder] = self._labels_of(folder)
        labels = self._labels[folder]
        return (labels or folder) / f'{picture.stem}.txt', labels is not None

    def _labels_of(self, folder):
        """The folder of the text files, if the pictures are in a folder beside one called labels; else None."""
        parts = folder.relative_to(self._root).parts
        for index in reversed(range(len(parts))):
            labels = self._root.joinpath(*parts[:index], 'labels')
            if parts[index] in _PICTURES and labels.is_dir():
                return labels.joinpath(*parts[index + 1:])
        return None

    def texts_without_picture(self):
        """Text files that lie among those of the pictures, and are of none."""
        expected = {self.text_of(picture)[0] for picture in with_suffix(self._files, *SUFFIXES)}
        folders = {self.text_of(picture)[0].parent for pictures in self.splits.values() for picture in pictures}
        lists = {*self._lists().values(), *(path for said in self._named.values() for path in self._meant(*said))}
        return [path for path in with_suffix(self._files, '.txt')
                if path.parent in folders and path not in expected and path not in lists
                and path.name.lower() != 'classes.txt' and not path.name.lower().startswith('readme')]

    # -- files about the dataset ---------------------------------------------------------------------------------------

    def _read_yaml_files(self):
        for path in with_suffix(self._files, '.yaml', '.yml'):
            if path.parent == self._root:
                self._read_yaml(path)

    def _darknet_data(self):
        """(path, what it says) of the file such as obj.data; (None, {}) if there is none about these data.

        The directory's own counts. Without it, and without splits by YAML, those further below do of which a list is
        there: darknet's folders hold files about other data, too.
        """
        found = [(path, options) for path in with_suffix(self._files, '.data') if (options := read_options(path))]
        own = [(path, options) for path, options in found if path.parent == self._root]
        below = [] if own or self._named else found
        chosen = own or [(path, options) for path, options in below if self._is_about_these(path, options)]
        if below and not chosen and not self._reading.wanted_splits:
            path, options = found[0]
            others = few(str(other) for other, _ in found[1:])
            raise next(self._missing(path, key, options[key], others and f'; nor is any list of {others}')
                       for key in _FILES if key in options)
        for path, options in chosen:
            self._reading.mark_read(path)
            self._require_same(path, options, *chosen[0])
        return chosen[0] if chosen else (None, {})

    def _is_about_these(self, path, options):
        keys = [key for key in _FILES if key in options and key != 'names'] or ['names']
        return any(self._resolve(options[key], beside=path.parent) for key in keys)

    def _missing(self, path, key, value, hint=''):
        kind = 'file' if path.suffix.lower() == '.data' else 'file or folder'
        return AnnotationError(f'{path}: {key}: no {kind} {quoted(value)} in {self._root}{hint}')

    def _require_same(self, path, options, first, expected):
        """AnnotationError if two files such as obj.data differ in what they mean by a key."""
        for key in KEYS:
            values = [said.get(key) and (key in _FILES and self._resolve(said[key], beside=file.parent) or said[key])
                      for file, said in ((path, options), (first, expected))]
            if values[0] != values[1]:
                raise _differ(path, key, options.get(key), first, expected.get(key))

    def _read_names(self):
        """Reads all files that name the classes, but those of YAML."""
        reading, options = self._reading, self._options
        if 'names' in options:
            names = self._resolve(options['names'], beside=self._data.parent)
            if names is None or not names.is_file():
                raise self._missing(self._data, 'names', options['names'])
            reading.read_class_names(names)
        for path in self._files:
            kind = path.suffix.lower()
            if path.name.lower() == 'classes.txt' or (
                    kind in ('.names', '.labels') and 'names' not in options):   # darknet brings those of COCO, too
                reading.read_class_names(path)
        if reading.class_names is None:
            raise AnnotationError(f'{self._root / "classes.txt"}: No such file; the classes must be named there, or in '
                                  'data.yaml or obj.names')
        count = str(len(reading.class_names))
        if options.get('classes', count) != count:
            raise AnnotationError(f'{self._data}: classes: must be the number of the names, {count}: '
                                  f'{quoted(options["classes"])}')

    def _read_yaml(self, path):
        content = read_yaml(path)
        if content is None:
            return
        self._reading.mark_read(path)
        self._reading.set_class_names(path, yaml_names(path, content))
        shape = content.get('kpt_shape')
        if shape is not None:
            try:
                points, numbers = map(int, shape)
            except (TypeError, ValueError):
                raise AnnotationError(f'{path}: kpt_shape: must be two whole numbers: {quoted(shape)}') from None
            self.keypoints = points * numbers
        for split, values in yaml_splits(path, content).items():
            said = path, values, content.get('path')
            first = self._named.setdefault(split, said)
            if self._meant(*first) != self._meant(*said):
                raise _differ(path, split, values, first[0], first[1])

    def _meant(self, path, values, before):
        """The folders and lists of a split, None for each that is not there."""
        return [self._resolve(value, before, path.parent) for value in values]

    def _resolve(self, value, before=None, beside=None):
        """What a path means in the directory, whatever it was below elsewhere; None if there is nothing.

        It may be from the directory, from the folder `beside` that holds the file with the path, or from one between.
        """
        parts = _parts(value)
        paths = [_parts(before) + parts] if isinstance(before, str) else []
        between = (beside or self._root).relative_to(self._root).parts
        folders = [self._root.joinpath(*between[:count]) for count in range(len(between) + 1)]
        for path in (*paths, *(parts[index:] for index in range(len(parts)))):
            if leads_inside('/'.join(path)):
                for folder in folders:
                    if folder.joinpath(*path).exists():
                        return folder.joinpath(*path)
        return None

    # -- splits --------------------------------------------------------------------------------------------------------

    def _sources(self):
        """split -> list of folders and lists."""
        named = {split: self._meant(*said) for split, said in self._named.items()}
        named = {split: paths for split, paths in named.items() if None not in paths}
        lists, folders = self._lists(), self._folders()
        wanted = self._reading.wanted_splits
        if wanted:
            there = {**{name: [path] for name, path in {**folders, **lists}.items()}, **named}
            return choose(there, wanted, self._root)
        return self._named_sources(named) or self._found_sources(lists, folders)

    def _named_sources(self, named):
        """The sources of those splits that files name; None if they name none, or are of another place.

        `named` has the splits of which all is there.
        """
        excused = {'test'} if len(named) > 1 else ()   # Roboflow names it in any case
        missing = next((split for split in self._named if split not in {*named, *excused}), None)
        if missing:
            path, values, _ = self._named[missing]
            if named or path == self._data:   # YAML of which nothing is there is of another place
                value = values[self._meant(*self._named[missing]).index(None)]
                raise self._missing(path, missing, value,
                                    '; to part train at random: --splits train' if 'train' in named else '')
        if not named:
            return None
        if 'train' not in named:
            one = min(named)
            raise AnnotationError(f'{self._named[one][0]}: train: must be there, too; to part {one} at random: '
                                  f'--splits {one}')
        if len(named) == 1:
            return {'all': named['train']}
        chosen = choose(named, None, self._root)
        if chosen['train'] == chosen['val']:
            raise AnnotationError(f'{self._named["train"][0]}: train and val are the same; to part it at random: '
                                  '--splits train')
        return chosen

    def _found_sources(self, lists, folders):
        """The sources of splits that no file names: lists, folders, or all in one."""
        chosen = choose(lists, None, self._root) if len(lists) > 1 else None
        chosen = chosen or choose(folders, None, self._root)
        if chosen is None and lists:   # CVAT writes one for data without splits
            return {'all': list(lists.values())}
        if chosen is None and self._named:
            path, values, _ = next(iter(self._named.values()))
            raise AnnotationError(f'{path}: names splits, and there is no {quoted(values[0])} in {self._root}')
        if chosen is None:
            require_none_below(self._root, with_suffix(self._files, *SUFFIXES))
            self._require_no_lists_below()
            self._require_no_yaml_below()
        return {split: [path] for split, path in (chosen or {'all': self._root}).items()}

    def _lists(self):
        """name -> text file of the directory that lists the pictures of a split."""
        pictures = {path.stem for path in with_suffix(self._files, *SUFFIXES) if path.parent == self._root}
        names = _LISTS.union(map(str.lower, self._reading.wanted_splits or ()))
        return {path.stem: path for path in with_suffix(self._files, '.txt') if path.parent == self._root
                and path.stem.lower() in names and path.stem not in pictures}

    def _require_no_lists_below(self):
        """AnnotationError if a list of pictures lies further below: it would be passed over."""
        pictures = {path.with_suffix('') for path in with_suffix(self._files, *SUFFIXES)}
        for path in with_suffix(self._files, '.txt'):
            if path.stem.lower() in _LISTS and path.parent != self._root and path.with_suffix('') not in pictures:
                try:
                    first = next((line for _, line in lines(path)), '')
                except AnnotationError:   # no text
                    continue
                picture = self._resolve(first, beside=path.parent)
                if picture and with_suffix([picture], *SUFFIXES):
                    raise self._passed_over(path)

    def _require_no_yaml_below(self):
        """AnnotationError if a file of YAML further below names a split that is there."""
        for path in with_suffix(self._files, '.yaml', '.yml'):
            if path.parent != self._root:
                try:
                    splits = yaml_splits(path, read_yaml(path) or {})
                except AnnotationError:   # of something else
                    continue
                if any(self._resolve(value, beside=path.parent) for values in splits.values() for value in values):
                    raise self._passed_over(path)

    def _passed_over(self, path):
        return AnnotationError(f'{path}: is read in the folder of the data alone: --data {path.parent}, or put the '
                               f'file into {self._root}')

    def _folders(self):
        """name -> folder, in the directory or in its folder ``images``."""
        found = {}
        for path in self._files:
            parts = path.relative_to(self._root).parts
            for names in (parts[:1], parts[:2] if parts[0] == 'images' else ()):
                if names and len(names) < len(parts):
                    found[names[-1]] = self._root.joinpath(*names)
        return found

    def _pictures(self, source):
        """The pictures below a folder, or of a list."""
        if source.is_dir():
            return with_suffix(self._reading.files(source), *SUFFIXES)
        self._reading.mark_read(source)
        found = []
        for number, line in lines(source):
            with self._reading.or_skip():
                picture = self._resolve(line, beside=source.parent)
                if picture is None:
                    raise AnnotationError(f'{source}:{number}: no picture {quoted(line)} in {self._root}')
                found.append(picture)
        return found


def _differ(path, key, value, first, expected):
    """The error of two files that say different things about the same data; None stands for nothing."""
    value, expected = ('none' if one is None else quoted(one) for one in (value, expected))
    return AnnotationError(f'{path}: {key}: must be as in {first}, {expected}: {value}; or remove one of the two files')


def _parts(path):
    """The names in a path of Linux or Windows, without what leads to the root or up."""
    names = path[-_MOST_LETTERS:].replace('\\', '/').split('/')[len(path) > _MOST_LETTERS:]   # no name in parts
    return [name for name in names if name not in ('', '.', '..')]
