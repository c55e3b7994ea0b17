"""Ranks of several models together, by many weightings of their cosines, none of which is ever held whole."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from .counting import Counting, checked_owners, tiles
from .ranks import Ranks
from .scores import Scores

Embeddings = tuple[Float[np.ndarray, "images _"], Float[np.ndarray, "captions _"]]


def ranks_of_fusions(
    members: Sequence[Embeddings],
    weightings: Sequence[Sequence[float]],
    image_of_caption: Int[np.ndarray, " captions"],
    block: int = 1024,
    progress: str = "",
) -> list[Ranks]:
    """Rank by the weighted sum of the members' cosines, for each weighting.

    A tile of ``block`` × ``block`` cosines of each member is in memory at a time, and serves all weightings.

    Args:
        members: embeddings of the same images and captions by each model, which may have spaces of their own.
        weightings: one weight per member each.
        image_of_caption: see ``ranks_from_similarity``.
        block: images, and captions, handled at once.
        progress: what the bar is called; none without it.

    Raises:
        XmrError: as ``ranks_from_similarity``.
    """
    images, captions = members[0]
    owner = checked_owners(image_of_caption, len(images), len(captions))
    scores = [Scores(*embeddings, "cosine") for embeddings in members]
    own = [member.own(owner) for member in scores]
    countings = [Counting(_weighted(own, weights), owner, False) for weights in weightings]
    cut = tiles(len(images), len(captions), block)
    for rows, columns in tqdm(cut, desc=progress, unit="tile", leave=False, disable=not progress):
        found = [member.tile(rows, columns) for member in scores]
        for counting, weights in zip(countings, weightings, strict=True):
            counting.add(rows, columns, _weighted(found, weights))
    return [Ranks(*counting.fields()) for counting in countings]


def _weighted(cosines: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted sum, rounded alike for a pair wherever it stands."""
    return sum(np.float32(weight) * own for weight, own in zip(weights, cosines, strict=True))
