"""How many queries find their answer within the first r places, for every r: recall@K without choosing K."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError

ALL_UP_TO, A_DECADE = 10, 12


def rank_grid(items: int) -> Int[np.ndarray, " places"]:
    """Return the places at which a curve over a gallery of so many items is kept: all up to 10, then 12 per decade."""
    decades = np.log10(max(items, 1))
    steps = 10 ** np.arange(np.log10(ALL_UP_TO), decades, 1 / A_DECADE)
    grid = {*range(1, ALL_UP_TO + 1), *np.round(steps).astype(int).tolist(), items}
    return np.array(sorted(place for place in grid if place <= items), dtype=np.int64)


def rank_shares(ranks: Int[np.ndarray, " queries"], places: Int[np.ndarray, " places"]) -> Float[np.ndarray, " places"]:
    """Return the share (0 … 1) of queries whose answer stands within each place.

    Example: ranks [1, 3, 3, 9] at the places 1, 3, 5 give 0.25, 0.75, 0.75.
    """
    return np.searchsorted(np.sort(ranks), places, side="right") / len(ranks)


def chance_shares(
    image_of_caption: Int[np.ndarray, " captions"], direction: str, places: Int[np.ndarray, " places"]
) -> Float[np.ndarray, " places"]:
    """Return what ``rank_shares`` would be on average if every order were equally likely (exact, not simulated).

    A caption's image is within r of n images with probability r / n. An image with m of all C captions has none of them
    within r with probability C(C−m, r) / C(C, r).

    Raises:
        XmrError: an unknown direction.
    """
    counts = np.bincount(image_of_caption)
    if direction == "t2i":
        return np.minimum(places / len(counts), 1.0)
    if direction != "i2t":
        raise XmrError(f"direction {direction!r} is unknown; there are i2t, t2i")
    captions, none = len(image_of_caption), np.zeros(len(places))
    for own, images in zip(*np.unique(counts, return_counts=True), strict=True):
        # The product over the own captions of (C − r − j) / (C − j): each in turn lies beyond place r.
        factors = [np.maximum(captions - places - j, 0) / (captions - j) for j in range(own)]
        none += np.prod(factors, axis=0) * images / len(counts)
    return 1 - none
