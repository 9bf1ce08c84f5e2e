"""Arrays that no input makes."""
import numpy as np

from .base import translates


@translates('_full')
def _full(nodes):
    _constant(nodes, np.full(nodes.results[0], nodes.real('value')))


@translates('_linspace')
def _linspace(nodes):
    _constant(nodes, np.linspace(nodes.real('start'), nodes.real('stop'), nodes.number('num', 50),
                                 endpoint=nodes.flag('endpoint', True)))


@translates('_eye')
def _eye(nodes):
    rows, columns = nodes.results[0]
    _constant(nodes, np.eye(rows, columns, nodes.number('k', 0)))


@translates('_arange')
def _arange(nodes):
    length, = nodes.results[0]
    repeat = nodes.number('repeat', 1)
    start = nodes.real('start') if nodes.attrs.get('stop', 'None') != 'None' else 0   # else start is the stop
    _constant(nodes, start + np.arange(length) // repeat * nodes.real('step', 1))


def _constant(nodes, value):
    nodes.end('Identity', nodes.constant(value, nodes.dtypes[0]))
