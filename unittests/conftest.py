"""What every test stands on: the number of threads, the seeds, and a header that says which route is tested."""
import os
import random

os.environ.setdefault('OMP_NUM_THREADS', '2')   # more threads than free processors are many times slower

import numpy as np
import pytest

# Their assertions tell as much as those of the tests themselves.
pytest.register_assert_rewrite('annotation_cases', 'coloured_boxes', 'get_checks', 'programs', 'run_checks',
                               'task_checks')

try:
    import gluonzoo.ops  # first: it makes MXNet importable
except ImportError as error:   # the tests of the installation have something to say about it
    gluonzoo, why = None, error
else:
    import mxnet as mx


def pytest_report_header(config):
    if gluonzoo is None:
        return f'gluonzoo: cannot be imported: {why}'
    return (f'gluonzoo: route {gluonzoo.ops.route()} of {", ".join(gluonzoo.ops.available_routes())}; '
            f'MXNet {mx.__version__}, NumPy {np.__version__}, {os.environ["OMP_NUM_THREADS"]} threads')


@pytest.fixture(autouse=True)
def seeds():
    random.seed(0)
    np.random.seed(0)
    if gluonzoo is not None:
        mx.random.seed(0)
