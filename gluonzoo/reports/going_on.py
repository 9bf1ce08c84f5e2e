"""The commands that go on with a run: train further, evaluate, predict, export."""
import math
import shlex

__all__ = ['commands']

_TRAIN = ('import json, sys, gluonzoo; run = sys.argv[1]; settings = json.load(open(run + "/settings.json")); '
          '{longer}gluonzoo.run_training(settings, run, resume=True{code})')


def commands(directory, settings, epochs, makes_pictures=False, exports=True):
    """What a user may type next: list of (what for, command). The commands run in a shell, from any folder.

    Parameters
    ----------
    directory : Path
        of the run
    settings : dict
    epochs : int
        that the last checkpoint has behind it
    makes_pictures : bool
        whether the task makes pictures from noise, and takes none
    exports : bool
        whether the task says what is exported of it
    """
    run = shlex.quote(str(directory.resolve()))
    file = settings.get('code') and shlex.quote(str(directory.resolve() / 'code' / settings['code']['file']))
    wanted = (settings.get('fit') or {}).get('epochs', math.inf)
    longer = f'settings["fit"]["epochs"] = {2 * epochs}; ' if epochs >= wanted else ''
    code = _TRAIN.format(longer=longer, code=', code=sys.argv[2]' if file else '')
    of_run = f'--run {run}{f" --code {file}" if file else ""}'
    rest = [('make pictures', f'gluonzoo sample {of_run} --count 16 --out made.png')] if makes_pictures else \
        [('predict', f'gluonzoo predict {of_run} --images photo.jpg --out out/')]
    return [(f'train {f"to epoch {2 * epochs}" if longer else "on"}',
             f"python -c '{code}' {run}{f' {file}' if file else ''}"),
            ('evaluate', f'gluonzoo evaluate {of_run}'), *rest,
            *[('export', f'gluonzoo export {of_run} --onnx --out model.onnx')] * exports]
