"""The registry: what is registered is found, and every misspelling is named."""
import sys

import pytest

from gluonzoo import registry
from gluonzoo.registry import Registry


@pytest.fixture
def shapes():
    shapes = Registry('shape')

    @shapes.register
    def circle(radius, colour='red', *, filled=False):
        return 'circle', radius, colour, filled

    @shapes.register
    class Circus:
        def __init__(self, tents=1):
            self.tents = tents

    return shapes


def test_functions_and_classes_are_made_by_name(shapes):
    assert shapes.create('circle', 2, filled=True) == ('circle', 2, 'red', True)
    assert shapes.create('circle', radius=3, colour='blue') == ('circle', 3, 'blue', False)
    assert shapes.create('Circus').tents == 1
    assert shapes.create('Circus', tents=4).tents == 4


def test_register_returns_its_target(shapes):
    def square():
        return 4
    assert shapes.register(square) is square
    assert shapes.register('rhombus')(square) is square
    assert shapes.create('rhombus') == 4


def test_a_given_name_takes_the_place_of_the_own_one(shapes):
    @shapes.register('arc')
    class Arc:
        def __init__(self, degrees=90):
            self.degrees = degrees

    assert shapes.names() == ['Circus', 'arc', 'circle']
    assert shapes.create('arc', degrees=45).degrees == 45
    with pytest.raises(ValueError, match="shape 'arc': unknown argument 'degree'; did you mean degrees"):
        shapes.create('arc', degree=45)


def test_signatures_are_those_that_create_takes(shapes):
    assert str(shapes.signature('circle')) == "(radius, colour='red', *, filled=False)"
    assert str(shapes.signature('Circus')) == '(tents=1)'   # without self
    with pytest.raises(ValueError, match=r"^unknown shape 'circel'; did you mean circle\?$"):
        shapes.signature('circel')


def test_names_are_sorted(shapes):
    shapes.register(type('Arc', (), {}))
    assert shapes.names() == ['Arc', 'Circus', 'circle']
    assert Registry('shape').names() == []


@pytest.mark.parametrize('name, arguments, message', [
    ('circel', {}, "unknown shape 'circel'; did you mean circle?"),
    ('Circle', {}, "unknown shape 'Circle'; did you mean circle or Circus?"),
    ('pentagon', {}, "unknown shape 'pentagon'; known: Circus, circle"),
    (None, {}, 'unknown shape None; known: Circus, circle'),
    ('circle', {'radius': 1, 'color': 'blue'}, "shape 'circle': unknown argument 'color'; did you mean colour?"),
    ('circle', {'radius': 1, 'x': 0}, "shape 'circle': unknown argument 'x'; known: colour, filled, radius"),
    ('circle', {}, "shape 'circle': missing a required argument: 'radius'"),
])
def test_errors_name_what_is_wrong_and_what_is_near(shapes, name, arguments, message):
    with pytest.raises(ValueError) as caught:
        shapes.create(name, **arguments)
    assert str(caught.value) == message


def test_too_many_arguments(shapes):
    with pytest.raises(ValueError, match="shape 'Circus': too many positional arguments"):
        shapes.create('Circus', 1, 2)


def test_nothing_registered():
    with pytest.raises(ValueError, match="unknown shape 'circle'; known: none"):
        Registry('shape').create('circle')


def test_a_type_error_inside_the_target_is_its_own(shapes):
    @shapes.register
    def broken():
        return 1 + '1'
    with pytest.raises(TypeError, match='unsupported operand'):
        shapes.create('broken')


def test_a_name_is_registered_once(shapes):
    with pytest.raises(ValueError, match=f"shape 'circle' is registered already, by {__name__}"):
        @shapes.register
        def circle():
            pass
    with pytest.raises(ValueError, match=f"shape 'circle' is registered already, by {__name__}"):
        shapes.register('circle')(lambda: None)
    assert shapes.create('circle', 1)[0] == 'circle'


def test_any_keyword_is_no_signature(shapes):
    with pytest.raises(TypeError, match=r"shape 'ellipse': name every keyword in the signature instead of \*\*"):
        @shapes.register
        def ellipse(**kwargs):
            pass
    with pytest.raises(TypeError, match=r"shape 'oval': name every keyword"):
        shapes.register('oval')(lambda **kwargs: None)
    assert 'ellipse' not in shapes.names() and 'oval' not in shapes.names()


def test_models_have_their_own_face(monkeypatch):
    monkeypatch.setattr(registry, 'MODELS', Registry('model'))
    registry.MODELS.register(type('tiny', (), {'__init__': lambda self, classes=1: setattr(self, 'classes', classes)}))
    assert registry.list_models() == ['tiny']
    assert registry.get_model('tiny', classes=7).classes == 7
    with pytest.raises(ValueError, match="unknown model 'tinny'; did you mean tiny?"):
        registry.get_model('tinny')


@pytest.mark.parametrize('use', [lambda shapes: shapes.names(), lambda shapes: shapes.create('Arc'),
                                 lambda shapes: shapes.register(type('Mine', (), {}))])
def test_home_is_imported_when_the_registry_is_first_used(tmp_path, monkeypatch, use):
    (tmp_path / 'shapes_at_home.py').write_text(
        "from gluonzoo.registry import SHAPES\n\n\n@SHAPES.register\nclass Arc:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, 'SHAPES', Registry('shape', 'shapes_at_home'), raising=False)
    assert 'shapes_at_home' not in sys.modules
    use(registry.SHAPES)
    assert 'Arc' in registry.SHAPES.names()
    del sys.modules['shapes_at_home']


def test_names_of_gluonzoo_are_taken_from_the_start():
    with pytest.raises(ValueError, match="model 'dsod300' is registered already, by gluonzoo.models.dsod"):
        registry.MODELS.register(type('dsod300', (), {}))
    for of, name in ((registry.MODELS, 'unet256'), (registry.TASKS, 'single_shot_detection'),
                     (registry.DATASETS, 'paired_images'), (registry.TRANSFORMS, 'pair_train')):
        assert name in of.names()
