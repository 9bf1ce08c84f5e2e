"""What a user is told of an error."""
import re
import sys

from ..reading import last_line, without_controls

__all__ = ['printable', 'said_of']

_LONGEST_WORD = 300   # letters; paths of people are shorter


def said_of(error):
    """What the user is told of an error: a line, or the traceback of the user's own code. None for errors of ours.

    It has no control characters: names of files may have any, and a terminal would obey them.
    """
    user_code = sys.modules.get(f'{__package__}.user_code')
    own = user_code and user_code.own_traceback(error)
    if own or not isinstance(error, _errors_of_users()):
        return own
    return printable(_words(error))


def printable(text):
    """A text without control characters but line breaks, which are written as Python writes them, and without endless
    words, which are cut off."""
    short = re.sub(rf'\S{{{_LONGEST_WORD + 1},}}', lambda word: word[0][:_LONGEST_WORD] + '...', str(text))
    return without_controls(short)


def _words(error):
    if isinstance(error, OSError) and error.filename:   # without its number
        return f'{error.filename}: {error.strerror}'
    if isinstance(error, MemoryError):
        return ': '.join(filter(None, ['there is not enough memory', str(error)]))
    if isinstance(error, _errors_of_libraries()):
        return last_line(error)
    return str(error)


def _errors_of_users():
    """What a user can mend. (All but the first three are there only where something has been computed.)"""
    train = sys.modules.get('gluonzoo.train')
    return (OSError, ValueError, MemoryError, *_errors_of_libraries(),
            *((train.CheckpointError, train.TrainingError) if train else ()))


def _errors_of_libraries():
    """Of pictures and networks that are too large or do not fit, and of memory."""
    mxnet, cv2 = sys.modules.get('mxnet'), sys.modules.get('cv2')
    return *([mxnet.MXNetError] if mxnet else []), *([cv2.error] if cv2 else [])
