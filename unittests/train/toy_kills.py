"""Trains once without a break and once with SIGKILL at random moments: python toy_kills.py DIRECTORY [of toy_job ...]

Prints how often it killed, and how many of the kills came while a checkpoint was written.
"""
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import toy_job  # the processes below are copies of this one, so they need not import it all again

PARTS = 6   # from its start to its kill, the first process has this part of the time of the whole training, on average
GROWTH = 1.01   # and each later one so many times more, or all might be killed before their first step


def begin(directory, *arguments):
    """Trains in a process of its own. Its exit code says whether it came to the end."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        toy_job.main([str(directory), *arguments])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main(directory, *arguments):
    begun = time.monotonic()
    assert os.waitpid(begin(directory / 'whole', *arguments), 0)[1] == 0
    duration = time.monotonic() - begun
    moments = random.Random(0)
    kills = writing = 0
    ended = None
    while ended is None:
        resume = ['--resume'] if (directory / 'broken' / 'settings.json').exists() else []
        child = begin(directory / 'broken', *arguments, *resume)
        time.sleep(moments.uniform(0, 2 * duration / PARTS * GROWTH ** kills))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            kills += 1
            writing += any(directory.rglob('*.partial'))
        else:
            ended = os.WEXITSTATUS(status)
    print(kills, writing)
    sys.exit(ended)


if __name__ == '__main__':
    main(Path(sys.argv[1]), *sys.argv[2:])
