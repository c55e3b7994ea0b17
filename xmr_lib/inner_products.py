"""Cosines and distances as inner products, the one thing that engines know."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .errors import XmrError


@dataclass(frozen=True)
class InnerProducts:
    """Ranks by inner product that are those by cosine or by distance, less what each item has too much.

    - cosine: items and queries of length 1;
    - euclidean: ``[v, −|v|²] · [2q, 1] = |q|² − |q − v|²``, and ``|q|²`` is the same for all items of a query.

    An item's excess (see ``QueryBank``) is one coordinate more, which only the queries have that subtract it.

    Raises:
        XmrError: an unknown distance.
    """

    distance: str
    with_excess: bool = False
    """Whether items have the coordinate of what they have too much."""

    def __post_init__(self) -> None:
        if self.distance not in ("cosine", "euclidean"):
            raise XmrError(f"distance {self.distance!r} is unknown; there are cosine, euclidean")

    def dim(self, embed: int) -> int:
        """Return the length of the vectors of embeddings of a length."""
        return embed + (self.distance == "euclidean") + self.with_excess

    def items(
        self, embeddings: Float[np.ndarray, "items embed"], excess: Float[np.ndarray, " items"] | None = None
    ) -> Float[np.ndarray, "items dim"]:
        """Return the vectors of what is searched; ``excess``: in the unit of ``similarity``, 0 where there is none."""
        if self.distance == "cosine":
            columns = [_unit(embeddings)]
        else:
            columns = [embeddings, -np.square(embeddings).sum(1, keepdims=True)]
        if self.with_excess:
            columns.append(-(np.zeros(len(embeddings)) if excess is None else excess)[:, None])
        return np.concatenate(columns, axis=1, dtype=np.float32)

    def queries(
        self, embeddings: Float[np.ndarray, "queries embed"], subtract: Bool[np.ndarray, " queries"] | bool = False
    ) -> Float[np.ndarray, "queries dim"]:
        """Return the vectors of what is asked; ``subtract``: whether an item's excess counts."""
        euclidean = self.distance == "euclidean"
        columns = [2 * embeddings, np.ones((len(embeddings), 1))] if euclidean else [_unit(embeddings)]
        if self.with_excess:
            columns.append(np.broadcast_to(subtract, len(embeddings))[:, None])
        return np.concatenate(columns, axis=1, dtype=np.float32)

    def between(
        self, queries: Float[np.ndarray, "queries embed"], items: Float[np.ndarray, "items embed"]
    ) -> Float[np.ndarray, "queries items"]:
        """Return the cosines, or the negative squared distances, of all queries with all items."""
        plain = InnerProducts(self.distance)
        found = plain.queries(queries) @ plain.items(items).T
        return found if self.distance == "cosine" else found - np.square(queries).sum(1, keepdims=True)

    def similarity(
        self, products: Float[np.ndarray, "queries found"], embeddings: Float[np.ndarray, "queries embed"]
    ) -> Float[np.ndarray, "queries found"]:
        """Return cosines or negative distances from inner products without excess."""
        if self.distance == "cosine":
            return products
        squares = np.square(embeddings).sum(1, keepdims=True) - products
        return -np.sqrt(np.maximum(squares, 0)).astype(np.float32)


def _unit(embeddings: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.where(lengths == 0, 1, lengths)
