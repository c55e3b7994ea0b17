"""Captioned images, whatever layout they come in: ``read_dataset`` reads them, ``check_dataset`` looks them over."""

from .captioned import CaptionedImages
from .check import check_dataset
from .recognise import read_dataset
from .report import DataReport

__all__ = ["CaptionedImages", "DataReport", "check_dataset", "read_dataset"]
