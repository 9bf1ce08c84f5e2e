"""Damages the two files of an exported network in many ways, and loads them: nothing may die, hang or take much memory.

    python unittests/export/mutations.py 400    # of each file; minutes

Each case is a process of its own, forked from one that has MXNet loaded. A network that was loaded is computed once,
too; that it dies there is counted by itself, since the commands compute it in another process first.
"""
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HOSTILE = [-1, -2, 0, 1, 7, 255, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 40, 1 << 63, -(1 << 63), 1e300, '', 'x' * 5000,
           None, [], {}, True, '(0, 0)', '(-1, -1)', '1000000000', '-5', 'nan', '[[]]', '_copy', 'null', 'Reshape',
           'Flatten']
SECONDS = 60   # a case may take
SLACK = 64 << 20   # bytes that a process may take besides ten times the file


def damaged_json(text, rng):
    """A text of JSON with one to three places damaged: values, or bytes."""
    if rng.random() < .3:
        return damaged_bytes(text.encode(), rng)
    value = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        parent, key = place(value, rng)
        kind = rng.random()
        if kind < .5:
            parent[key] = rng.choice(HOSTILE)
        elif kind < .7:
            del parent[key]
        elif isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool):
            parent[key] += rng.choice([-1, 1, 2, 100])
        elif isinstance(parent[key], list):
            parent[key] = parent[key] * 2
        elif isinstance(parent[key], str):
            parent[key] = parent[key][:len(parent[key]) // 2]
    return json.dumps(value).encode()


def place(value, rng):
    """A random place in nested lists and dicts: what holds it, and the key."""
    parent, key = {'all': value}, 'all'
    while True:
        inner = parent[key]
        if not isinstance(inner, (list, dict)) or not inner or rng.random() < .15:
            return parent, key
        parent = inner
        key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))


def damaged_bytes(data, rng):
    """Bytes flipped, cut off, put in, or numbers of four or eight bytes replaced, most of them near the beginning."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(data), 400) if rng.random() < .7 else len(data)) if data else 0
        kind = rng.random()
        if kind < .4 and data:
            data[at] = rng.randrange(256)
        elif kind < .5:
            del data[at:]
        elif kind < .6:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 16)))
        else:
            number = rng.choice([0, 1, (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1, 1 << 40, 1 << 33])
            length = rng.choice([4, 8])
            data[at:at + length] = (number & ((1 << 8 * length) - 1)).to_bytes(length, 'little')
    return bytes(data)


def outcome(symbol, params, inputs, size):
    """What becomes of two files: a word. 'loaded' and 'refused' are good, 'dies when computed' is for the trial."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os._exit(_load(symbol, params, inputs, size, write))
    os.close(write)
    begin = time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done or time.monotonic() - begin > SECONDS:
            break
        time.sleep(.002)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(read, 'rb') as file:
        said = file.read().decode()
    if not done:
        return 'hangs'
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status):
        return 'dies when computed' if said == 'loaded' else f'DIES: {status} {said}'
    return said


def _load(symbol, params, inputs, size, write):
    from gluonzoo.export.loaded import example_inputs, load_exported
    from gluonzoo.export.tracing import examples, run

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = load_exported(symbol, params, inputs)
    except (ValueError, OSError) as error:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        line = str(error)
        said = ('refused' if line.startswith((str(symbol), str(params))) and grown < 10 * size + SLACK
                else f'WRONG: {grown >> 20} MB, {line[:300]}')
        os.write(write, said.encode())
        return 0
    except BaseException as error:
        os.write(write, f'RAISES {type(error).__name__}: {error}'[:300].encode())
        return 0
    os.write(write, b'loaded')
    try:
        run(found.block, examples(example_inputs(found.symbol, inputs)))
    except ValueError:
        pass
    return 0


def outcomes(count, seed=0, keep=None):
    """How many of `count` damaged symbols and as many damaged parameter files end how: a Counter.

    Those that end badly are written into the folder `keep`.
    """
    import gluonzoo

    import mxnet as mx  # isort: skip

    rng, found = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        name = Path(folder, 'net')
        net = gluonzoo.get_model('cifar_resnet20')
        net.initialize()
        net.hybridize()
        net(mx.nd.zeros((1, 3, 32, 32))).wait_to_read()
        net.export(str(name))
        symbol, params = Path(f'{name}-symbol.json'), Path(f'{name}-0000.params')
        inputs = {'data': (1, 3, 32, 32)}
        assert outcome(symbol, params, inputs, params.stat().st_size) == 'loaded'
        bad = Path(folder, 'bad')
        for number in range(2 * count):
            of_symbol = number % 2 == 0
            bad.write_bytes(damaged_json(symbol.read_text(), rng) if of_symbol else
                            damaged_bytes(params.read_bytes(), rng))
            word = outcome(*((bad, params) if of_symbol else (symbol, bad)), inputs,
                           (symbol if of_symbol else params).stat().st_size)
            found['symbol' if of_symbol else 'params', word] += 1
            if keep and word not in ('loaded', 'refused'):
                Path(keep, f'{number}-{word[:6]}').write_bytes(bad.read_bytes())
    return found


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    for (file, word), number in sorted(outcomes(int(sys.argv[1]), keep='.').items()):
        print(file, word, number)
