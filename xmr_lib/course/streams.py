"""Parts of known size from a file, or from what one unpacks to."""

import io
from collections.abc import Iterator

import numpy as np


def exactly(stream: io.BufferedIOBase, size: int) -> bytes:
    """Return the next ``size`` bytes.

    Raises:
        EOFError: there are fewer.
    """
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("it is cut off")
    return content


def columns_of(
    stream: io.BufferedIOBase, dtype: np.dtype, rows: int, count: int, first: int, step: int
) -> Iterator[np.ndarray]:
    """Yield the columns of a matrix that begins here as rows, ``step`` at a time, from column ``first`` on.

    Raises:
        EOFError: there are fewer than ``count`` columns.
    """
    column = rows * dtype.itemsize
    for start in range(0, first, step):
        exactly(stream, column * (min(start + step, first) - start))
    for start in range(first, count, step):
        some = min(step, count - start)
        yield np.frombuffer(exactly(stream, column * some), dtype).reshape(some, rows)
