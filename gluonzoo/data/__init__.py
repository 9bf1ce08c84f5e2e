"""Datasets, their transforms, and the loader that makes batches of them."""
from ..pictures.decode import ImageError, read_image
from .coco_detection import CocoDetection, CocoSample
from .detection_records import DetectionRecords, Sample
from .loader import Batch, Loader
from .paired_images import Pair, PairedImages
from .records import RecordError, write_records

__all__ = ['Batch', 'CocoDetection', 'CocoSample', 'DetectionRecords', 'ImageError', 'Loader', 'Pair', 'PairedImages',
           'RecordError', 'Sample', 'read_image', 'write_records']
