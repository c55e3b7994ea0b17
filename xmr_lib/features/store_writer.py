"""Writing a feature store: once, resumable, never taken for whole before it is.

A store is built in ``<folder>.partial`` and renamed at the end. A journal says how much of it is safe: what lies behind
that after a kill or on a full disk is dropped when the next run goes on.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock

from ..checksums import of_blocks
from ..errors import XmrError
from ..paths import atomic_write, wait_for
from ..ragged import offsets_of
from .store import META, FeatureStore, as_json, with_checksums

HEADER_BYTES = 128
# RLIMIT_FSIZE and file systems with a limit say EFBIG where others say ENOSPC.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class AlreadyThere(XmrError):
    """The store is there: another process has made it, perhaps while this one waited."""


class NotFinite(XmrError):
    """Features that no model can learn from."""

    def __init__(self, message: str, item: int):
        super().__init__(message)
        self.item = item
        """Place of the first of them in what was appended."""


class StoreWriter:
    """Append features to a store; a kill at any moment loses at most what was appended since the last ``commit``.

    Use as a context manager. ``done`` items are there already when it opens on what an earlier run left; the caller
    goes on behind them, in the same order. Where another process writes the store, it is waited for.

    Args:
        folder: the store to be.
        meta: what makes it; what an earlier run left is used only if its ``meta`` and shapes are the same.
        row_shape: shape of one row of values.
        ragged: items have any number of rows, not one each.
        resumes: whether the caller goes on behind ``done``; who appends everything at once starts anew.

    Raises:
        AlreadyThere: on entering: the store is there.
        XmrError: on any method: the disk is full or can't be written to, or what is appended does not fit.
    """

    def __init__(
        self,
        folder: str | Path,
        meta: dict,
        row_shape: Sequence[int],
        ragged: bool = False,
        dtype="float32",
        resumes: bool = True,
    ):
        self.folder, self.meta, self.ragged = Path(folder), as_json(meta), ragged
        self.row_shape, self.dtype, self.resumes = tuple(row_shape), np.dtype(dtype), resumes
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        self._row_bytes = self.dtype.itemsize * int(np.prod(self.row_shape))
        self._state = {"items": 0, "rows": 0, "skipped": {}, "done": 0}
        self._files: dict = {}
        self._lock = FileLock(str(folder) + ".lock")

    def __enter__(self) -> "StoreWriter":
        try:
            with self._told():
                self.folder.parent.mkdir(parents=True, exist_ok=True)
                wait_for(self._lock, self.folder.name)
                if self.folder.exists():
                    raise AlreadyThere(f"{self.folder}: is there already; run again to use it, or delete it first")
                self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def done(self) -> int:
        """Items that are safe on disk, those that were skipped included."""
        return self._state["done"]

    def append(self, ids: np.ndarray, values: np.ndarray, lengths: np.ndarray | None = None) -> None:
        """Add items. ``values`` is (items, *row_shape), or (all their rows, *row_shape) with ``lengths`` if ragged.

        Raises:
            NotFinite: an item has a value that is not finite in this store's dtype; nothing is added.
        """
        if values.shape[1:] != self.row_shape:
            raise XmrError(f"{self.folder}: rows of shape {values.shape[1:]} do not fit {self.row_shape}")
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(values, dtype=self.dtype)
        if self.dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
            item = row if lengths is None else int(np.searchsorted(np.cumsum(lengths), row, side="right"))
            raise NotFinite(f"{self.folder}: the features of id {ids[item]} are not finite as {self.dtype}", item)
        self.append_bytes(ids, values.data, len(values), lengths)

    def append_bytes(self, ids: np.ndarray, data: memoryview | bytes, rows: int, lengths: np.ndarray | None) -> None:
        """Add items whose values are bytes already, in this store's dtype and C order."""
        due = np.asarray(lengths) if self.ragged else np.ones(len(ids), dtype=np.int64)
        if due.shape != (len(ids),) or due.sum() != rows or memoryview(data).nbytes != rows * self._row_bytes:
            raise XmrError(f"{self.folder}: {rows} rows do not fit {len(ids)} items of shape {self.row_shape}")
        with self._told():
            self._files["values"].write(data)
            self._files["ids"].write(np.asarray(ids, dtype=np.int64).tobytes())
            if self.ragged:
                self._files["lengths"].write(due.astype(np.int64).tobytes())
        self._pending["items"] += len(ids)
        self._pending["rows"] += rows
        self._pending["done"] += len(ids)

    def skip(self, name: str, reason: str) -> None:
        """Note an item that has no features."""
        self._pending["skipped"][name] = reason
        self._pending["done"] += 1

    def commit(self) -> None:
        """Make all that was appended safe against a kill."""
        with self._told():
            for name, size in self._sizes(self._pending).items():
                _to_disk(self._files[name])
                if self._files[name].tell() != size:
                    raise XmrError(f"{self.folder}: an append failed half-way; open the writer again to go on")
            with atomic_write(self.partial / "journal.json") as path:
                path.write_text(json.dumps({"made": self._made(), **self._pending}), "utf-8")
        self._state = _copied(self._pending)

    def finish(self, source: dict | None = None) -> FeatureStore:
        """Close the store, give it its final name and open it.

        Args:
            source: see ``FeatureStore.source``.

        Raises:
            XmrError: an id was appended twice (or the disk is full).
        """
        self.commit()
        with self._told():
            ids = np.fromfile(self.partial / "ids.bin", dtype=np.int64)
            unique, counts = np.unique(ids, return_counts=True)
            if len(unique) < len(ids):
                # Going on from here would only fail again.
                (self.partial / "journal.json").unlink()
                raise XmrError(f"{self.folder}: id {unique[counts > 1][0]} was appended twice; ids must be unique")
            _write_npy(self.partial / "ids.npy", ids)
            offsets = None
            if self.ragged:
                offsets = offsets_of(np.fromfile(self.partial / "lengths.bin", dtype=np.int64))
                _write_npy(self.partial / "offsets.npy", offsets)
            self._files["values"].seek(0)
            self._files["values"].write(_npy_header((self._state["rows"], *self.row_shape), self.dtype))
            _to_disk(self._files["values"])
            # Of what the file holds, be it of this process or of one that was killed.
            sums = of_blocks(np.load(self.partial / "values.npy", mmap_mode="r"))
            meta = {"made_by": self.meta, "ragged": self.ragged, "skipped": self._state["skipped"]}
            if source:
                meta["source"] = source
            with atomic_write(self.partial / META) as path:
                path.write_text(json.dumps(with_checksums(meta, sums, ids, offsets), indent=1), "utf-8")
            self._close_files()
            self.partial.rename(self.folder)
            # Only now: a kill before the renaming finds the journal, and the next run ends the work; a kill after it
            # leaves a whole store with a few files too many.
            for name in ("journal.json", "ids.bin", "lengths.bin"):
                (self.folder / name).unlink(missing_ok=True)
        return FeatureStore.open(self.folder)

    def _open(self) -> None:
        if self.resumes and (journal := self._journal()):
            self._state = journal
        else:
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir()
        self._pending = _copied(self._state)
        for name, size in self._sizes(self._state).items():
            self._path(name).touch()
            file = self._files[name] = self._path(name).open("r+b")
            # What was written after the last commit is dropped; a new file gets room for its header.
            file.truncate(size)
            file.seek(size)

    def _journal(self) -> dict | None:
        """Return the state that an earlier run left, or None where it is of no use: other settings, or damaged."""
        try:
            journal = json.loads((self.partial / "journal.json").read_text("utf-8"))
            if journal.pop("made") != self._made() or journal.keys() != self._state.keys():
                return None
            # A file that is shorter than the journal says would be filled up with zeros.
            short = any(self._path(name).stat().st_size < size for name, size in self._sizes(journal).items())
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return None if short else journal

    def _made(self) -> dict:
        return {"by": self.meta, "row": list(self.row_shape), "dtype": self.dtype.str, "ragged": self.ragged}

    def _sizes(self, state: dict) -> dict[str, int]:
        sizes = {"values": HEADER_BYTES + state["rows"] * self._row_bytes, "ids": 8 * state["items"]}
        return {**sizes, "lengths": 8 * state["items"]} if self.ragged else sizes

    def _path(self, name: str) -> Path:
        return self.partial / (f"{name}.npy" if name == "values" else f"{name}.bin")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell in one line what the file system refuses."""
        try:
            yield
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise XmrError(f"{self.folder}: can't be written ({error.strerror or error})") from None
            raise XmrError(
                f"{self.folder}: the disk is full; free some space (or set XMR_CACHE to another disk) and run again: "
                f"it goes on after the {self.done} items that are safe"
            ) from None

    def _close_files(self) -> None:
        files, self._files = self._files, {}
        for file in files.values():
            # Closing flushes what is buffered, which fails on a full disk; the journal has the last word anyway.
            with suppress(OSError):
                file.close()

    def _close(self) -> None:
        self._close_files()
        self._lock.release()


def _copied(state: dict) -> dict:
    return {**state, "skipped": dict(state["skipped"])}


def _to_disk(file) -> None:
    file.flush()
    os.fsync(file.fileno())


def _write_npy(path: Path, array: np.ndarray) -> None:
    # np.save writes past Python's files: on a full disk its error doesn't say that the disk is full.
    with path.open("wb") as file:
        file.write(_npy_header(array.shape, array.dtype) + array.tobytes())
        _to_disk(file)


def _npy_header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return an ``.npy`` version 1 header of exactly ``HEADER_BYTES``, so that it can be written last."""
    text = f"{{'descr': {np.lib.format.dtype_to_descr(dtype)!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    magic = np.lib.format.magic(1, 0)
    room = HEADER_BYTES - len(magic) - 2
    return magic + room.to_bytes(2, "little") + text.ljust(room - 1).encode("latin1") + b"\n"
