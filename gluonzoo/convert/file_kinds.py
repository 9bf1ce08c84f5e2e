"""What a file is that is no weight file of the kind that was wanted, by how it begins."""

__all__ = ['LOOKED_AT', 'is_safetensors', 'kind_of_file']

LOOKED_AT = 512   # bytes

_KINDS = (
    (b'PK\x03\x04', 'a PyTorch file or another zip archive, whose name must end with .pth'),
    (b'\x80', 'a pickle, such as PyTorch before 1.6 wrote, whose name must end with .pth'),
    (b'version https://git-lfs', 'a pointer of Git LFS, and not the file itself: git lfs pull'),
    (b'<', 'a web page or XML, perhaps of a download that has failed'),
    (b'\x89HDF\r\n\x1a\n', 'an HDF5 file, as of Keras'),
    (b'\x12\x01\x00\x00\x00\x00\x00\x00', 'a parameter file of MXNet (net.save_parameters), whose name must end '
                                           'with .params'),
    *((bytes((0, 0, 0, 0, minor, 0, 0, 0)), 'a weight file of darknet, whose name must end with .weights or .conv.74')
      for minor in (1, 2)),
    (b'\x1f\x8b', 'compressed by gzip: unpack it'),
    (b'7z\xbc\xaf', 'a 7z archive: unpack it'),
    (b'Rar!', 'a RAR archive: unpack it'),
)


def is_safetensors(start):
    """Whether a safetensors file begins so: the length of the header, and the header, which is JSON."""
    return start[8:9] == b'{'


def kind_of_file(start):
    """In words, what the file is that begins with these `LOOKED_AT` bytes; None if that is unknown."""
    if is_safetensors(start):
        return 'a safetensors file, whose name must end with .safetensors'
    if start[257:262] == b'ustar':
        return 'a tar archive, as PyTorch before 0.1.10 wrote: unpack it, or write it anew with a later PyTorch'
    return next((what for beginning, what in _KINDS if start.startswith(beginning)), None)
