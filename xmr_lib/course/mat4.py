"""Matrices in MAT files of v4, read as a stream; after "MAT-File Format" (MathWorks).

SciPy reads a matrix whole, and never comes to an end where a size is below zero.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .lines import sized
from .matrix import Matrix, by_name
from .streams import columns_of, exactly

NUMBERS = ("f8", "f4", "i4", "i2", "u2", "u1")
"""Types of stored numbers; all of them stand for doubles, which MATLAB keeps as the smallest that hold them."""
KINDS = ("", "text", "a sparse matrix")
LARGEST_MARK = 4052
"""A variable begins with a number whose four decimal digits are its order of bytes, zero, type of numbers and kind."""
LONGEST_NAME = 1024


@dataclass(frozen=True)
class Opened:
    """A variable of which all but the values has been read."""

    name: str
    matrix: Matrix
    dtype: np.dtype


def matrices(path: Path) -> dict[str, Matrix]:
    """Return the variables by name."""
    with path.open("rb") as file:
        return by_name((variable.name, variable.matrix) for variable in _variables(file))


def columns(path: Path, key: str, first: int, step: int) -> Iterator[np.ndarray]:
    """Yield the columns as rows, ``step`` at a time, from column ``first`` on, in the file's own type of number."""
    with path.open("rb") as file:
        for variable in _variables(file):
            if variable.name == key:
                yield from columns_of(file, variable.dtype, *variable.matrix.shape, first, step)
                return


def _variables(file: io.BufferedIOBase) -> Iterator[Opened]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    order = "<" if struct.unpack("<I", exactly(file, 4))[0] <= LARGEST_MARK else ">"
    file.seek(0)
    while file.tell() < size:
        mark, rows, count, is_complex, length = struct.unpack(order + "5i", exactly(file, 20))
        machine, (zero, number, kind) = mark // 1000, (mark // 100 % 10, mark // 10 % 10, mark % 10)
        if machine not in (0, 1) or zero or number >= len(NUMBERS) or kind >= len(KINDS):
            raise ValueError(f"a variable begins with {mark}, which is none of MATLAB's marks")
        if min(rows, count) < 0 or not 0 < length <= LONGEST_NAME:
            raise ValueError(f"a variable has the shape {sized((rows, count))} and a name of {length} letters")
        name = exactly(file, length).rstrip(b"\0").decode("latin1")
        dtype = np.dtype(order + NUMBERS[number])
        end = file.tell() + rows * count * dtype.itemsize * (2 if is_complex and not kind else 1)
        if end > size:
            raise EOFError(f"its variables need {end} bytes, and it has {size}")
        unfit = KINDS[kind] or ("of complex numbers" if is_complex else "")
        yield Opened(name, Matrix((rows, count), unfit), dtype)
        file.seek(end)
