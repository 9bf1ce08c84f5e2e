"""What the benchmarks share: taking turns, the conditions of the machine, and writing reports."""
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
    """A side computes something other than the reference."""


class UnavailableError(Exception):
    """The measurement is not possible on this machine."""


def timed(function):
    begin = time.perf_counter()
    function()
    return (time.perf_counter() - begin) * 1e3


def openmp_of_gluonzoo(threads):
    """The environment in which another framework's OpenMP threads wait and stay on cores as those of gluonzoo do."""
    from gluonzoo import cores, runtime

    with cores.spread_threads(threads):
        names = ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY', 'OMP_PROC_BIND', 'OMP_PLACES')
        there = {name: os.environ[name] for name in names if name in os.environ}
    return {'GOMP_SPINCOUNT': str(runtime.SPINS), **there}


def spread(values):
    low, median, high = (float(v) for v in np.percentile(values, (10, 50, 90)))
    return {'median': median, 'p10': low, 'p90': high, 'samples': len(values)}


def take_turns(sides, pace, per_call=1):
    """Times functions in turns. Before each turn the OpenMP threads that another function has left are ended.

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
    """Ends the OpenMP threads of the calling thread. The next loop starts new ones.

    PyTorch computes in this thread and MXNet in a thread of its own, with the same OpenMP library. Both together would
    have more threads than there are cores, and OpenMP threads then sleep between any two loops. See
    gluonzoo.runtime.leave_cores_to_engine.
    """
    with contextlib.suppress(OSError, AttributeError):   # no GNU OpenMP, or one before 5.0
        ctypes.CDLL('libgomp.so.1').omp_pause_resource_all(1)


def ratio(by_round, over, under):
    """How many times longer `over` takes than `under`: the spread of the ratios within one round.

    A busy moment of the machine slows down both sides of a round, so ratios spread less than times.
    """
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
    """Runs a benchmark and prints its report, if it has one; with ``args.json`` also writes the report to a file.

    Returns the exit code. 1: a side is wrong, and nothing was measured. 2: the measurement is not possible here.
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
