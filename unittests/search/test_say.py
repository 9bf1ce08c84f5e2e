"""gluonzoo/search/say.py"""
import io
import sys

from gluonzoo.search.say import say


def test_a_line(capsys):
    say('trial 0 begins')
    assert capsys.readouterr() == ('', 'trial 0 begins\n')


def test_a_stream_that_is_closed(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, 'stderr', closed)
    say('nobody reads this')
