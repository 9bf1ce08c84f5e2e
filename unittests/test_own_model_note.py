"""notes/own_model.md runs as it stands: its file, its commands and its Python, in an empty directory."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_story(tmp_path):
    text = (ROOT / 'notes' / 'own_model.md').read_text()
    blocks = re.findall(r'^```(\w*)\n(.*?)^```$', text, re.M | re.S)
    (_, own), *snippets = [block for block in blocks if block[0] == 'python']
    (tmp_path / 'my_net.py').write_text(own)
    said = ''
    for kind, block in blocks:
        if kind == '':
            for line in block.splitlines():
                program, *words = shlex.split(line)
                assert program == 'gluonzoo'
                said += run(['-m', 'gluonzoo.commands.main', *words], tmp_path)
        elif (kind, block) in snippets:
            said += run(['-c', block], tmp_path)
    assert len(list((tmp_path / 'found').glob('*.jpg'))) == 60 and (tmp_path / 'result.jpg').exists()
    best = max(float(value) for value in re.findall(r'^epoch \d/8.* F1 ([\d.]+),', said, re.M))
    assert best > .7   # a network that says yes to everything has 0.55


def run(words, cwd):
    """What a Python prints."""
    done = subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=500,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout + done.stderr
