"""The feature store: a folder of memory-mapped arrays, written once, looked up by id.

``values.npy`` holds all rows end to end, ``ids.npy`` the id of each item, ``offsets.npy`` (ragged stores only) where
each item's rows begin, and ``meta.json`` what made them.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..errors import XmrError
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
            made_by, skipped = dict(found["made_by"]), dict(found["skipped"])
            ids = np.load(folder / "ids.npy")
            values = np.load(folder / "values.npy", mmap_mode="r")
            offsets = np.load(folder / "offsets.npy") if found["ragged"] else None
            _check(ids, values, offsets)
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = Path(error.filename).name
            raise XmrError(f"{folder}: incomplete feature store ({missing} is missing)") from None
        except OSError as error:
            raise XmrError(f"{folder}: the feature store can't be read ({error.strerror or error})") from None
        except (ValueError, KeyError, TypeError, EOFError) as error:
            what = " ".join(str(error).split())
            raise XmrError(f"{folder}: the feature store is damaged ({what}); delete it and run again") from None
        for key, value in as_json(meta or {}).items():
            if made_by.get(key) != value:
                raise XmrError(
                    f"{folder}: this store was made with {key} = {made_by.get(key)!r}, not {value!r}; "
                    "delete the folder or move it (XMR_CACHE) and run again"
                )
        return cls(folder, made_by, ids, values, offsets, skipped)

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
            XmrError: an id is not in the store.
        """
        positions = self.positions(ids)
        if self.offsets is not None:
            return Ragged(self.values, self.offsets)[positions]
        return np.asarray(self.values[positions])

    @cached_property
    def _by_id(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions in ascending order of their ids, and those ids: sorted once, not at every look-up."""
        order = np.argsort(self.ids, kind="stable")
        return order, self.ids[order]


def as_json(meta: dict) -> dict:
    """Return what a round trip through JSON makes of ``meta`` (tuples become lists), so that it can be compared."""
    return json.loads(json.dumps(meta))


def _check(ids: np.ndarray, values: np.ndarray, offsets: np.ndarray | None) -> None:
    rows = len(ids)
    if offsets is not None:
        if offsets.shape != (len(ids) + 1,) or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            raise ValueError(f"its offsets do not fit its {len(ids)} ids")
        rows = int(offsets[-1])
    if len(values) != rows:
        raise ValueError(f"{len(values)} rows of values where {rows} are due")
