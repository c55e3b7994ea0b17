"""An open index as the page uses it: one computation at a time, and what was embedded a moment ago."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from ..errors import XmrError
from ..index import Hit, Index
from ..model.explain import RegionWeights, WordWeights, explain_picture, explain_sentence
from .queries import Query, file_picture
from .recent import Recent

KEPT_EMBEDDINGS = 512
WARM_WORD = "picture"
Found = TypeVar("Found")


class SupersededError(Exception):
    """Nobody waits for the answer any more."""


class Gallery:
    """One index, its name on the page, and its turn: a model computes for one request at a time."""

    def __init__(self, name: str, index: Index):
        self.name, self.index = name, index
        self._embeddings: Recent[np.ndarray] = Recent(KEPT_EMBEDDINGS)
        # One thread for good: torch starts its own threads anew in each thread that computes.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"xmr-{name}")
        self._turn = asyncio.Lock()

    async def compute(self, job: Callable[[], Found], wanted: Callable[[], Awaitable[bool]]) -> Found:
        """Return what a job gives once it is its turn.

        Args:
            wanted: asked when the turn has come.

        Raises:
            SupersededError: by then, nobody wanted it.
        """
        async with self._turn:
            if not await wanted():
                raise SupersededError
            return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def embedding(self, query: Query) -> Float[np.ndarray, " embed"]:
        """Return the embedding of a query; one of a moment ago is at hand."""
        if (found := self._embeddings.get(query.key)) is None:
            found = self.index.embed(query.given())
            self._embeddings.put(query.key, found)
        return found

    def search(self, query: Query, kinds: tuple[str, ...], top: int, bank: bool = True) -> dict[str, list[Hit]]:
        """Return what is found of each kind that the index has.

        Args:
            bank: whether the order is normalised by the model's query bank, where it has one for such queries.
        """
        # Another process may have updated it while the page is open.
        if self.index.stale:
            self.index = self.index.reopened()
        asked, counts = self.embedding(query), self.index.counts
        # What an index knows of an embedding is not whether it is that of a sentence.
        like = WARM_WORD if query.kind == "text" else Path()
        return {
            kind: self.index.search(asked, kind, top, bank and self.index.normalises(like, kind))
            for kind in kinds
            if counts[kind]
        }

    def explain(self, query: Query, hit: Hit) -> tuple[RegionWeights | None, WordWeights | None]:
        """Return what a match rests on: regions of the picture that is shown, words of the sentence.

        The picture is the one that was found, else the query; the sentence is the query, else the one that was found.
        """
        found = Query(path=hit.path) if hit.kind == "image" else Query(text=hit.text or "")
        picture = file_picture(found.path) if found.path else query.picture()
        regions = explain_picture(self.index.model, picture) if picture is not None else None
        sentence, other = (query, found) if query.kind == "text" else (found, query)
        words = None
        if sentence.text:
            words = explain_sentence(self.index.model, sentence.text, self.embedding(other))
        return regions, words

    def warm_up(self) -> None:
        """Load the model and search once: the first who asks does not wait for it.

        Raises:
            XmrError: the model can't be loaded.
        """
        self.search(Query(text=WARM_WORD), ("image", "text"), 1)

    def about(self) -> dict[str, Any]:
        """Return what people want to know of the index."""
        facts = self.index.facts
        return {
            "name": self.name,
            "counts": facts["counts"],
            "bank": facts["bank"],
            "distance": facts["distance"],
            "lines": about_lines(self.index),
        }


def about_lines(index: Index) -> list[str]:
    """Return what a model is and what it has learned from, in honest words."""
    facts, data = index.facts, index.model.facts.get("data", {})
    name, count = facts["trained_on"], data.get("images", {}).get("train", 0)
    if not name:
        trained = "trained on nothing here"
    elif name == "scenes":
        trained = f"trained on scenes ({count:,} drawn pictures: expect little on photographs)"
    else:
        trained = f"trained on {name} ({count:,} pictures)"
    track = f"track {facts['track']}"
    if facts["track"] == "open":
        track += " (it may have seen captions of the pictures that models are tested on)"
    return [facts["model"], trained, track]


def named(indexes: list[Index]) -> dict[str, Gallery]:
    """Return galleries by name: that of the index's folder, with a number where two are the same.

    Raises:
        XmrError: there is no index.
    """
    if not indexes:
        raise XmrError("no index is given; 'xmr index' makes one")
    found: dict[str, Gallery] = {}
    for index in indexes:
        name, times = index.name, 1
        while name in found:
            times += 1
            name = f"{index.name} ({times})"
        found[name] = Gallery(name, index)
    return found
