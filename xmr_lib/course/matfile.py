"""One matrix of a MAT file, v5 or v7.3, a block of columns at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from jaxtyping import Float32

from ..errors import XmrError

MOST_AT_ONCE = 1 << 28
"""Bytes: a block of compressed numbers is unpacked whole, however small it is on disk."""


def mat_shape(path: Path, key: str) -> tuple[int, ...]:
    """Return the shape of a matrix of floats as MATLAB sees it, without reading its values.

    Raises:
        XmrError: the file is missing or no MAT file, or has no matrix of floats under that name.
    """
    with _told(path):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                known = {name: _shape_73(file, name) for name in file if not name.startswith("#")}
        else:
            floats = ("single", "double")
            known = {name: shape if kind in floats else None for name, shape, kind in scipy.io.whosmat(path)}
    if key not in known:
        raise XmrError(f"{path}: no matrix {key!r} in it (it has {', '.join(sorted(known)) or 'nothing'})")
    if known[key] is None:
        raise XmrError(f"{path}: {key!r} is no plain matrix of floats; save the matrix itself under this name")
    return tuple(int(n) for n in known[key])


def mat_columns(path: Path, key: str, first: int, step: int) -> Iterator[Float32[np.ndarray, "columns rows"]]:
    """Yield the columns of a matrix as rows, ``step`` at a time, from column ``first`` on.

    A v7.3 file is read block by block; a v5 file can only be read whole.

    Raises:
        XmrError: the file is cut off or damaged.
    """
    with _told(path):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                # MATLAB counts columns first, HDF5 rows first: a matrix appears transposed.
                columns = file[key]
                if (size := _block_bytes(columns)) > MOST_AT_ONCE:
                    raise XmrError(f"{path}: {key!r} is stored in blocks of {size >> 20} MB, far beyond its columns")
                for start in range(first, len(columns), step):
                    yield columns[start : start + step].astype(np.float32)
        else:
            columns = scipy.io.loadmat(path, variable_names=[key])[key].T
            for start in range(first, len(columns), step):
                yield np.ascontiguousarray(columns[start : start + step], dtype=np.float32)


def _shape_73(file: h5py.File, name: str) -> tuple[int, ...] | None:
    """Return the shape of a dataset of floats that lies in this file itself, else None.

    Links and virtual datasets lead to other files, and external storage to any file of the machine: what such a
    dataset gives is not what was copied here, and a source that is missing gives zeros.
    """
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return None
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.dtype.kind != "f" or item.is_virtual or item.external:
        return None
    return item.shape[::-1]


def _block_bytes(dataset: h5py.Dataset) -> int:
    """Return how much is unpacked at once to read any part of it."""
    return int(np.prod(dataset.chunks or (0,), dtype=np.float64)) * dataset.dtype.itemsize


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (XmrError, GeneratorExit):
        raise
    except FileNotFoundError:
        raise XmrError(f"{path}: there is no such file") from None
    except Exception as error:
        # Damage shows itself in SciPy and h5py as errors of many kinds.
        what = " ".join(str(error).split())
        raise XmrError(f"{path}: not a whole MAT file ({what}); copy it again") from None
