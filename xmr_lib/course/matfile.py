"""One matrix of a MAT file (v4, v5 or v7.3), a block of columns at a time, in memory that the block decides."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from jaxtyping import Float32

from ..errors import XmrError
from . import mat5, mat73
from .lines import named, sized, told
from .matrix import Matrix


def mat_shape(path: Path, key: str) -> tuple[int, ...]:
    """Return the shape of a matrix of floats as MATLAB sees it, without reading its values.

    Raises:
        XmrError: the file is missing or no MAT file, has no matrix of floats under that name, or only a reference to
            one elsewhere.
    """
    with _told(path):
        if h5py.is_hdf5(path):
            known = mat73.matrices(path)
        elif scipy.io.matlab.matfile_version(path)[0] == 1:
            known = mat5.matrices(path)
        else:
            known = _matrices_4(path)
    if key not in known:
        shown = ", ".join(named(name) for name in sorted(known)[:10]) + (" and others" if len(known) > 10 else "")
        raise XmrError(f"{path}: no {key!r} in it, only {shown}" if known else f"{path}: there is nothing in it")
    if known[key].unfit:
        raise XmrError(f"{path}: {key!r} is no matrix of floats that can be read: it is {known[key].unfit}")
    return known[key].shape


def mat_columns(path: Path, key: str, first: int, step: int) -> Iterator[Float32[np.ndarray, "columns rows"]]:
    """Yield the columns of a matrix that ``mat_shape`` knows as rows, ``step`` at a time, from column ``first`` on.

    Raises:
        XmrError: the file is cut off or damaged, or holds more or fewer values than it declares.
    """
    with _told(path):
        if h5py.is_hdf5(path):
            blocks = mat73.columns(path, key, first, step)
        elif scipy.io.matlab.matfile_version(path)[0] == 1:
            blocks = mat5.columns(path, key, first, step)
        else:
            matrix = scipy.io.loadmat(path, variable_names=[key])[key].T
            if np.iscomplexobj(matrix):
                raise XmrError(f"{path}: {key!r} is of complex numbers, not of floats")
            blocks = (matrix[start : start + step] for start in range(first, len(matrix), step))
        for block in blocks:
            # A double beyond what float32 holds becomes infinite, which its reader refuses.
            with np.errstate(over="ignore"):
                yield np.ascontiguousarray(block, dtype=np.float32)


def _matrices_4(path: Path) -> dict[str, Matrix]:
    """Return what a v4 file holds. It is never compressed: SciPy finds out by itself that values are missing."""
    size = path.stat().st_size
    known = {}
    for name, shape, kind in scipy.io.whosmat(path):
        unfit = "" if kind in ("single", "double") else f"of kind {kind}"
        if not unfit and np.prod(shape, dtype=object) > size:
            raise ValueError(f"{named(name)} has shape {sized(shape)}, which is more than the file holds")
        known[name] = Matrix(tuple(int(n) for n in shape), unfit)
    return known


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (XmrError, GeneratorExit):
        raise
    except FileNotFoundError:
        raise XmrError(f"{path}: there is no such file") from None
    except Exception as error:
        # Damage shows itself in zlib, SciPy and h5py as errors of many kinds.
        raise XmrError(f"{path}: not a whole MAT file ({told(error)}); copy it again") from None
