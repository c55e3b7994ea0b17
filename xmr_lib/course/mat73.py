"""Matrices in MAT files of v7.3 (HDF5): only what lies in the file itself, whole, and unpacks to what it declares.

HDF5 can put other files' bytes where a dataset's values are due (external storage, external links, virtual datasets),
gives zeros for what was never written, and unpacks a chunk to whatever size its stream has. None of that is features.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from h5py import h5t

from ..errors import XmrError
from .chunks import DEFLATE, FILTERS, GzipChunks
from .lines import named
from .matrix import MOST_VARIABLES, Matrix

LARGEST_SLACK = 1 << 20
"""Bytes by which a chunk that gzip can't make smaller may become larger."""
LARGEST_CHUNK = 64 << 20
"""Bytes of a chunk that may hold more than the matrix does: that of a small matrix which was made to grow."""
FLOATS = (h5t.IEEE_F16LE, h5t.IEEE_F16BE, h5t.IEEE_F32LE, h5t.IEEE_F32BE, h5t.IEEE_F64LE, h5t.IEEE_F64BE)


def matrices(path: Path) -> dict[str, Matrix]:
    """Return the variables by name; a link is told, never followed."""
    with h5py.File(path, "r") as file:
        if len(file) > MOST_VARIABLES:
            raise ValueError(f"it holds more than {MOST_VARIABLES} variables")
        return {name: _matrix(file, name) for name in file if not name.startswith("#")}


def columns(path: Path, key: str, first: int, step: int) -> Iterator[np.ndarray]:
    """Yield the columns as rows, ``step`` at a time, from column ``first`` on, in the file's own type of float.

    Raises:
        XmrError: parts of the matrix were never written, or unpack to more than they declare.
    """
    with h5py.File(path, "r") as file:
        if unfit := _matrix(file, key).unfit:
            raise XmrError(f"{path}: {named(key)!r} is {unfit}")
        # MATLAB counts columns first, HDF5 rows first: a matrix appears transposed.
        dataset = file[key]
        filters = _filters(dataset)
        if problem := _problem(dataset, filters):
            raise XmrError(f"{path}: {named(key)!r} {problem}")
        read = GzipChunks(dataset, filters).rows if DEFLATE in filters else lambda start, stop: dataset[start:stop]
        for start in range(first, len(dataset), step):
            yield read(start, min(start + step, len(dataset)))


def _matrix(file: h5py.File, name: str) -> Matrix:
    link = file.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        return Matrix(unfit="a link to something else; save the matrix itself")
    item = file[name]
    if not isinstance(item, h5py.Dataset):
        return Matrix(unfit="a group (a struct or sparse matrix of MATLAB's)")
    if item.is_virtual or item.external:
        return Matrix(unfit="a reference to values in other files; save the values themselves")
    if item.shape is None or "MATLAB_empty" in item.attrs:
        return Matrix(unfit="empty")
    if item.id.get_type() not in FLOATS:
        return Matrix(unfit=f"of {named(str(item.dtype))}")
    return Matrix(item.shape[::-1])


def _filters(dataset: h5py.Dataset) -> list[int]:
    settings = dataset.id.get_create_plist()
    return [settings.get_filter(place)[0] for place in range(settings.get_nfilters())]


def _problem(dataset: h5py.Dataset, filters: list[int]) -> str:
    """Say why the stored bytes can't be the declared values; empty: they can."""
    never = "was never written as a whole, and HDF5 would read zeros; save it again"
    if dataset.chunks is None:
        return "" if dataset.id.get_storage_size() == dataset.nbytes else never
    due = math.prod(-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True))
    if dataset.id.get_num_chunks() < due:
        return never
    chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if chunk > max(dataset.nbytes, LARGEST_CHUNK):
        return f"has chunks of {chunk / 1e6:.0f} MB and only {dataset.nbytes / 1e6:.1f} MB of values; save it again"
    if filters != [known for known in FILTERS if known in filters]:
        return "is packed in a way that MATLAB does not use; save it with gzip, or without packing"

    def look(stored: h5py.h5d.StoreInfo) -> str | None:
        if stored.size > chunk + chunk // 100 + LARGEST_SLACK:
            return "has a chunk of more bytes than it can need; save it again"
        return None

    return dataset.id.chunk_iter(look) or ""
