"""Scripts as programs of their own."""
import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / 'scripts'


def run_program(script, *arguments, cwd):
    """-> subprocess.CompletedProcess with stdout and stderr as text"""
    return subprocess.run([sys.executable, str(SCRIPTS / script), *arguments], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, 'OMP_NUM_THREADS': '1',
                               'PYTHONPATH': os.pathsep.join([str(SCRIPTS.parent), *sys.path])})


def check_error_is_one_line(script, *arguments, cwd, words):
    """The exit code is 1, the line begins with `words`, and no run is left."""
    done = run_program(script, *arguments, cwd=cwd)
    assert done.returncode == 1 and done.stderr.startswith(words), done.stderr
    assert done.stderr.count('\n') == 1 and not (cwd / 'runs').exists()
