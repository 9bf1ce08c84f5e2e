"""Messages about weights."""
from gluonzoo.convert.errors import at_most


def test_a_message_has_only_so_many_lines():
    lines = [f'line {number}' for number in range(25)]
    assert at_most(lines[:20]) == lines[:20] and at_most(lines[:21]) == lines[:21]   # one more is no longer
    assert at_most(lines) == [*lines[:20], '... and 5 more']
    assert at_most(lines, 3) == [*lines[:3], '... and 22 more'] and at_most([]) == []
