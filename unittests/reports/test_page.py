"""gluonzoo/reports/page.py: what stands on a page, that all of it is escaped, and that nothing is fetched."""
import base64
import hashlib
import html
import re
from html.parser import HTMLParser

import pytest
from page_facts import HOSTILE, facts

from gluonzoo.reports.history import Evaluation, History
from gluonzoo.reports.page import Facts, page

NAN = float('nan')


class Elements(HTMLParser):
    """(tag, attributes) of all elements, and the texts outside of style and script."""

    def __init__(self, content):
        super().__init__()
        self.found, self.texts, self._tag = [], [], None
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._tag = tag

    def handle_data(self, data):
        if self._tag not in ('style', 'script'):
            self.texts.append(data)


def test_what_stands_on_it():
    said = html.unescape(page(facts()).decode())
    for text in ('<title>word · gluonzoo</title>', 'trained</th><td>1 of 4 epochs, 2 updates', 'Samples by epoch',
                 'best word</th><td>0.5 after epoch 1', 'word.word', '["word"]', '3 items of the validation data',
                 'Of word, on 3', 'What word makes of validation data'):
        assert text in said, text
    assert said.count('data:image/jpeg;base64,') == 4   # two samples, one of the evaluation, one example


@pytest.mark.parametrize('word', [HOSTILE, 'javascript:alert(1)', '\0\x1b[31m\u202eabc', '\ud800', 'x' * 100000, '{%'])
def test_texts_of_a_run_are_only_texts(word):
    """The elements are those of a harmless page, and have its attributes."""
    wanted, there = (Elements(page(facts(each))) for each in ('word', word))
    assert [tag for tag, _ in there.found] == [tag for tag, _ in wanted.found]
    assert [set(attributes) for _, attributes in there.found] == [set(attributes) for _, attributes in wanted.found]
    for (tag, attributes), (_, harmless) in zip(there.found, wanted.found):
        assert tag != 'a' and not any(name.startswith('on') for name in attributes)
        for name in {'src', 'id', 'class', 'href', 'content', 'for'} & set(attributes):
            assert attributes[name] == harmless[name]
    said = ''.join(there.texts)
    assert not set('\0\x1b\u202e') & set(said) and '49' not in said


def test_a_best_checkpoint_of_no_evaluation_is_not_marked():
    whole = facts()
    state = {**whole.last, 'best': {'step': 10 ** 400, 'value': .5}}
    assert b'class="mark"' in page(whole) and b'class="mark"' not in page(whole._replace(last=state))


def test_nothing_is_fetched():
    content = page(facts())
    there = Elements(content).found
    assert b'http:' not in content and b'https:' not in content and b'url(' not in content and b'@import' not in content
    assert not {'link', 'iframe', 'object', 'embed', 'base', 'form', 'a', 'audio', 'video'} & {tag for tag, _ in there}
    for _, attributes in there:
        assert not {'href', 'srcset', 'action', 'style'} & set(attributes)
        assert attributes.get('src', 'data:image/jpeg;base64,').startswith('data:image/jpeg;base64,')


def test_only_its_own_style_and_script_are_allowed():
    content = page(facts(HOSTILE)).decode()
    policy, = (attributes['content'] for tag, attributes in Elements(content.encode()).found
               if attributes.get('http-equiv') == 'Content-Security-Policy')
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ('style', 'script'):
        inside, = re.findall(f'<{tag}>(.*?)</{tag}>', content, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_a_run_that_has_nothing_yet():
    said = html.unescape(page(Facts('new', {}, History({}, {}, [], []), notes=('there is nothing',))).decode())
    assert 'no checkpoint yet; 0 updates have numbers' in said and 'there is nothing' in said
    for section in ('samples', 'metrics', 'losses', 'evaluation', 'examples', 'pictures'):
        assert f'<section id="{section}"' not in said


def test_numbers_that_are_none():
    history = History({}, {}, [Evaluation(1, 5, {'mAP': NAN, 'other': float('inf')})], [])
    said = page(Facts('odd', {'task': None, 'fit': None}, history, ('mAP', 'max'))).decode()
    assert 'not a number after epoch 1' in said and '<td>inf</td>' in said and 'no finite number: mAP, other' in said


def test_long_settings_are_cut_and_said_to_be():
    settings = {'task': {'class_names': ['cat'] * 1000, **{f'key {i}': i for i in range(600)}}}
    said = html.unescape(page(Facts('long', settings, History({}, {}, [], []))).decode())
    assert '… (7000 letters)' in said and 'and 101 more' in said and 'key 498' in said and 'key 499' not in said


def test_many_metrics_in_the_table():
    history = History({}, {}, [Evaluation(1, 5, {**{f'AP/{i}': i / 20 for i in range(20)}, 'mAP': .5})], [])
    said = page(Facts('many', {}, history, ('mAP', 'max'))).decode()
    assert said.index('<th>mAP</th>') < said.index('<th>AP/0</th>') and '9 more are in scalars.csv alone' in said
    assert '<th>AP/10</th>' in said and '<th>AP/11</th>' not in said


def test_the_size_does_not_grow_with_long_names():
    """A name stands in many places of a chart."""
    name = 'x' * 10 ** 6
    history = History({name: [(1, 1.0)]}, {name: [(1, 1.0)]}, [Evaluation(1, 5, {name: .5, name + '/': 1})] * 30, [])
    assert len(page(Facts('long', {name: name, 'task': {name: name}}, history, (name, 'max')))) < 5 * 10 ** 6


def test_many_numbers_of_an_evaluation_are_folded():
    metrics = {**{f'AP/{i}': .1 for i in range(30)}, 'mAP': .5}
    shown = facts()._replace(main=('mAP', 'max'))
    said = page(shown._replace(evaluated=shown.evaluated._replace(metrics=metrics))).decode()
    assert '<summary>mAP 0.5; and 30 more</summary>' in said


@pytest.mark.parametrize('trained, made, said, unsaid', [
    ({'MXNet': '1'}, {'MXNet': '2'}, ['that trained last', 'that made this page', '<td>1</td>', '<td>2</td>'],
     'not say'),
    ({'MXNet': '1'}, {'MXNet': '1'}, ['that trained last', '<td>1</td>'], 'that made this page'),
    (None, {'MXNet': '2'}, ['The run does not say', 'that made this page', '<td>2</td>'], 'that trained last')])
def test_environments(trained, made, said, unsaid):
    text = page(Facts('a', {}, History({}, {}, [], []), trained_with=trained, made_with=made)).decode()
    assert all(each in text for each in said) and unsaid not in text
