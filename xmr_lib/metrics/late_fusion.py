"""rSum of several models together by many weightings of their cosines, of which most pairs need none.

An item that no member puts before a right one stands behind it whatever the weights are, and one that all members put
before it stands before it. What is left is weighed, of those queries alone that may still find something within ten.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from ..errors import XmrError
from .counting import checked_owners, in_rows, right_pairs, tiles
from .recall import CUTOFFS, recall_at
from .scores import Scores

Embeddings = tuple[Float[np.ndarray, "images _"], Float[np.ndarray, "captions _"]]
UNIT = 2.0**-24
"""Rounding of single precision."""


def rsums_of_fusions(
    members: Sequence[Embeddings],
    weightings: Sequence[Sequence[float]],
    image_of_caption: Int[np.ndarray, " captions"],
    block: int = 1024,
    progress: str = "",
) -> list[float]:
    """Return rSum (see ``summarise``) by the weighted sum of the members' cosines, for each weighting.

    It is that of a whole ranking by ``ranks_from_similarity``, ties included. A tile of ``block`` × ``block`` cosines
    of each member is in memory at a time, and serves all weightings.

    Args:
        members: embeddings of the same images and captions by each model, which may have spaces of their own.
        weightings: one weight ≥ 0 per member each, not all 0.
        image_of_caption: see ``ranks_from_similarity``.
        block: images, and captions, handled at once.
        progress: what the bar is called; none without it.

    Raises:
        XmrError: as ``ranks_from_similarity``.
    """
    images, captions = members[0]
    owner = checked_owners(image_of_caption, len(images), len(captions))
    scores = [Scores(*embeddings, "cosine") for embeddings in members]
    for number, member in enumerate(scores):
        if not np.isfinite(member.image_squares).all() or not np.isfinite(member.caption_squares).all():
            raise XmrError(
                f"late fusion: cosines of member {number} are not finite; ranks would mean nothing: look for NaN in "
                "its features or a training that diverged"
            )
    own = [member.own(owner) for member in scores]
    fused = [_weighted(own, weights) for weights in weightings]
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    highest = [np.maximum.reduceat(of[order], starts) for of in fused]
    by_image = _Queries([in_rows(of, owner) for of in own], highest, weightings)
    by_caption = _Queries([of[:, None] for of in own], fused, weightings)
    cut = tiles(len(images), len(captions), block)
    with tqdm(total=2 * len(cut), desc=progress, unit="tile", leave=False, disable=not progress) as bar:
        for look in (_Queries.survey, _Queries.weigh):
            for rows, columns in cut:
                found = [member.tile(rows, columns) for member in scores]
                for of in found:
                    of[right_pairs(owner, rows, columns)] = -np.inf
                look(by_image, rows, found)
                look(by_caption, columns, [of.T for of in found])
                bar.update()
    pairs = zip(by_image.first(), by_caption.first(), strict=True)
    return [sum(recall_at(first, k) for first in pair for k in CUTOFFS) for pair in pairs]


class _Queries:
    """Images that look for their captions, or captions for their image.

    Args:
        own: each member's cosines with the right items, in rows (see ``in_rows``).
        best: for each weighting, the highest weighted sum of a query's right items.
    """

    def __init__(
        self,
        own: Sequence[Float[np.ndarray, "queries most"]],
        best: Sequence[Float[np.ndarray, " queries"]],
        weightings: Sequence[Sequence[float]],
    ):
        # A weighted sum is off by its terms and one more, each a rounding; both of two that are compared are.
        near = np.float32(4 * (len(own) + 1) * UNIT)
        self.low, self.high = [of - near for of in own], [of.max(1) + near for of in own]
        self.best, self.weightings = np.stack(best), weightings
        self.certain = np.zeros(self.best.shape[1], np.int64)
        self.contested = np.zeros(self.best.shape, np.int32)

    def survey(self, part: slice, found: Sequence[np.ndarray]) -> None:
        """Count the items that stand before all right ones whatever the weights are."""
        self.certain[part] += np.count_nonzero(self._surely(part, found), axis=1)

    def weigh(self, part: slice, found: Sequence[np.ndarray]) -> None:
        """Count those of which the weights decide; all tiles have been surveyed."""
        left = self.certain[part] < CUTOFFS[-1]
        perhaps = ~self._surely(part, found) & left[:, None]
        for slot in range(self.low[0].shape[1]):
            perhaps &= _any(of >= low[part, slot, None] for of, low in zip(found, self.low, strict=True))
        query, item = np.nonzero(perhaps)
        if not len(query):
            return
        values = [of[query, item] for of in found]
        starts = np.flatnonzero(np.diff(query, prepend=-1))
        present, lengths = query[starts] + part.start, np.diff(starts, append=len(query))
        for best, contested, weights in zip(self.best, self.contested, self.weightings, strict=True):
            stands = _weighted(values, weights) >= np.repeat(best[present], lengths)
            contested[present] += np.add.reduceat(stands, starts, dtype=np.int32)

    def first(self) -> Int[np.ndarray, "weightings queries"]:
        """Return the places of the first right items; one beyond the last cutoff may stand further back."""
        return self.certain + self.contested + 1

    def _surely(self, part: slice, found: Sequence[np.ndarray]) -> np.ndarray:
        return ~_any(of <= high[part, None] for of, high in zip(found, self.high, strict=True))


def _any(masks: Iterable[np.ndarray]) -> np.ndarray:
    return functools.reduce(np.logical_or, masks)


def _weighted(cosines: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted sum, rounded alike for a pair wherever it stands; a weight of 0 adds nothing."""
    first, *rest = (np.float32(weight) * own for weight, own in zip(weights, cosines, strict=True) if weight)
    for own in rest:
        first += own
    return first
