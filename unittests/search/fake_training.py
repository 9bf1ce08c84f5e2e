"""In place of a training: writes scalars.csv as one does, heeds SIGTERM, and fails as it is told.

    python fake_training.py --run DIR --epochs 3 [--resume] --set x=0.5 --set how="crash"

The accuracy after epoch e is x * (1 - 0.5 ** e). `how`: well, crash, killed, nan, silent, hang, stubborn, slow, late.
"""
import argparse
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument('--run', type=Path)
parser.add_argument('--epochs', type=int, default=3)
parser.add_argument('--resume', action='store_true')
parser.add_argument('--set', action='append', default=[])
args = parser.parse_args()
values = {'how': 'well', 'x': 1, **{path: json.loads(value) for path, _, value in (each.partition('=')
                                                                                  for each in args.set)}}
how, asked_to_end = values['how'], []
signal.signal(signal.SIGTERM, lambda *_: asked_to_end.append(1))
print(f'gluonzoo train: begins {args.resume}', flush=True)
if how == 'crash':
    print(f'Traceback ...\ngluonzoo train: {args.run}: x is {values["x"] if args.epochs != 1 else "bad"}',
          file=sys.stderr)
    sys.exit(1)
done = args.run / 'checkpoints' / 'epochs'
if not args.resume:
    (args.run / 'checkpoints').mkdir(parents=True)
    (args.run / 'settings.json').write_text('{}')
    (args.run / 'scalars.csv').write_text('step,name,value\n')
    done.write_text('0')
lock = os.open(args.run / 'lock', os.O_CREAT | os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
with open(args.run / 'log', 'a') as log:
    log.write('resumed\n' if args.resume else 'begun\n')


def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and (not asked_to_end or how == 'stubborn'):
        time.sleep(.01)


for epoch in range(int(done.read_text()), args.epochs):
    if how in ('hang', 'stubborn') and not args.resume and epoch == 1:
        wait(60)
    if asked_to_end:
        time.sleep(.5 if how == 'late' else 0)   # saves
        sys.exit(143)
    accuracy = values['x'] * (1 - .5 ** (epoch + 1)) if how != 'nan' else float('nan')
    with open(args.run / 'scalars.csv', 'a') as scalars:
        if how != 'silent':
            scalars.write(f'{epoch + 1},acc,9\n{epoch + 1},data_wait,0.5\n{epoch + 1},acc,{accuracy!r}\n')
    done.write_text(str(epoch + 1))
    if how == 'killed':
        os.kill(os.getpid(), signal.SIGKILL)
    wait({'slow': .5, 'late': .5}.get(how, 0))
print('done')
