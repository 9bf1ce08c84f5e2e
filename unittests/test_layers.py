"""The house has floors: a room of gluonzoo imports only from the floors below it, and nothing goes round in circles."""
import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import gluonzoo

ROOT = Path(gluonzoo.__file__).parent

FLOORS = (
    ('cores', 'reading', 'files'),
    ('values', 'memory'),
    ('runtime', 'parameter_server', 'registry', 'boxes'),
    ('ops', 'pictures', 'graph'),
    ('nn', 'losses', 'optimizers', 'metrics'),
    ('models', 'convert'),
    ('train',),
    ('tasks', 'data', 'export'),
    ('recipes',),   # numbers alone: the commands of the same floor read them, and they read no command
    ('search', 'reports'),   # which are told how a training is started, and what a checkpoint is evaluated on
    ('commands',),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What breaks the rule and may still: (file, what it imports) -> why.
ALLOWED = {
    ('export/converter.py', 'gluonzoo'): '__version__, which ONNX files name as that of their producer, stands there',
}


class Import(NamedTuple):
    """One module that a file imports."""
    file: str         # 'ops/gather.py'
    line: int
    source: str       # the module that this file is: 'gluonzoo.ops.gather'
    target: str       # 'gluonzoo.runtime'
    at_start: bool    # with the file, and not only when a function runs


def find_imports(root):
    """What the files of a package import of the package, in the order of files and lines."""
    modules = {}   # name -> file; of a package, its __init__.py
    for file in sorted(root.rglob('*.py')):
        parts = (root.name, *file.relative_to(root).with_suffix('').parts)
        modules['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = file
    return [Import(file.relative_to(root).as_posix(), line, name, target, at_start)
            for name, file in modules.items() for line, target, at_start in _imports(name, file, modules)]


def _imports(name, file, modules):
    """(line, module, whether at the start) of the imports of one file."""
    package = name.split('.') if file.name == '__init__.py' else name.split('.')[:-1]
    top = package[0] if package else name

    def visit(node, at_start):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split('.')[0] == top:
                    yield node.lineno, alias.name, at_start
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else []
            base = '.'.join(above + ([node.module] if node.module else []))
            if base.split('.')[0] == top:
                for alias in node.names:   # modules, or names in the module `base`
                    target = f'{base}.{alias.name}'
                    yield node.lineno, target if target in modules else base, at_start
        else:
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for child in ast.iter_child_nodes(node):
                yield from visit(child, at_start and not inside)

    return visit(ast.parse(file.read_text(), str(file)), True)


def room(module):
    """The room of a module; None: the package itself."""
    return (module.split('.') + [None])[1]


def upward(imports, floor):
    """Those that go to a floor above, to another room of the same floor, or to the package itself, which is above all.

    `floor` is a dict of room -> number. A room that has none is above all too.
    """
    def height(name):
        return floor.get(name, len(floor))

    return [one for one in imports if room(one.source) is not None and room(one.source) != room(one.target)
            and height(room(one.source)) <= height(room(one.target))]


def circle(imports):
    """The modules of a circle, the first again at the end, or an empty list. Counts what is imported at the start.

    A module stands for its file. Who imports from another package imports the ``__init__.py`` of that package as well.
    """
    graph = {}
    for one in imports:
        if one.at_start:
            parts = one.target.split('.')
            packages = ('.'.join(parts[:i]) for i in range(1, len(parts)))
            graph.setdefault(one.source, set()).update(
                [one.target], (name for name in packages if not f'{one.source}.'.startswith(f'{name}.')))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


# -- gluonzoo --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def imports():
    return find_imports(ROOT)


def test_every_room_has_a_floor():
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == '.py' or (path / '__init__.py').exists()}
    assert rooms - {'__init__', '__main__'} <= set(FLOOR)


def test_rooms_import_from_the_floors_below(imports):
    wrong = upward(imports, FLOOR)
    said = [f'{one.file}:{one.line} imports {one.target}: the room {room(one.source)!r} is not above '
            f'{(room(one.target) or one.target)!r}' for one in wrong if (one.file, one.target) not in ALLOWED]
    assert not said, '\n'.join(said)
    kept = set(ALLOWED) - {(one.file, one.target) for one in wrong}
    assert not kept, f'these keep the rule by now; take them out of ALLOWED: {sorted(kept)}'


def test_no_circles(imports):
    found = circle(imports)
    assert not found, ' imports '.join(found[::-1])


# -- and that this would find what it looks for ----------------------------------------------------------------------

@pytest.fixture
def package(tmp_path):
    """Makes a package of files, dict of path -> text; what it imports."""
    def make(files):
        for path, text in files.items():
            file = tmp_path / 'house' / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return find_imports(tmp_path / 'house')
    return make


def test_imports_of_every_form(package):
    found = package({
        '__init__.py': 'from . import a\nfrom .a.one import x\nimport os\n',
        'a/__init__.py': 'from .one import x\nfrom .. import b\n',
        'a/one.py': 'import house.b.two\nfrom house import b, VERSION\nfrom houses import z\nfrom ..b.two import y\n',
        'b/__init__.py': '',
        'b/two.py': 'class C:\n    from ..a import one\n    def f(self):\n        from . import nothing\n'
                    'try:\n    from ..a.one import x\nexcept ImportError:\n    pass\n'})
    assert [tuple(one) for one in found] == [
        ('__init__.py', 1, 'house', 'house.a', True), ('__init__.py', 2, 'house', 'house.a.one', True),
        ('a/__init__.py', 1, 'house.a', 'house.a.one', True), ('a/__init__.py', 2, 'house.a', 'house.b', True),
        ('a/one.py', 1, 'house.a.one', 'house.b.two', True), ('a/one.py', 2, 'house.a.one', 'house.b', True),
        ('a/one.py', 2, 'house.a.one', 'house', True), ('a/one.py', 4, 'house.a.one', 'house.b.two', True),
        ('b/two.py', 2, 'house.b.two', 'house.a.one', True), ('b/two.py', 4, 'house.b.two', 'house.b', False),
        ('b/two.py', 6, 'house.b.two', 'house.a.one', True)]


@pytest.mark.parametrize('file, text, wrong', [
    ('low/a.py', 'from ..high import x', True), ('low/a.py', 'from ..beside import x', True),
    ('low/a.py', 'def f():\n    import house.high.x', True), ('low/a.py', 'from .. import VERSION', True),
    ('low/a.py', 'from .. import new', True), ('new/a.py', 'from ..low import x', False),
    ('low/a.py', 'from .b import x', False), ('high/a.py', 'from ..low.a import x', False),
    ('high/deep/a.py', 'from ...low import x', False), ('high/deep/a.py', 'from ..other import x', False),
    ('high/deep/a.py', 'from ...other import x', True), ('__init__.py', 'from .high import x', False)])
def test_imports_that_go_up(package, file, text, wrong):
    floor = {'low': 0, 'beside': 0, 'high': 1, 'other': 1}
    init = {f'{name}/__init__.py': '' for name in ('low', 'beside', 'high', 'high/deep', 'other', 'new')}
    assert len(upward(package({'__init__.py': '', **init, file: text}), floor)) == wrong


@pytest.mark.parametrize('files, wrong', [
    ({'a.py': 'from . import b', 'b.py': 'from .c import x', 'c.py': 'from .a import y'}, True),
    ({'a.py': 'from . import b', 'b.py': 'def f():\n    from . import a'}, False),
    ({'p/__init__.py': 'from .one import x', 'p/one.py': 'from .two import x', 'p/two.py': ''}, False),
    ({'p/__init__.py': 'from .one import x', 'p/one.py': 'from . import NAME'}, True),
    ({'p/__init__.py': 'from ..q import x', 'p/one.py': '', 'q.py': 'from .p.one import x'}, True)])   # p runs first
def test_circles(package, files, wrong):
    found = circle(package({'__init__.py': '', **files}))
    assert bool(found) == wrong and (not wrong or found[0] == found[-1])
