"""Datasets, their transforms, and the loader that makes batches of them."""
from .coco import CocoDetection, CocoSample, coco_detection
from .detection import DetectionRecords, Sample, detection_records
from .images import ImageError, read_image
from .loader import Batch, Loader
from .pairs import Pair, PairedImages, paired_images
from .records import RecordError, write_records

__all__ = ['Batch', 'CocoDetection', 'CocoSample', 'DetectionRecords', 'ImageError', 'Loader', 'Pair', 'PairedImages',
           'RecordError', 'Sample', 'coco_detection', 'detection_records', 'paired_images', 'read_image',
           'write_records']
