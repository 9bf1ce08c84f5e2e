"""gluonzoo/search/space.py: how a space is written, what is refused, and what a trial gets."""
import optuna
import pytest

from gluonzoo.search.space import Space, read_file, set_words


def space(*texts):
    return Space([('--space', text) for text in texts])


def trial(**values):
    return optuna.trial.FixedTrial(values)


@pytest.mark.parametrize('text, canonical', [
    ('fit.batch_size=choice(8,16)', 'fit.batch_size=choice(8, 16)'),
    ('  a.b =  loguniform( 1e-4 ,1 )  ', 'a.b=loguniform(0.0001, 1.0)'),
    ('a=choice(sgd, "adam w", true, null, -1, 1e-3, [1, "),"], {"name": "x, y"})',
     'a=choice("sgd", "adam w", true, null, -1, 0.001, [1, "),"], {"name": "x, y"})'),
    ('a=uniform(.5, +1)', 'a=uniform(0.5, 1.0)'),
    ('a=choice(NaN, Infinity)', 'a=choice("NaN", "Infinity")'),   # as with --set: JSON has no such numbers
    ('a=int(1, 9, 2)   # odd', 'a=int(1, 9, 2)')])
def test_how_a_line_is_written(text, canonical):
    found = space(text).texts
    assert found == [canonical]
    assert space(*found).texts == found


@pytest.mark.parametrize('text, condition', [
    ('x=uniform(0,1) if o==a', 'o=="a"'), ('x=uniform(0,1)   if  o == "a" # why', 'o=="a"'),
    ('x=uniform(0,1) if o in [a, 2]', 'o in ["a", 2]'), ('x=uniform(0,1) if o in ["a"]', 'o=="a"')])
def test_how_a_condition_is_written(text, condition):
    assert space(text, 'o=choice(a, 2, 3)').texts[1] == f'x=uniform(0.0, 1.0) if {condition}'


def test_a_file(tmp_path):
    path = tmp_path / 'space.txt'
    path.write_bytes(b'\xef\xbb\xbf# rates\r\n\r\na=uniform(0,1)\r\n  # sizes\r\nb=choice(1,2) if c==1\r\n'
                     b'c=int(1,2)\r\n')
    assert Space(read_file(path)).texts == ['a=uniform(0.0, 1.0)', 'b=choice(1, 2) if c==1', 'c=int(1, 2, 1)']
    path.write_text('a=uniform(0,1)\n\nb=uniform(1)\n')
    with pytest.raises(ValueError, match=r'space\.txt:3: b: uniform\(low, high\): has 1 value'):
        Space(read_file(path))


@pytest.mark.parametrize('texts, said', [
    ([], '--space: says nothing to search'),
    (['a'], "--space: must be like 'fit.batch_size=choice(8, 16)': 'a'"), (['a=3'], 'must be like'),
    (['=uniform(0,1)'], 'must be like'), (['a..b=uniform(0,1)'], 'must be like'), (['a=uniform[0,1]'], 'must be like'),
    (['a=uniform(0,1'], "--space: a: needs , or ) here: ''"), (['a=uniform(0 1)'], "needs , or ) here: '1)'"),
    (['a=uniform(,1)'], "a value is missing: ',1)'"), (['a=choice(1,2) or b'], "after the range may stand"),
    (['a=choice(' + '[' * 100000], '--space: a: a value is missing'),
    (['a=__import__("os").getcwd()'], "unknown distribution '__import__'"),
    (['a=uniform(0,1)', 'a=choice(1,2)'], '--space: a: is there twice'),
    (['a=uniform(0,1) if b==1'], '--space: a: the condition on b needs that setting to be searched, too; there are a'),
    (['a=uniform(0,1) if b==1', 'b=uniform(0,1)'], 'needs a choice, an int or a quniform, not uniform(0.0, 1.0)'),
    (['a=uniform(0,1) if b==3', 'b=choice(1,2)'], 'the condition on b never holds: 3 is not in choice(1, 2)'),
    (['a=uniform(0,1) if b in [1, 3]', 'b=int(1,2)'], 'never holds: 3 is not in int(1, 2, 1)'),
    (['a=uniform(0,1) if b in []', 'b=int(1,2)'], 'the condition on b has no values'),
    (['a=uniform(0,1) if b in 1', 'b=int(1,2)'], "after 'in' must stand [VALUES]: '1'"),
    (['a=uniform(0,1) if b=1', 'b=int(1,2)'], 'after the range may stand'),
    (['a=uniform(0,1) if b==1 and c==2', 'b=int(1,2)'], "after the condition stands more: 'and c==2'"),
    (['a=uniform(0,1) if b==', 'b=int(1,2)'], "a value is missing: ''"),
    (['a=choice(1,2) if b==1', 'b=choice(1,2) if a==1'], '--space: conditions go in a circle: '),
    (['a=choice(1,2) if a==1'], 'conditions go in a circle: a depends on a')])
def test_what_is_refused(texts, said):
    with pytest.raises(ValueError) as error:
        space(*texts)
    assert said in str(error.value) and '\n' not in str(error.value) and len(str(error.value)) < 300


def test_a_circle_names_who_depends_on_whom():
    with pytest.raises(ValueError) as error:
        space('a=choice(1,2) if b==1', 'b=choice(1,2) if c==1', 'c=choice(1,2) if a==1')
    assert str(error.value).count(' depends on ') == 3
    assert any(f'{first} depends on {second}' in str(error.value) for first, second in ('ab', 'bc', 'ca'))


def test_conditions():
    """c has a value only if b has 1, and b only if a has 'x'."""
    found = space('c=int(5, 6) if b==1', 'b=choice(1, 2) if a==x', 'a=choice(x, y)')
    assert found.paths == ['a', 'b', 'c']
    assert found.suggest(trial(a='"x"', b='1', c=5)) == {'a': 'x', 'b': 1, 'c': 5}
    assert found.suggest(trial(a='"x"', b='2', c=5)) == {'a': 'x', 'b': 2}
    assert found.suggest(trial(a='"y"', b='1', c=5)) == {'a': 'y'}


def test_a_part_comes_after_the_whole():
    assert space('a.b.c=int(1,2)', 'a.b=choice({"c":1}, {"c":2})', 'a.bc=int(1,2)').paths.index('a.b') == 0


def test_check_tries_both_ends_and_all_choices():
    tried = []
    space('x=uniform(0, 1) if o in [b, c]', 'n=int(1, 8)', 'o=choice(a, b, c)').check(tried.append)
    assert sorted(tried) == [
        ['n=1'], ['n=8'], ['o="a"'], ['o="b"'], ['o="b"', 'x=0.0'], ['o="b"', 'x=1.0'], ['o="c"'],
        ['o="c"', 'x=0.0'], ['o="c"', 'x=1.0']]


def test_check_names_the_line():
    def refuse(texts):
        if texts == ['b=2']:
            raise ValueError('--set: b: must be 1: 2')

    with pytest.raises(ValueError, match=r'^f:3: b: must be 1: 2$'):
        Space([('f:2', 'a=int(1,2)'), ('f:3', 'b=int(1,2)')]).check(refuse)


def test_corners():
    found = space('x=uniform(0, 1) if o==b', 'n=int(1, 8)', 'o=choice(a, b)')
    assert list(found.corners()) == [{'n': 1, 'o': 'a'}, {'n': 8, 'o': 'b', 'x': 1.0}]


def test_set_words():
    assert set_words({'a.b': 1e-05, 'c': 'adam', 'd': True, 'e': None, 'f': [1]}) == [
        'a.b=1e-05', 'c="adam"', 'd=true', 'e=null', 'f=[1]']
