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
