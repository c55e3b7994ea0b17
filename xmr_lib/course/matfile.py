"""One matrix of a MAT file, v5 or v7.3, a block of columns at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from jaxtyping import Float32

from ..errors import XmrError


def mat_shape(path: Path, key: str) -> tuple[int, ...]:
    """Return the shape of a matrix of floats as MATLAB sees it, without reading its values.

    Raises:
        XmrError: the file is missing or no MAT file, or has no matrix of floats under that name.
    """
    with _told(path):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                known = {name: _shape_73(item) for name, item in file.items() if not name.startswith("#")}
        else:
            floats = ("single", "double")
            known = {name: shape if kind in floats else None for name, shape, kind in scipy.io.whosmat(path)}
    if known.get(key) is None:
        raise XmrError(f"{path}: no matrix of floats {key!r} in it (it has {', '.join(sorted(known)) or 'nothing'})")
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
                for start in range(first, len(columns), step):
                    yield columns[start : start + step].astype(np.float32)
        else:
            columns = scipy.io.loadmat(path, variable_names=[key])[key].T
            for start in range(first, len(columns), step):
                yield np.ascontiguousarray(columns[start : start + step], dtype=np.float32)


def _shape_73(item: h5py.Group | h5py.Dataset) -> tuple[int, ...] | None:
    return item.shape[::-1] if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" else None


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
