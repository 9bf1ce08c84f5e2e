"""What the benchmarks share: sides that take turns, the machine that they run on, and how a report comes out."""
import collections
import contextlib
import ctypes
import datetime
import json
import os
import platform
import sys
import time

import numpy as np

# How often each side takes its turn, for about how many seconds, and the seconds between turns.
Pace = collections.namedtuple('Pace', 'rounds turn pause')


class WrongResultError(Exception):
    """A side computes something else than the reference."""


class UnavailableError(Exception):
    """What was asked for cannot be measured on this machine."""


def timed(function):
    begin = time.perf_counter()
    function()
    return (time.perf_counter() - begin) * 1e3


def threads_of_mxnet():
    """How many, after gluonzoo has been imported: the user's choice, or else that of gluonzoo."""
    return int(os.environ.get('MXNET_OMP_MAX_THREADS') or os.environ['OMP_NUM_THREADS'])


def spread(values):
    low, median, high = (float(v) for v in np.percentile(values, (10, 50, 90)))
    return {'median': median, 'p10': low, 'p90': high, 'samples': len(values)}


def take_turns(sides, pace, per_call=1):
    """Times functions in turns, each without threads of OpenMP's that another has left in the calling thread.

    Parameters
    ----------
    sides : dict
        name -> function that does its work `per_call` times and waits for the result
    pace : Pace

    Returns
    -------
    times : dict
        name -> spread of the milliseconds of one piece of work
    by_round : dict
        name -> array of the medians of each round
    """
    count = {}
    for name, function in sides.items():
        function()   # the first call builds graphs and touches memory
        count[name] = int(np.clip(pace.turn * 1e3 / timed(function), 1, 20))
    samples = {name: [] for name in sides}
    for turn in range(pace.rounds):
        for name in list(sides)[::1 if turn % 2 == 0 else -1]:
            release_threads()
            time.sleep(pace.pause)
            if count[name] > 1:   # a long call needs no warm cache
                sides[name]()
            samples[name].append([timed(sides[name]) / per_call for _ in range(count[name])])
    return ({name: spread(np.concatenate(turns)) for name, turns in samples.items()},
            {name: np.array([np.median(turn) for turn in turns]) for name, turns in samples.items()})


def release_threads():
    """Ends the OpenMP threads of the calling thread; the next loop starts them anew.

    PyTorch computes in this thread and MXNet in one of its own, with the same OpenMP library. With the threads of both,
    there are more than cores, and then they sleep between any two loops: gluonzoo.runtime.leave_cores_to_engine.
    """
    with contextlib.suppress(OSError, AttributeError):   # no GNU OpenMP, or one before 5.0
        ctypes.CDLL('libgomp.so.1').omp_pause_resource_all(1)


def ratio(by_round, over, under):
    """How many times longer `over` takes than `under`, round by round: a busy moment slows down both."""
    return spread(by_round[over] / by_round[under])


def cpu_model():
    try:
        with open('/proc/cpuinfo') as file:
            return next(line.split(':')[1].strip() for line in file if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine(pace):
    """Conditions of a report that every benchmark has."""
    return {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'cpu': cpu_model(), 'logical_cpus': os.cpu_count(), 'load_average_before': os.getloadavg()[0],
            'python': platform.python_version(), 'system': platform.platform(), 'pace': pace._asdict()}


def print_table(*rows):
    """Prints rows of words in aligned columns, the first row as the heading."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ['-' * width for width in widths]
    print()
    for row in (rows[0], rule, *rows[1:]):
        print('  '.join(map(str.ljust, row, widths)).rstrip())


def call(args, run, print_report):
    """Runs a benchmark, prints its report, if it has one, and with ``args.json`` writes it. Returns the exit code.

    2: what was asked for cannot be measured here; 1: a side is wrong, and nothing was measured.
    """
    try:
        report = run(args)
    except WrongResultError as error:
        print(f'WRONG: {error}', file=sys.stderr)
        return 1
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return 2
    if report:
        print_report(report)
    if report and args.json:
        with open(args.json, 'w') as file:
            json.dump(report, file, indent=1)
            file.write('\n')
    return 0
