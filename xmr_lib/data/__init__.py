"""Captioned images, whatever layout they come in: ``read_dataset`` reads them, ``check_dataset`` looks them over."""

from .captioned import CaptionedImages
from .check import check_dataset
from .recognise import read_dataset
from .report import DataReport
from .told import Told, keep_told

__all__ = ["CaptionedImages", "DataReport", "Told", "check_dataset", "keep_told", "read_dataset"]
