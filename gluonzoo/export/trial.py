"""Computes an exported network once, in a process of its own: MXNet may die of it. See loaded.require_it_runs.

    python -m gluonzoo.export.trial '["net-symbol.json", "net-0000.params", {"data": [1, 3, 224, 224]}]'

The exit code is 0 if it was computed, or if it ended in an error that the caller will meet, too.
"""
import json
import sys


def main():
    import mxnet as mx

    from .loaded import example_inputs, load_exported
    from .tracing import examples, run

    symbol, params, inputs = json.loads(sys.argv[1])
    try:
        inputs = {name: tuple(shape) for name, shape in inputs.items()}
        loaded = load_exported(symbol, params, inputs, finite=False)
        run(loaded.block, examples(example_inputs(loaded.symbol, inputs)))
    except (ValueError, OSError, MemoryError, mx.MXNetError):
        pass


if __name__ == '__main__':
    main()
