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
    """Within, a warning that comes while a progress bar stands on the terminal is a line above the bar."""
    before = warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        if not _bars():
            before(message, category, filename, lineno, file, line)
            return
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def _bars():
    tqdm = sys.modules.get('tqdm')
    return list(getattr(tqdm.tqdm, '_instances', ())) if tqdm else []
