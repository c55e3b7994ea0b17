"""Matrices in MAT files of v5, packed or not, read as a stream.

SciPy reads a matrix whole, and names and lists of sizes as long as the file says they are: three packed megabytes
become gigabytes. Here each part is held against what is due before it is read. After "MAT-File Format" (MathWorks).
"""

import io
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .lines import named, sized
from .matrix import Matrix, by_name
from .streams import columns_of, exactly

HEADER, WINDOW = 128, 1 << 16
MATRIX, COMPRESSED = 14, 15
INT8, INT32, UINT32, UTF8 = 1, 5, 6, 16
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of stored numbers: MATLAB keeps floats that are whole numbers as the smallest integers."""
FLOATS, OPAQUE = (6, 7), 17
CLASSES = {
    1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix", 8: "of int8", 9: "of uint8",
    10: "of int16", 11: "of uint16", 12: "of int32", 13: "of uint32", 14: "of int64", 15: "of uint64",
}  # fmt: skip
IS_COMPLEX, IS_LOGICAL = 0x800, 0x200
LONGEST_NAME, MOST_AXES = 1024, 32


@dataclass
class Opened:
    """A variable of which all but the values has been read."""

    name: str
    matrix: Matrix
    stream: io.BufferedIOBase
    """At the values."""
    order: str
    end: int | None
    """Where the variable ends in the stream; of a packed one that is known only there."""


def matrices(path: Path) -> dict[str, Matrix]:
    """Return the variables by name."""
    with path.open("rb") as file:
        # What has no name is MATLAB's own: what its objects share.
        return by_name((variable.name, variable.matrix) for variable in _variables(file) if variable.name)


def columns(path: Path, key: str, first: int, step: int) -> Iterator[np.ndarray]:
    """Yield the columns as rows, ``step`` at a time, from column ``first`` on, in the file's own type of number.

    Raises:
        ValueError: the file is cut off or damaged.
    """
    with path.open("rb") as file:
        opened = next((variable for variable in _variables(file) if variable.name == key), None)
        if opened is None:
            return
        rows, *others = opened.matrix.shape
        kind, size, stream = _tag(opened.stream, opened.order)
        if kind not in NUMBERS:
            raise ValueError(f"{named(key)!r} has values of type {kind}, which are no numbers")
        dtype, count = np.dtype(opened.order + NUMBERS[kind]), math.prod(others)
        if size != rows * count * dtype.itemsize:
            raise ValueError(f"{named(key)!r} has {size} bytes of values for the shape {sized(opened.matrix.shape)}")
        if stream is file and file.tell() + size > opened.end:
            raise ValueError(f"the values of {named(key)!r} go on beyond its end")
        yield from columns_of(stream, dtype, rows, count, first, step)
        # The end of a packed stream holds its checksum; before it there is no more than padding.
        if opened.stream is not file and len(opened.stream.read(9)) > 8:
            raise ValueError(f"{named(key)!r} unpacks to more than its shape says")


class _Unpacked(io.RawIOBase):
    """A zlib stream of ``size`` bytes in a file, unpacked only as far as somebody reads."""

    def __init__(self, file: io.BufferedIOBase, size: int) -> None:
        self.file, self.left, self.stream = file, size, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        while not self.stream.eof:
            packed = self.stream.unconsumed_tail
            if not packed:
                packed = self.file.read(min(self.left, WINDOW))
                self.left -= len(packed)
            made = self.stream.decompress(packed, len(buffer))
            if made:
                buffer[: len(made)] = made
                return len(made)
            if not packed:
                raise EOFError("a packed variable is cut off")
        return 0


def _variables(file: io.BufferedIOBase) -> Iterator[Opened]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    order = {b"IM": "<", b"MI": ">"}.get(exactly(file, HEADER)[-2:])
    if order is None:
        raise ValueError("its header names no order of bytes")
    while (place := file.tell()) < size:
        kind, length = struct.unpack(order + "II", exactly(file, 8))
        end = place + 8 + length
        if end > size:
            raise EOFError(f"its variables need {end} bytes, and it has {size}")
        stream = file
        if kind == COMPRESSED:
            stream = io.BufferedReader(_Unpacked(file, length), WINDOW)
            kind, _ = struct.unpack(order + "II", exactly(stream, 8))
        if kind != MATRIX:
            raise ValueError(f"it holds a part of type {kind}, which is no variable")
        yield _opened(stream, order, end if stream is file else None)
        file.seek(end)


def _opened(stream: io.BufferedIOBase, order: str, end: int | None) -> Opened:
    flags = struct.unpack(order + "II", _element(stream, order, (UINT32,), 8))[0]
    kind = flags & 0xFF
    shape: tuple[int, ...] = ()
    if kind != OPAQUE:
        # Some writers take other types of the same size, and MATLAB and SciPy read them.
        sizes = np.frombuffer(_element(stream, order, (INT32, UINT32), 4 * MOST_AXES), order + "i4")
        shape = tuple(sizes.tolist())
        if len(shape) < 2 or min(shape) < 0:
            raise ValueError(f"a variable has the shape {sized(shape)}")
    name = _element(stream, order, (INT8, UTF8), LONGEST_NAME).decode("latin1")
    unfit = "" if kind in FLOATS else CLASSES.get(kind, "an object")
    if flags & (IS_COMPLEX | IS_LOGICAL):
        unfit = "of complex numbers" if flags & IS_COMPLEX else "of true and false"
    return Opened(name, Matrix(shape, unfit), stream, order, end)


def _element(stream: io.BufferedIOBase, order: str, kinds: tuple[int, ...], most: int) -> bytes:
    found, size, values = _tag(stream, order)
    if found not in kinds or size > most:
        raise ValueError(f"a variable begins with {size} bytes of type {found}, where type {kinds[0]} is due")
    content = exactly(values, size)
    if values is stream:
        exactly(stream, -size % 8)
    return content


def _tag(stream: io.BufferedIOBase, order: str) -> tuple[int, int, io.BufferedIOBase]:
    """Return type and bytes of the next part, and where to read it: up to four bytes stand within the tag."""
    tag = exactly(stream, 8)
    kind, size = struct.unpack(order + "II", tag)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, io.BytesIO(tag[4:])
    return kind, size, stream
