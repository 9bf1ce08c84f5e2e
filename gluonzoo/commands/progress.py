"""What shares the terminal with progress bars: a line of its own for each error and warning."""
import sys
import warnings
from contextlib import contextmanager

__all__ = ['close_bars', 'warnings_beside_bars']


def close_bars():
    """Ends the progress bars that an error has left standing, so that the next line on the terminal is its own."""
    for bar in _bars():
        bar.close()


@contextmanager
def warnings_beside_bars():
    """Within, each warning is one line, above the progress bar if one stands on the terminal."""
    before = warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        if not _bars():
            before(message, category, filename, lineno, file, '')   # without the line of code that warns
            return
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            before(message, category, filename, lineno, file, '')

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def _bars():
    tqdm = sys.modules.get('tqdm')
    return list(getattr(tqdm.tqdm, '_instances', ())) if tqdm else []
