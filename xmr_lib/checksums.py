"""Checksums of what is kept on disk: a bit that flipped there is told, not believed.

CRC-32 finds every flipped bit and every burst of up to 32, at the speed of memory; it is no seal against somebody who
changes a file on purpose.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt32

BLOCK = 1 << 18
"""Bytes of an array that have a checksum of their own."""


def crc(data: bytes | memoryview | np.ndarray, before: int = 0) -> int:
    """Return the CRC-32 of bytes, or of an array's, that follow those of ``before``."""
    if isinstance(data, np.ndarray):
        data = np.ascontiguousarray(data).reshape(-1).view(np.uint8).data
    return zlib.crc32(data, before)


def of_json(value: Any) -> int:
    """Return the CRC-32 of what JSON can hold, whatever the order of its keys."""
    return crc(json.dumps(value, sort_keys=True).encode())


def of_file(path: str | Path) -> int:
    """Return the CRC-32 of a file."""
    found = 0
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            found = crc(block, found)
    return found


class Blocks:
    """The bytes of an array in blocks, each looked at when it is first asked for, and once.

    Args:
        values: usually a memory map; contiguous.
        sums: CRC-32 of each ``BLOCK`` bytes of it.
    """

    def __init__(self, values: np.ndarray, sums: UInt32[np.ndarray, " blocks"]):
        self.values, self.sums = values, sums
        self._row = values.nbytes // max(len(values), 1)
        self._bytes = values.reshape(-1).view(np.uint8) if values.size else np.empty(0, np.uint8)
        self._good = np.zeros(len(sums), dtype=bool)

    def damaged(self, first: np.ndarray, last: np.ndarray) -> int | None:
        """Return the first row of a damaged block among those of some rows; None: all are as they were written.

        Args:
            first: rows where stretches of rows begin.
            last: and the rows behind their ends.
        """
        if self._good.all():
            return None
        wanted = first < last
        starts = first[wanted] * self._row // BLOCK
        ends = -(-last[wanted] * self._row // BLOCK)
        marks = np.zeros(len(self.sums) + 1, dtype=np.int64)
        np.add.at(marks, starts, 1)
        np.add.at(marks, ends, -1)
        for block in np.flatnonzero((np.cumsum(marks[:-1]) > 0) & ~self._good).tolist():
            if crc(self._bytes[block * BLOCK : (block + 1) * BLOCK]) != self.sums[block]:
                return block * BLOCK // self._row
            self._good[block] = True
        return None


def of_blocks(values: np.ndarray) -> UInt32[np.ndarray, " blocks"]:
    """Return the CRC-32 of each ``BLOCK`` bytes of a contiguous array."""
    if not values.size:
        return np.empty(0, dtype=np.uint32)
    data = values.reshape(-1).view(np.uint8)
    return np.array([crc(data[start : start + BLOCK]) for start in range(0, len(data), BLOCK)], dtype=np.uint32)
