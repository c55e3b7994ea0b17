"""Region files of the user's own: bottom-up attention's ``.npz`` and SCAN's ``*_ims.npy``, imported once by image."""

from .importing import import_regions
from .npz import read_npz

__all__ = ["import_regions", "read_npz"]
