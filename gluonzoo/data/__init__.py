"""Datasets, their transforms, and the loader that makes batches of them."""
from ..pictures.decode import ImageError, read_image
from .coco_detection import CocoDetection, CocoSample, coco_detection
from .detection_records import DetectionRecords, Sample, detection_records
from .loader import Batch, Loader
from .paired_images import Pair, PairedImages, paired_images
from .records import RecordError, write_records

__all__ = ['Batch', 'CocoDetection', 'CocoSample', 'DetectionRecords', 'ImageError', 'Loader', 'Pair', 'PairedImages',
           'RecordError', 'Sample', 'coco_detection', 'detection_records', 'paired_images', 'read_image',
           'write_records']
