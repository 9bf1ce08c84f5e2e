"""Arguments of the commands that use what has been trained."""
from pathlib import Path

from ..recipes.arguments import device_names

__all__ = ['add_run_arguments']


def add_run_arguments(parser, required=True):
    """Which run, which of its checkpoints, and where and how it computes."""
    parser.add_argument('--run', type=Path, required=required, help='the directory of the run')
    parser.add_argument('--which', choices=('best', 'last'), help='checkpoint (default: best)')
    parser.add_argument('--code', type=Path, metavar='FILE.py',
                        help='your own file that the run was trained with; it is executed')
    parser.add_argument('--devices', type=device_names, default=['cpu(0)'], help='cpu (default), gpu, gpu:0,gpu:1 ...')
    parser.add_argument('--set', action='append', metavar='PATH=VALUE', default=[],
                        help="in place of a setting of the run's, such as task.flip=true")
