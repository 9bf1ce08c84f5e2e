"""Whether a stream takes a line."""
import io
import os

from gluonzoo.train.streams import takes


def test_a_pipe_that_is_full():
    reading, writing = os.pipe()
    with open(reading, 'rb') as reader, open(writing, 'wb', buffering=0) as stream:
        assert takes(stream)
        os.set_blocking(writing, False)
        while stream.write(bytes(4096)):   # None: it is full
            pass
        assert not takes(stream)
        reader.read1(1 << 16)
        assert takes(stream)


def test_streams_that_are_none_of_the_system():
    assert takes(io.StringIO()) and takes(None)
    closed = open(os.devnull)
    closed.close()
    assert takes(closed)
