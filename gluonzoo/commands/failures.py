"""What did not succeed while the rest went on."""
from contextlib import contextmanager

__all__ = ['Failures']


class Failures(list):
    """Lines, one a failure, each naming its file."""

    @contextmanager
    def noted(self):
        """Within, an OSError or ValueError ends the block, is noted, and goes no further.

        Yields a list, to which the line is added too, so that the caller can ask whether there was a failure.
        """
        here = []
        try:
            yield here
        except (OSError, ValueError) as error:
            plain = isinstance(error, OSError) and error.filename   # without its number
            here.append(f'{error.filename}: {error.strerror}' if plain else str(error))
        self += here
