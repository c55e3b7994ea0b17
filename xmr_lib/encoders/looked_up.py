"""Words that are looked up in published vectors: those of the data lie in the table, new ones need the vectors."""

import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..errors import XmrError
from ..features.words import table_of
from ..weights import Weights
from .base import Site
from .words import WordEncoder


class LookedUpEncoder(WordEncoder):
    """A vector per word that the published ones have; unknown words are zero.

    Raises:
        XmrError: the vectors are not there, or can't be read.
    """

    source: Weights | None = None
    """Where the vectors are looked up; None: only the words of the table have one."""
    called: ClassVar[str]
    """Name of the vectors, in messages and as a folder of copies."""
    dim: ClassVar[int]
    """Length of a vector, where no word has one."""

    @classmethod
    @abstractmethod
    def find(cls) -> Weights:
        """Find the vectors.

        Raises:
            XmrError: they are not there.
        """

    @classmethod
    @abstractmethod
    def copied(cls, folder: str | Path) -> Weights | None:
        """Return the vectors that a model has a copy of in a folder; None where it has none."""

    @abstractmethod
    def look_up(self, source: Weights, words: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the vectors of those words that have one."""

    def learn(self, site: Site) -> None:
        self.source = self.find()

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        if self.source is None:
            return self.unknown(words, f"the vectors of {self.called} are not here")
        found = self.look_up(self.source, words)
        if not found:
            return np.zeros((len(words), self.table.shape[1] if self.vocabulary else self.dim), dtype=np.float32)
        return table_of(words, found)

    def networks(self) -> tuple[Weights, ...]:
        return (self.source,) if self.source else ()

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"source": self.source.digest if self.source else ""}, {}

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        # The table is enough for the words of the data: that the vectors are not here, or others, only new words feel.
        copy = self.copied(self.copies / self.called) if self.copies else None
        if copy is not None and copy.digest == facts["source"]:
            self.source = copy
            return
        with contextlib.suppress(XmrError):
            found = self.find()
            self.source = found if found.digest == facts["source"] else None
