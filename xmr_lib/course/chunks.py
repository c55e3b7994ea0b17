"""Gzip chunks of an HDF5 dataset, each unpacked to the bytes that it declares and no further.

HDF5 makes room for all that a chunk unpacks to. To look first how much that is, and to let HDF5 read then, takes twice
the time; so the chunks come from HDF5 as they are stored, and are unpacked and put in their places here.
"""

import itertools
import math
import zlib

import h5py
import numpy as np
from h5py import h5z

DEFLATE = h5z.FILTER_DEFLATE
FILTERS = (h5z.FILTER_SHUFFLE, DEFLATE, h5z.FILTER_FLETCHER32)
"""Those that MATLAB uses, in the order that it uses them in."""
CHECKSUM = 4


class GzipChunks:
    """The rows of a dataset whose chunks went through ``filters``, some of ``FILTERS`` in their order."""

    def __init__(self, dataset: h5py.Dataset, filters: list[int]) -> None:
        self.dataset, self.filters = dataset, filters
        self.size = math.prod(dataset.chunks) * dataset.dtype.itemsize
        # A chunk as large as the matrix is not unpacked anew for every block of rows.
        self.latest: tuple[tuple[int, ...], np.ndarray] = ((), np.empty(0))

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return the rows from ``start`` to before ``stop``, in the file's own type of number.

        Raises:
            ValueError: a chunk unpacks to more or fewer bytes than it declares.
            OSError, RuntimeError: a chunk was never written.
        """
        shape, chunks = self.dataset.shape, self.dataset.chunks
        made = np.empty((stop - start, *shape[1:]), self.dataset.dtype)
        above = range(start - start % chunks[0], stop, chunks[0])
        beside = [range(0, size, chunk) for size, chunk in zip(shape[1:], chunks[1:], strict=True)]
        for top, *others in itertools.product(above, *beside):
            first, last = max(start, top), min(stop, top + chunks[0])
            inner = [slice(0, size - place) for size, place in zip(shape[1:], others, strict=True)]
            outer = [slice(place, place + chunk) for place, chunk in zip(others, chunks[1:], strict=True)]
            made[first - start : last - start, *outer] = self._chunk((top, *others))[first - top : last - top, *inner]
        return made

    def _chunk(self, place: tuple[int, ...]) -> np.ndarray:
        if place == self.latest[0]:
            return self.latest[1]
        skipped, content = self.dataset.id.read_direct_chunk(place)
        applied = [kind for number, kind in enumerate(self.filters) if not skipped >> number & 1]
        if h5z.FILTER_FLETCHER32 in applied:
            content = content[:-CHECKSUM]
            if DEFLATE not in applied:
                # A gzip stream has a checksum of its own; this one HDF5 looks at, and there is nothing to unpack.
                self.dataset[tuple(map(slice, place, np.add(place, self.dataset.chunks)))]
        if DEFLATE in applied:
            content = _unpacked(content, self.size)
        if len(content) != self.size:
            raise ValueError(f"a chunk has {len(content)} bytes, and {self.size} are due")
        if h5z.FILTER_SHUFFLE in applied:
            content = _in_order(content, self.dataset.dtype.itemsize)
        self.latest = place, np.frombuffer(content, self.dataset.dtype).reshape(self.dataset.chunks)
        return self.latest[1]


def _unpacked(packed: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    # One byte more than is due brings the end of a right stream, and shows one that goes on.
    content = stream.decompress(packed, size + 1)
    if len(content) > size:
        raise ValueError("a chunk unpacks to more than it declares")
    if not stream.eof:
        raise ValueError("a packed chunk is cut off")
    return content


def _in_order(shuffled: bytes, width: int) -> np.ndarray:
    """Put together numbers of ``width`` bytes, of which all first bytes come first, then all second ones."""
    planes = np.frombuffer(shuffled, np.uint8).reshape(width, -1)
    numbers = np.empty(planes.shape[::-1], np.uint8)
    for place, plane in enumerate(planes):
        numbers[:, place] = plane
    return numbers.ravel()
