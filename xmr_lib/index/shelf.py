"""One kind of things of an index: their exact vectors, an engine made of them, and which of them are hubs."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from ..errors import XmrError
from ..features.contents import stamp_of
from ..inner_products import InnerProducts
from ..paths import atomic_write
from ..query_bank import QueryBank
from .choice import engine_for
from .engine import ENGINES, Engine
from .exact import STATE as EXACT_STATE
from .exact import ExactEngine

STATE = "shelf.json"
BLOCK = 10_000
"""Vectors that are handed to an engine at once."""


class Shelf:
    """Pictures, or sentences, by number.

    Args:
        folder: of this kind.
        kind: ``image`` or ``text``.
        facts: of the index: distance, length of an embedding, β of each direction, engine, its address, dtype.
    """

    def __init__(self, folder: str | Path, kind: str, facts: dict[str, Any]):
        self.folder, self._facts = Path(folder), facts
        self.direction = "t2i" if kind == "image" else "i2t"
        self.products = InnerProducts(facts["distance"], facts["beta"].get(self.direction) is not None)
        self.dim = self.products.dim(facts["embed"])
        self.exact = ExactEngine(self.folder / "exact", self.dim, dtype=facts["dtype"])

    def __len__(self) -> int:
        return len(self.exact)

    def stamp(self) -> str:
        """Return what changes when there is other to be found than before."""
        exact = stamp_of(self.folder / "exact" / EXACT_STATE) if self.name == "exact" else ""
        return f"{stamp_of(self.folder / STATE)} {exact}"

    @property
    def normalises(self) -> bool:
        """Whether its order can be normalised by the model's query bank."""
        return self.products.with_excess

    @property
    def name(self) -> str:
        """Name of the engine that searches."""
        return self._state["engine"]

    @cached_property
    def engine(self) -> Engine:
        """What searches: the exact vectors, or what was made of them when the index was last updated."""
        if self.name == "exact":
            return self.exact
        engine = self._open(self.name)
        # Of a server, the collection of a folder that was moved is another one, and empty.
        if (there := len(engine)) != self._state["count"]:
            engine.close()
            raise XmrError(
                f"{self.folder}: the engine {self.name!r} has {there} of {self._state['count']} vectors; "
                f"bring it up: xmr index --out {self.folder.parent}"
            )
        return engine

    def add(self, ids: Sequence[int], embeddings: Float[np.ndarray, "items embed"], bank: QueryBank | None) -> None:
        """Add embeddings, safe when it returns; they are found exactly, by the engine once ``settle`` was called."""
        excess = bank.excess(embeddings, self.direction) if bank is not None and self.normalises else None
        self.exact.add(np.array(ids, np.int64), self.products.items(embeddings, excess))
        self.exact.save()

    def add_copies(self, ids: Sequence[int], of: Sequence[int]) -> None:
        """Add the vectors of things that are there under other numbers."""
        self.exact.add(np.array(ids, np.int64), self.exact.take(np.array(of, np.int64)))
        self.exact.save()

    def remove(self, ids: Sequence[int]) -> None:
        """Take things out."""
        self.exact.remove(np.array(ids, np.int64))

    def settle(self, bank: QueryBank | None) -> None:
        """Bring the engine that searches up to the exact vectors, and find the hubs."""
        self.exact.save()
        name = self._facts["engine"] if self._facts["engine"] != "auto" else engine_for(len(self.exact))
        if "engine" in self.__dict__:
            self.engine.close()
        self.engine = self.exact if name == "exact" else self._open(name)
        if name != "exact":
            self._follow(name)
        hubs = np.empty(0, np.int64)
        if bank is not None and self.normalises and len(self.exact):
            hubs = np.unique(self.engine.search(self.products.queries(bank.queries(self.direction)), 1)[0])
        self._state = {"engine": name, "count": len(self.exact), "hubs": hubs.tolist()}
        self.__dict__.pop("_hubs", None)
        with atomic_write(self.folder / STATE) as path:
            path.write_text(json.dumps(self._state), "utf-8")

    def nearest(
        self, embeddings: Float[np.ndarray, "queries embed"], top: int, normalise: bool = False
    ) -> tuple[Int[np.ndarray, "queries top"], Float[np.ndarray, "queries top"]]:
        """Return numbers and similarities of what is nearest, best first; -1 and -inf where there are fewer.

        Args:
            normalise: the order is normalised by the query bank; the similarities are not.
        """
        top = min(top, max(len(self), 1))
        ids, products = self.engine.search(self.products.queries(embeddings), top)
        if normalise:
            hub = np.isin(ids[:, 0], self._hubs)
            if hub.any():
                asked = self.products.queries(embeddings[hub], True)
                ids[hub], _ = self.engine.search(asked, top)
                products[hub] = self._plain(asked, ids[hub])
        return ids, np.where(ids < 0, -np.inf, self.products.similarity(products, embeddings))

    def close(self) -> None:
        """Let go of files and connections."""
        if "engine" in self.__dict__:
            self.engine.close()
        self.exact.close()

    @cached_property
    def _state(self) -> dict:
        try:
            return json.loads((self.folder / STATE).read_text("utf-8"))
        except FileNotFoundError:
            return {"engine": "exact", "hubs": []}

    @cached_property
    def _hubs(self) -> np.ndarray:
        return np.array(self._state["hubs"], np.int64)

    def _plain(self, asked: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return the inner products of queries with things without what these have too much."""
        found = np.full(ids.shape, -np.inf, np.float32)
        for query, own, row in zip(asked, ids, found, strict=True):
            there = own >= 0
            row[there] = self.exact.take(own[there])[:, :-1] @ query[:-1]
        return found

    def _open(self, name: str) -> Engine:
        return ENGINES[name](self.folder / name, self.dim, self._facts["uri"])

    def _follow(self, name: str) -> None:
        """Take out of the engine what is not among the exact vectors, and put in what it lacks."""
        wanted, there = self.exact.ids(), self.engine.ids()
        if len(surplus := np.setdiff1d(there, wanted)):
            self.engine.remove(surplus)
        missing = np.setdiff1d(wanted, there)
        for start in tqdm(range(0, len(missing), BLOCK), desc=name, unit="block", disable=len(missing) < BLOCK):
            ids = missing[start : start + BLOCK]
            self.engine.add(ids, self.exact.take(ids))
        self.engine.save()
