"""ONNX files in OpenVINO, another runtime than the one that every export is compared in."""
from .errors import ExportError
from .onnx import Session
from .tracing import each_difference

__all__ = ['OpenVINO', 'check_openvino']


class OpenVINO:
    """An ONNX file in OpenVINO on the CPU, in float32 and one thread: a function from a dict of arrays to a list."""

    def __init__(self, path):
        try:
            import openvino
        except ImportError as error:
            raise ExportError("OpenVINO needs the package openvino: pip install 'gluonzoo[openvino]'") from error
        options = {'INFERENCE_NUM_THREADS': 1, 'INFERENCE_PRECISION_HINT': 'f32'}
        self._model = self._plainly(openvino.Core().compile_model, str(path), 'CPU', options)
        self.outputs = [next(iter(output.names)) for output in self._model.outputs]

    def __call__(self, arrays):
        found = self._plainly(self._model, arrays)
        return [found[output].copy() for output in self._model.outputs]

    @staticmethod
    def _plainly(function, *args):
        try:
            return function(*args)
        except Exception as error:   # OpenVINO's are RuntimeErrors of many lines, and others
            reason = ' '.join(str(error).split())
            raise ExportError(f'OpenVINO does not take this file: {reason[-300:]}') from error


def check_openvino(path, arrays, *, tolerance=1e-4, compare=each_difference):
    """Compares what an ONNX file computes in OpenVINO with what it computes in onnxruntime.

    Parameters
    ----------
    path : str or Path
        of the ONNX file
    arrays : dict of name -> array
        an example of the inputs
    tolerance : float
        how far each output may be from onnxruntime's, as a share of its greatest number
    compare : function, optional
        how far, of the names of the outputs and both lists of arrays: a dict of name -> float. For detections,
        :func:`gluonzoo.export.tracing.rows_difference`.

    Returns
    -------
    dict of name -> float : the differences

    Raises
    ------
    ExportError
        if OpenVINO is not installed, does not take the file, or computes something else
    """
    first, second = Session(path), OpenVINO(path)
    differences = compare(first.outputs, first(arrays), second(arrays))
    wrong = [f'{name} by {value:.2g}' for name, value in differences.items() if not value <= tolerance]
    if wrong:
        raise ExportError(f'OpenVINO computes something else than onnxruntime: {", ".join(wrong)} of its greatest '
                          f'number; {tolerance:g} is allowed')
    return differences
