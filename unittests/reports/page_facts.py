"""What the tests of pages put on them."""
import numpy as np

from gluonzoo.reports.embedded import embedded
from gluonzoo.reports.evaluated import Evaluated
from gluonzoo.reports.history import Evaluation, History
from gluonzoo.reports.page import Facts
from gluonzoo.tasks.curves import Curves

__all__ = ['HOSTILE', 'facts']

PICTURE = np.zeros((8, 8, 3), np.uint8)
HOSTILE = '</script><script>alert(1)</script><img src=http://x.example/a onerror="alert(2)">{{ 7 * 7 }}&\'"'
NAN = float('nan')


def facts(word='word'):
    """All that a page may have, with a word in the place of each text that may come from a run."""
    history = History({word: [(1, 2.0), (2, 1.0)]}, {word: [(1, .1), (2, .1)]},
                      [Evaluation(1, 2, {word: .5, f'{word}/1': .1, f'{word}/2': NAN})], [])
    evaluated = Evaluated(word, 3, {word: .25}, {word: PICTURE},
                          {word: Curves(word, word, {word: np.array([[0, 1], [1, .5]])})}, [PICTURE], [word])
    settings = {'task': {'name': word, 'net': {'name': word}, word: [word]}, 'fit': {'epochs': 4}, word: word,
                'val_data': {word: {word: word}}}
    state = {'step': 2, 'epoch': 1, 'batch': 0, 'best': {'step': 2, 'value': .5}}
    samples = embedded(word, PICTURE, 1), embedded(word, PICTURE, 2)
    return Facts(word, settings, history, (word, 'max'), state, samples, (embedded(word, PICTURE),), evaluated,
                 ((word, word),), {word: word}, {word: word + ' too'}, (word,))
