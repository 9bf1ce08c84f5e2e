"""Datasets, their transforms, and the loader that makes batches of them."""
from ..pictures.decode import ImageError, read_image
from .cifar import CIFAR
from .coco_detection import CocoDetection, CocoSample
from .detection_records import DetectionRecords, Sample
from .fine_grained import CUB, Aircraft, Cars, Dogs
from .labelled import Labelled
from .labelled_pictures import LabelledPictures
from .labelled_records import LabelledRecords
from .loader import Batch, Loader
from .paired_images import Pair, PairedImages
from .pictures import Picture, Pictures
from .records import RecordError, write_records
from .unpaired_images import Unpaired, UnpairedImages

__all__ = ['CIFAR', 'CUB', 'Aircraft', 'Batch', 'Cars', 'CocoDetection', 'CocoSample', 'DetectionRecords', 'Dogs',
           'ImageError', 'Labelled', 'LabelledPictures', 'LabelledRecords', 'Loader', 'Pair', 'PairedImages', 'Picture',
           'Pictures', 'RecordError', 'Sample', 'Unpaired', 'UnpairedImages', 'read_image', 'write_records']
