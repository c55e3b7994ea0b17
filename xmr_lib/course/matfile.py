"""One matrix of a MAT file (v4, v5 or v7.3), a block of columns at a time, in memory that the block decides."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
from jaxtyping import Float32

from ..errors import XmrError
from . import mat4, mat5, mat73
from .lines import named, told

MARKS_73 = (b"\x00\x02IM", b"\x02\x00MI")
"""Ends of a header: version and order of bytes."""


def mat_shape(path: str | Path, key: str) -> tuple[int, ...]:
    """Return the shape of a matrix of floats as MATLAB sees it, without reading its values.

    Raises:
        XmrError: the file is missing or no MAT file, has no matrix of floats under that name, or only a reference to
            one elsewhere.
    """
    path = Path(path)
    with _told(path):
        known = _reader(path).matrices(path)
    if key not in known:
        shown = ", ".join(named(name) for name in sorted(known)[:10]) + (" and others" if len(known) > 10 else "")
        raise XmrError(f"{path}: no {key!r} in it, only {shown}" if known else f"{path}: there is nothing in it")
    if known[key].unfit:
        raise XmrError(f"{path}: {key!r} is no matrix of floats that can be read: it is {known[key].unfit}")
    return known[key].shape


def mat_columns(path: str | Path, key: str, first: int, step: int) -> Iterator[Float32[np.ndarray, "columns rows"]]:
    """Yield the columns of a matrix that ``mat_shape`` knows as rows, ``step`` at a time, from column ``first`` on.

    Raises:
        XmrError: the file is cut off or damaged, or holds more or fewer values than it declares.
    """
    path = Path(path)
    with _told(path):
        for block in _reader(path).columns(path, key, first, step):
            # A double beyond what float32 holds becomes infinite, which its reader refuses.
            with np.errstate(over="ignore"):
                yield np.ascontiguousarray(block, dtype=np.float32)


def _reader(path: Path) -> ModuleType:
    with path.open("rb") as file:
        begin = file.read(mat5.HEADER)
    if h5py.is_hdf5(path):
        return mat73
    if begin[-4:] in MARKS_73:
        raise ValueError("its header is of v7.3, what follows is not")
    # Only files of v4 begin with a number, the others with text.
    return mat4 if 0 in begin[:4] else mat5


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (XmrError, GeneratorExit):
        raise
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise XmrError(f"{path}: can't be read ({error.strerror})") from None
    except Exception as error:
        # Damage shows itself in zlib, SciPy and h5py as errors of many kinds.
        raise XmrError(f"{path}: not a whole MAT file ({told(error)}); copy it again") from None
