"""Images made larger or smaller.

Source of what they mean: github.com/apache/mxnet, src/operator/contrib/bilinear_resize-inl.h and
src/operator/nn/upsampling-inl.h.
"""
from ..errors import ExportError
from .base import translates


@translates('_contrib_BilinearResize2D')
def _bilinear_resize(nodes):
    """In every mode. With align_corners the middles of corner pixels stay, else the edges of the image."""
    corners = nodes.flag('align_corners', True)
    sizes = [_known_or(nodes, axis, _resized) for axis in (2, 3)]
    first = [nodes.length(0, axis) for axis in (0, 1)]
    data, = nodes.inputs[:1]
    for axis in (2, 3):
        if nodes.results[0][axis] == 1:   # MXNet takes the first pixel then, wherever the middle is
            data = nodes.add('Slice', data, *(nodes.constant([value]) for value in (0, 1, axis)))
    nodes.end('Resize', data, '', '', nodes.add('Concat', *first, *sizes, axis=0), mode='linear',
              coordinate_transformation_mode='align_corners' if corners else 'half_pixel')


def _known_or(nodes, axis, compute):
    """The name of the length of an axis of the result, computed only if it varies."""
    length = nodes.results[0][axis]
    return compute(nodes, axis) if length is None else nodes.constant([length])


def _resized(nodes, axis):
    mode, name = nodes.attrs.get('mode', 'size'), 'height' if axis == 2 else 'width'
    if mode == 'like':
        return nodes.length(1, axis)
    length = nodes.length(0, axis)
    odd = nodes.add('Mod', length, nodes.constant([2]))
    if mode in ('size', 'odd_scale'):
        scale = nodes.attrs.get(f'scale_{name}', 'None')
        if scale == 'None':
            return nodes.constant([nodes.number(name, 1)])
        if mode == 'size':
            return _scaled(nodes, length, scale)
        return nodes.add('Add', _scaled(nodes, nodes.add('Sub', length, odd), scale), odd)
    change = {'to_even_down': (0, -1), 'to_even_up': (0, 1), 'to_odd_down': (-1, 0), 'to_odd_up': (1, 0)}.get(mode)
    if change is None:
        raise ExportError(f'BilinearResize2D: cannot be exported with mode {mode!r}')
    even, more = change   # what is added to an even length, and to an odd one
    return nodes.add('Add', length, nodes.add('Add', nodes.constant([even]),
                                              nodes.add('Mul', odd, nodes.constant([more - even]))))


def _scaled(nodes, length, scale):
    product = nodes.add('Mul', nodes.add('Cast', length, to=1), nodes.constant([float(scale)], 'float32'))
    return nodes.add('Cast', product, to=7)   # rounds down


@translates('UpSampling')
def _upsampling(nodes):
    """Each pixel several times, of one map or of several of different sizes; or a transposed convolution."""
    scale = nodes.number('scale', 1)
    if nodes.attrs.get('sample_type') == 'bilinear':
        kernel, pad = 2 * scale - scale % 2, scale // 2
        return nodes.end('ConvTranspose', *nodes.inputs, kernel_shape=[kernel] * 2, strides=[scale] * 2,
                         pads=[pad] * 4, group=nodes.shapes[0][1])
    height = nodes.shapes[0][2]
    if len(nodes.inputs) > 1 and any(shape[2] is None for shape in nodes.shapes):
        raise ExportError('UpSampling: of several maps, can be exported for images of one size; export a file for each '
                          'size')
    maps = [_repeated(nodes, data, scale * height // shape[2] if height else scale)
            for data, shape in zip(nodes.inputs, nodes.shapes)]
    if len(maps) == 1:
        return nodes.end('Identity', *maps)
    if nodes.attrs.get('multi_input_mode', 'concat') == 'sum':
        return nodes.end('Sum', *maps)
    nodes.end('Concat', *maps, axis=1)


def _repeated(nodes, data, scale):
    return nodes.add('Resize', data, '', nodes.constant([1, 1, scale, scale], 'float32'), mode='nearest',
                     coordinate_transformation_mode='asymmetric', nearest_mode='floor')
