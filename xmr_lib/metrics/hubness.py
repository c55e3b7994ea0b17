"""Hubs: items that are near to far more queries than their share (Radovanović et al., JMLR 2010)."""

import numpy as np
from jaxtyping import Float, Int


def occurrences(found: Int[np.ndarray, "queries k"], items: int) -> Int[np.ndarray, " items"]:
    """Return how many queries found each item among their first k.

    Example: 3 queries with k = 2, ``found = [[0, 1], [0, 2], [0, 1]]``, and 4 items give ``[3, 2, 1, 0]``.
    """
    return np.bincount(found.ravel(), minlength=items)


def skewness(counts: Int[np.ndarray, " items"] | Float[np.ndarray, " items"]) -> float:
    """Return the skewness of the counts: 0 where as many are above the mean as below, high where few items have most.

    0 where all are equal.
    """
    centred = counts - counts.mean()
    deviation = centred.std()
    return float((centred**3).mean() / deviation**3) if deviation else 0.0
