"""What is in files of networks, for people: dicts that JSON can hold. The files may come from anyone."""
import os
from collections import Counter
from math import prod
from pathlib import Path

import mxnet as mx

from ..convert import WeightsError
from ..convert.file_kinds import LOOKED_AT, kind_of_file
from ..convert.mxnet_params import read_params
from ..convert.weights import read_weights
from ..graph.checked import SymbolError, read_symbol, require_sound_shapes
from ..graph.edit import read_graph
from ..graph.layers import layers
from ..graph.losses import predictions_for_losses
from ..graph.training_only import drop_training_only
from ..reading import FileError, open_ordinary, parse_json, quoted, read_bytes
from .errors import ExportError
from .tracing import examples, run, trace

__all__ = ['of_block', 'of_onnx', 'of_parameters', 'of_symbol', 'of_weights']

_LARGEST_ONNX = 1 << 31   # bytes; protobuf takes no more


def of_parameters(net):
    """How many numbers a network has, and how many of them are trained."""
    parameters = list(net.collect_params().values())
    return {'parameters': sum(prod(parameter.shape) for parameter in parameters),
            'trained': sum(prod(parameter.shape) for parameter in parameters if parameter.grad_req != 'null')}


def of_block(block, inputs):
    """The layers of a block.

    Parameters
    ----------
    block : HybridBlock
        initialized
    inputs : dict of name -> shape, or array
    """
    arrays = examples(inputs)
    outputs = run(block, arrays)   # completes shapes
    symbol = drop_training_only(trace(block, list(arrays))[0])   # as it is exported
    shapes = {name: array.shape for name, array in arrays.items()}
    return {'inputs': _lists(shapes),
            'outputs': {name[:-len('_output')]: list(output.shape)
                        for name, output in zip(symbol.list_outputs(), outputs)},
            **_layers(symbol, shapes)}


def of_symbol(path, inputs):
    """The layers of a symbol file: with shapes, parameters and multiply-adds if the shapes of its inputs are given.

    Raises SymbolError or OSError.
    """
    symbol = predictions_for_losses(read_symbol(path))
    found = {'file': str(path), 'kind': "MXNet's symbol"}
    if not inputs:
        nodes = read_graph(symbol)['nodes']
        operators = Counter(node['op'] for node in nodes if node['op'] != 'null')
        return {**found, 'arguments': ', '.join(symbol.list_arguments()), 'outputs': ', '.join(symbol.list_outputs()),
                'operators': dict(operators.most_common()),
                'note': 'shapes, parameters and multiply-adds: give the shapes of its inputs (--inputs '
                        f'{symbol.list_arguments()[0] if symbol.list_arguments() else "data"}=1,3,224,224)'}
    unknown = [name for name in inputs if name not in symbol.list_inputs()]
    if unknown:
        raise SymbolError(f'{path}: has no input {quoted(unknown[0])}')
    require_sound_shapes(symbol, inputs, path)
    return {**found, 'inputs': _lists(inputs), **_layers(symbol, inputs)}


def _layers(symbol, shapes):
    try:
        found = layers(symbol, shapes)
    except mx.MXNetError as error:
        raise ExportError(f'its layers cannot be listed: {error}') from error
    return {'layers': [{**layer._asdict(), 'shape': list(layer.shape)} for layer in found],
            'parameters': sum(layer.parameters for layer in found),
            'multiply_adds': sum(layer.multiply_adds for layer in found),
            'types': ', '.join(sorted({layer.dtype for layer in found}))}


def _lists(shapes):
    return {name: list(shape) for name, shape in shapes.items()}


def of_weights(path):
    """The arrays of a file of weights: of MXNet, safetensors, or PyTorch; of darknet, how many numbers there are.

    Raises WeightsError, FileError or OSError.
    """
    with open_ordinary(path) as file:
        start, size = file.read(LOOKED_AT), os.fstat(file.fileno()).st_size
    kind = kind_of_file(start) or ''
    if Path(path).suffix in ('.weights', '.conv'):
        # Three numbers of the version, and how many pictures it has seen, which has 8 bytes since version 0.2.
        header = 20 if len(start) >= 8 and int.from_bytes(start[4:8], 'little') >= 2 else 16
        if size <= header or (size - header) % 4:
            raise WeightsError(f'{path}: not a weight file of darknet: {size} bytes')
        return {'file': str(path), 'kind': 'weights of darknet, which do not say of which layers',
                'numbers': (size - header) // 4}
    if 'parameter file of MXNet' in kind or Path(path).suffix == '.params':
        arrays, what = read_params(path, every_type=True), "MXNet's parameters"
    else:
        arrays, what = read_weights(path), 'safetensors' if Path(path).suffix == '.safetensors' else "PyTorch's weights"
    return {'file': str(path), 'kind': what,
            'arrays': [{'name': name, 'shape': list(array.shape), 'dtype': array.dtype.name, 'numbers': int(array.size)}
                       for name, array in arrays.items()],
            'numbers': sum(int(array.size) for array in arrays.values()), 'bytes': size}


def of_onnx(path):
    """The opset, inputs, outputs, operators and numbers of an ONNX file, and what gluonzoo says in it.

    Raises
    ------
    ExportError
        if the package onnx is missing
    FileError
        if it is no ONNX file, or a damaged one
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
        from onnx import helper
    except ImportError as error:
        raise ExportError(f"ONNX files need the package {error.name}: pip install 'gluonzoo[onnx]'") from error
    try:
        model = onnx.load_model_from_string(read_bytes(path, _LARGEST_ONNX))
    except (DecodeError, ValueError) as error:
        raise FileError(f'{path}: not an ONNX file, or cut short: {error}') from error
    graph = model.graph
    if not graph.node and not graph.initializer:
        raise FileError(f'{path}: not an ONNX file, or an empty one')

    def shape(value):
        tensor = value.type.tensor_type
        return ' x '.join(dim.dim_param or str(dim.dim_value) for dim in tensor.shape.dim) or 'any shape'

    def type_of(number):
        try:
            return helper.tensor_dtype_to_np_dtype(number).name
        except (KeyError, TypeError, ValueError):
            return f'type {number}'

    weights = {weight.name for weight in graph.initializer}
    types = Counter()
    for weight in graph.initializer:
        if any(length < 0 for length in weight.dims):
            raise FileError(f'{path}: damaged: {quoted(weight.name)} has the shape {tuple(weight.dims)}')
        types[type_of(weight.data_type)] += prod(weight.dims)
    about = next((prop.value for prop in model.metadata_props if prop.key == 'gluonzoo'), None)
    found = {'file': str(path), 'kind': 'ONNX', 'made_by': f'{model.producer_name} {model.producer_version}'.strip(),
             'opset': {opset.domain or 'ai.onnx': opset.version for opset in model.opset_import},
             'inputs': {value.name: shape(value) for value in graph.input if value.name not in weights},
             'outputs': {value.name: shape(value) for value in graph.output},
             'operators': dict(Counter(node.op_type for node in graph.node).most_common()),
             'numbers': sum(types.values()), 'types': dict(types)}
    if about is not None:
        found['about'] = parse_json(about, f"{path}: the property 'gluonzoo'")
    return found
