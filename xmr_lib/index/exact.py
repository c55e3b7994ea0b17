"""The exact engine: all vectors in one memory-mapped file, read block by block."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from ..errors import XmrError
from ..paths import atomic_write
from .engine import ENGINES, Engine, Ids, Nearest

BLOCK_BYTES = 2**25
"""Of vectors that are multiplied at once."""
GONE = -1
STATE = "exact.json"


@ENGINES.register("exact")
class ExactEngine(Engine):
    """Vectors and their numbers in two files that are appended to; ``exact.json`` says which, and how much is safe.

    A number that is removed becomes -1 where it stands; once half of them are, both files are written anew under other
    names.

    Args:
        dtype: ``float32``, or ``float16`` for half the disk; what is there already keeps its own.
    """

    exact = True

    def __init__(self, folder: str | Path, dim: int, uri: str = "", dtype: str = "float32"):
        self.folder, self.dim = Path(folder), dim
        state = self._state()
        if state.get("dim", dim) != dim:
            raise XmrError(f"{self.folder}: has vectors of length {state['dim']}, not {dim}; use another folder")
        self.dtype = np.dtype(state.get("dtype", dtype))
        self._generation = state.get("generation", 0)
        rows = state.get("rows", 0)
        self._ids, self._mapped = np.empty(0, np.int64), None
        if rows:
            # At once: what a reader has mapped stays there while a writer puts other files in its place.
            with self._told():
                self._ids = np.fromfile(self._path("ids"), np.int64, rows)
                self._mapped = self._map(rows)
        self._order: np.ndarray | None = None
        self._step = max(BLOCK_BYTES // (4 * dim), 1)
        self._cut = False

    def __len__(self) -> int:
        return int((self._ids != GONE).sum())

    def ids(self) -> Ids:
        return np.sort(self._ids[self._ids != GONE])

    def add(self, ids: Ids, vectors: Float[np.ndarray, "items dim"]) -> None:
        self._check_length(vectors)
        with self._told():
            self._cut_unsafe()
            self._append(ids, vectors)
        self._ids, self._mapped, self._order = np.concatenate([self._ids, ids]), None, None

    def remove(self, ids: Ids) -> None:
        rows = np.flatnonzero(np.isin(self._ids, ids) & (self._ids != GONE))
        if not len(rows):
            return
        self._ids[rows], self._order = GONE, None
        with self._told():
            # A kill may have left half a number behind them.
            kept = np.memmap(self._path("ids"), np.int64, "r+", shape=len(self._ids))
            kept[rows] = GONE
            kept.flush()

    def search(self, queries: Float[np.ndarray, "queries dim"], top: int) -> Nearest:
        self._check_length(queries)
        asked = torch.from_numpy(np.ascontiguousarray(queries, np.float32))
        values, rows = asked.new_empty(len(asked), 0), torch.empty(len(asked), 0, dtype=torch.int64)
        gone, step = torch.from_numpy(self._ids == GONE), self._step
        # Half precision goes through one block of single: several times as fast as a new one each time.
        single = torch.empty(min(step, len(gone)), self.dim) if self.dtype != np.float32 else None
        for start in range(0, len(self._ids), step):
            block = torch.from_numpy(self._vectors()[start : start + step])
            if single is not None:
                block = single[: len(block)].copy_(block)
            scores = (asked @ block.T).masked_fill_(gone[start : start + step], -torch.inf)
            found = scores.topk(min(top, len(block)), dim=1)
            values, rows = torch.cat([values, found.values], 1), torch.cat([rows, found.indices + start], 1)
            order = values.topk(min(top, values.shape[1]), dim=1)
            values, rows = order.values, rows.gather(1, order.indices)
        ids = np.where(np.isneginf(values), GONE, self._ids[rows.numpy()] if len(self._ids) else rows)
        short = ((0, 0), (0, top - values.shape[1]))
        return np.pad(ids, short, constant_values=GONE), np.pad(values.numpy(), short, constant_values=-np.inf)

    def take(self, ids: Ids) -> Float[np.ndarray, "items dim"]:
        """Return the vectors of some numbers, in the order given.

        Raises:
            XmrError: a number is not there.
        """
        if self._order is None:
            self._order = np.argsort(self._ids, kind="stable")
        places = np.searchsorted(self._ids, ids, sorter=self._order)
        rows = self._order[np.minimum(places, len(self._ids) - 1)] if len(self._ids) else np.empty(0, np.int64)
        if len(rows) != len(ids) or (self._ids[rows] != ids).any():
            raise XmrError(f"{self.folder}: some of {len(ids)} vectors are not there; index again")
        return self._vectors()[rows].astype(np.float32)

    def live(self) -> Iterator[tuple[Ids, Float[np.ndarray, "block dim"]]]:
        """Yield numbers and vectors of one block after the other."""
        for rows in self._live_rows():
            yield self._ids[rows], self._vectors()[rows].astype(np.float32)

    def save(self) -> None:
        with self._told():
            self.folder.mkdir(parents=True, exist_ok=True)
            old = self._rewrite() if len(self._ids) and len(self) <= len(self._ids) / 2 else ()
            for name in ("vectors", "ids") if len(self._ids) else ():
                with self._path(name).open("rb+") as file:
                    os.fsync(file.fileno())
            facts = {"dim": self.dim, "dtype": self.dtype.name, "generation": self._generation, "rows": len(self._ids)}
            with atomic_write(self.folder / STATE) as path:
                path.write_text(json.dumps(facts), "utf-8")
            for path in old:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        self._mapped = None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}-{self._generation}.bin"

    def _vectors(self) -> np.ndarray:
        if self._mapped is None:
            with self._told():
                self._mapped = self._map(len(self._ids))
        return self._mapped

    def _map(self, rows: int) -> np.ndarray:
        # The files may be longer: another process may be adding to them.
        for name, row_bytes in self._row_bytes().items():
            if self._path(name).stat().st_size < rows * row_bytes:
                raise XmrError(f"{self._path(name)}: a part of it is missing; delete the folder, index again")
        # "c": torch warns of what can't be written to.
        return np.memmap(self._path("vectors"), self.dtype, "c", shape=(rows, self.dim))

    def _row_bytes(self) -> dict[str, int]:
        return {"vectors": self.dtype.itemsize * self.dim, "ids": 8}

    def _check_length(self, vectors: np.ndarray) -> None:
        if vectors.shape[1] != self.dim:
            raise XmrError(f"{self.folder}: vectors of length {vectors.shape[1]} do not fit those of length {self.dim}")

    def _append(self, ids: Ids, vectors: np.ndarray) -> None:
        for name, values in (("vectors", vectors.astype(self.dtype)), ("ids", np.asarray(ids, np.int64))):
            with self._path(name).open("ab") as file:
                file.write(np.ascontiguousarray(values).data)

    def _cut_unsafe(self) -> None:
        """Drop what a kill left behind the safe rows; only who adds does it, for others may be reading."""
        if self._cut:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, row_bytes in self._row_bytes().items():
            with self._path(name).open("ab") as file:
                file.truncate(len(self._ids) * row_bytes)
        self._cut = True

    def _rewrite(self) -> tuple[Path, ...]:
        """Write both files without what was removed, under other names; return the old ones."""
        old, live = (self._path("vectors"), self._path("ids")), list(self._live_rows())
        vectors, ids = self._vectors(), self._ids
        self._generation += 1
        for name in ("vectors", "ids"):
            self._path(name).write_bytes(b"")
        for rows in live:
            self._append(ids[rows], vectors[rows])
        self._ids, self._mapped, self._order = ids[ids != GONE], None, None
        return old

    def _live_rows(self) -> Iterator[np.ndarray]:
        """Yield the rows of one block after the other that were not removed."""
        for start in range(0, len(self._ids), self._step):
            yield start + np.flatnonzero(self._ids[start : start + self._step] != GONE)

    def _state(self) -> dict:
        try:
            return json.loads((self.folder / STATE).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise XmrError(f"{self.folder / STATE}: can't be read ({error}); delete the folder, index again") from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise XmrError(f"{self.folder}: can't be read or written ({error.strerror or error})") from None
