"""The feature store: a folder of memory-mapped arrays, written once, looked up by id.

``values.npy`` holds all rows end to end, ``ids.npy`` the id of each item, ``offsets.npy`` (ragged stores only) where
each item's rows begin, and ``meta.json`` what made them and the checksums of all four: a row is looked at when it is
first asked for, so that a bit that flipped on disk is told and opening stays a matter of milliseconds.
"""

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..checksums import BLOCK, Blocks, crc, of_json
from ..errors import XmrError, one_line
from ..ragged import Ragged

META = "meta.json"


@dataclass(frozen=True)
class FeatureStore:
    """An open store: ``values`` is a memory map; nothing is read before it is asked for."""

    folder: Path
    meta: dict
    """What made the store: extractor, settings, hash of the weights, fingerprint of the dataset."""
    ids: Int[np.ndarray, " items"]
    values: np.ndarray
    """Shape (items, *row), or (all their rows, *row) if ragged."""
    offsets: np.ndarray | None
    """Shape (items + 1,): item ``i`` is ``values[offsets[i]:offsets[i + 1]]``; None: one row an item."""
    skipped: dict[str, str]
    """File name → reason of the items that could not be read when the store was made."""
    source: dict | None = None
    """``file`` that the features were imported from, and its ``crc32`` then."""
    blocks: Blocks | None = None
    """Checksums of the values; None in a store of an older version, which is believed."""

    @classmethod
    def open(cls, folder: str | Path, meta: dict | None = None) -> "FeatureStore":
        """Open a whole store.

        Args:
            folder: the store.
            meta: what the caller believes made it; every key is compared.

        Raises:
            XmrError: the store is incomplete or damaged, or it was made by something else.
        """
        folder = Path(folder)
        try:
            found = json.loads((folder / META).read_text("utf-8"))
            sums = _whole(found)
            made_by, skipped = dict(found["made_by"]), dict(found["skipped"])
            ids = np.load(folder / "ids.npy")
            values = np.load(folder / "values.npy", mmap_mode="r")
            offsets = np.load(folder / "offsets.npy") if found["ragged"] else None
            _check(ids, values, offsets)
            blocks = None if sums is None else _blocks(sums, ids, values, offsets)
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = Path(error.filename).name
            raise XmrError(f"{folder}: incomplete feature store ({missing} is missing)") from None
        except OSError as error:
            raise XmrError(f"{folder}: the feature store can't be read ({error.strerror or error})") from None
        except Exception as error:  # numpy's reader of headers raises anything from EOFError to TokenError
            what = one_line(error)
            raise XmrError(f"{folder}: the feature store is damaged ({what}); delete it and run again") from None
        for key, value in as_json(meta or {}).items():
            if made_by.get(key) != value:
                raise XmrError(
                    f"{folder}: this store was made with {key} = {made_by.get(key)!r}, not {value!r}; "
                    "delete the folder or move it (XMR_CACHE) and run again"
                )
        return cls(folder, made_by, ids, values, offsets, skipped, found.get("source"), blocks)

    def __len__(self) -> int:
        return len(self.ids)

    def nbytes_of(self, ids: Int[np.ndarray, " wanted"]) -> int:
        """Return about how many bytes the features of some ids have."""
        return self.values.nbytes * len(ids) // max(len(self), 1)

    def positions(self, ids: Int[np.ndarray, " wanted"]) -> Int[np.ndarray, " wanted"]:
        """Return the place of each id in the store.

        Raises:
            XmrError: an id is not in the store.
        """
        order, sorted_ids = self._by_id
        places = np.searchsorted(sorted_ids, ids)
        known = places < len(order)
        known[known] = sorted_ids[places[known]] == ids[known]
        if not known.all():
            missing = ids[~known]
            raise XmrError(f"{self.folder}: no features for id {missing[0]} ({len(missing)} ids are missing in all)")
        return order[places]

    def take(self, ids: Int[np.ndarray, " wanted"]) -> np.ndarray | Ragged:
        """Gather the features of some ids, in the order given, in memory.

        Raises:
            XmrError: an id is not in the store, or its features are not what was written.
        """
        positions = self.positions(ids)
        self._look_at(positions)
        if self.offsets is not None:
            return Ragged(self.values, self.offsets)[positions]
        return np.asarray(self.values[positions])

    def verify(self) -> None:
        """Look at every byte of the store.

        Raises:
            XmrError: some are not what was written.
        """
        self._look_at(np.arange(len(self)))

    def _look_at(self, positions: Int[np.ndarray, " some"]) -> None:
        if self.blocks is None:
            return
        first, last = (
            (positions, positions + 1)
            if self.offsets is None
            else (self.offsets[positions], self.offsets[positions + 1])
        )
        if (row := self.blocks.damaged(first, last)) is not None:
            raise XmrError(
                f"{self.folder}: the feature store is damaged: bytes of values.npy near row {row} are not those that "
                "were written; delete it and run again, and look after the disk"
            )

    @cached_property
    def _by_id(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions in ascending order of their ids, and those ids: sorted once, not at every look-up."""
        order = np.argsort(self.ids, kind="stable")
        return order, self.ids[order]


def as_json(meta: dict) -> dict:
    """Return what a round trip through JSON makes of ``meta`` (tuples become lists), so that it can be compared."""
    return json.loads(json.dumps(meta))


def with_checksums(meta: dict, sums: np.ndarray, ids: np.ndarray, offsets: np.ndarray | None) -> dict:
    """Return what ``meta.json`` holds: ``meta`` and the checksums of itself and of the arrays.

    Args:
        sums: of the blocks of ``values.npy``, see ``checksums.of_blocks``.
    """
    of_arrays = {"ids": crc(ids), "offsets": 0 if offsets is None else crc(offsets)}
    checksums = {"block": BLOCK, "values": sums.astype("<u4").tobytes().hex(), **of_arrays}
    whole = {**meta, "checksums": checksums}
    return {**whole, "checksum": of_json(whole)}


def _whole(found: dict) -> dict | None:
    """Return the checksums of the arrays, once those of ``meta.json`` itself are right; None: an older version's."""
    if (checksum := found.pop("checksum", None)) is None and "checksums" not in found:
        return None
    if checksum != of_json(found):
        raise ValueError(f"{META} is not what was written")
    return found["checksums"]


def _blocks(sums: dict, ids: np.ndarray, values: np.ndarray, offsets: np.ndarray | None) -> Blocks:
    for name, array in (("ids", ids), ("offsets", offsets)):
        if array is not None and crc(array) != sums[name]:
            raise ValueError(f"{name}.npy is not what was written")
    of_values = np.frombuffer(bytes.fromhex(sums["values"]), dtype="<u4")
    if sums["block"] != BLOCK or len(of_values) != math.ceil(values.nbytes / BLOCK):
        raise ValueError(f"its checksums are not of {values.nbytes} bytes")
    return Blocks(values, of_values)


def _check(ids: np.ndarray, values: np.ndarray, offsets: np.ndarray | None) -> None:
    rows = len(ids)
    if offsets is not None:
        if offsets.shape != (len(ids) + 1,) or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            raise ValueError(f"its offsets do not fit its {len(ids)} ids")
        rows = int(offsets[-1])
    if len(values) != rows:
        raise ValueError(f"{len(values)} rows of values where {rows} are due")
