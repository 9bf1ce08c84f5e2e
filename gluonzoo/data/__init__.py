"""Datasets, their transforms, and the loader that makes batches of them."""
from .detection import DetectionRecords, Sample, detection_records
from .images import ImageError, read_image
from .loader import Batch, Loader
from .records import RecordError, write_records

__all__ = ['Batch', 'DetectionRecords', 'ImageError', 'Loader', 'RecordError', 'Sample', 'detection_records',
           'read_image', 'write_records']
