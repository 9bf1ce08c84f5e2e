"""The argument --precision of commands that use a run: its networks compute in float32 or in bfloat16."""
from contextlib import ExitStack, contextmanager

__all__ = ['add_precision_argument', 'computing_in']


def add_precision_argument(parser):
    parser.add_argument('--precision', choices=('float32', 'bfloat16'), default='float32',
                        help='of convolutions and dense layers; bfloat16 on a CPU alone (default: %(default)s)')


@contextmanager
def computing_in(precision, task):
    """Within, the networks that a task predicts with compute in a precision: 'float32' or 'bfloat16'.

    Raises ValueError, which names the argument, for devices and networks that cannot.
    """
    if precision == 'float32':
        yield
        return
    import mxnet as mx

    from ..graph.bfloat16 import in_bfloat16
    from ..tasks.base import reason_of
    from ..tasks.stand_in import stand_in

    if [ctx.device_type for ctx in task.ctx] != ['cpu']:
        raise ValueError(f'--precision: bfloat16 is for one CPU, not for {", ".join(map(str, task.ctx))}')
    with ExitStack() as stack:
        for name in task.used:
            if name not in task.networks:
                continue
            shapes = task.input_shapes(name)
            if len(shapes) != 1:
                raise ValueError(f'--precision: bfloat16 is for networks of one input; {name} has {len(shapes)}')
            net = task.networks[name]
            try:
                low = in_bfloat16(net, mx.nd.random.normal(shape=shapes[0], ctx=task.ctx[0]))
            except mx.MXNetError as error:
                raise ValueError(f'--precision: MXNet cannot compute {name} in bfloat16: {reason_of(error)}') from error
            stack.enter_context(stand_in(task, net, _answering(low)))
        yield


def _answering(low):
    from mxnet import autograd

    from ..graph.edit import flat

    def answer(x):
        if autograd.is_training():   # as pix2pix tests with the statistics of each picture
            raise ValueError('--precision: bfloat16 normalises by the statistics of the training alone, and this task '
                             'by those of each picture')
        return flat([low(x)])
    return answer
