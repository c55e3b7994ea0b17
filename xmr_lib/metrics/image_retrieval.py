"""Image-to-image retrieval: every image of a split is the query once, and all the others are its gallery."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ..errors import XmrError
from .graded import ndcg
from .recall import CUTOFFS

FOUND = 10
"""Length of the list whose nDCG and precision are taken."""


@dataclass(frozen=True)
class ImageScores:
    """What each query reached, and what a random order would reach on average, both in percent."""

    queries: Int[np.ndarray, " queries"]
    """The images that something is relevant to; the others are searched, but do not ask."""
    values: dict[str, Float[np.ndarray, " queries"]]
    """``r1``, ``r5``, ``r10``: Hit@K, 0 or 100; ``p10``: precision of ten; ``map``: average precision; ``ndcg10``."""
    chance: dict[str, Float[np.ndarray, " queries"]]

    def summary(self) -> dict[str, float]:
        """Return the means over queries, and ``chance_…`` of each."""
        means = {name: float(own.mean()) for name, own in self.values.items()}
        return means | {f"chance_{name}": float(own.mean()) for name, own in self.chance.items()}


def score_image_retrieval(
    similarity: Float[np.ndarray, "images images"],
    gains: Float[np.ndarray, "images images"],
    relevant: Bool[np.ndarray, "images images"],
) -> ImageScores:
    """Score the list that each image retrieves among the others.

    Args:
        similarity: row = query, column = gallery; higher is more alike. The diagonal counts nowhere: no image is in its
            own gallery.
        gains: how relevant, 0 … 1, for nDCG.
        relevant: which are right answers, for all other metrics.

    Items that tie stand in the order that is worst for the score: wrong ones first, and lower gains first. Average
    precision is over the whole gallery.

    Example: of 3 images the first two are relevant to each other, with gain 1. With similarities

        [[-, 0.2, 0.9],
         [0.8, -, 0.1],
         [0.5, 0.5, -]]

    image 0 finds image 1 in place 2 (``r1`` 0, ``map`` 50, ``ndcg10`` 100 / log₂ 3), image 1 finds image 0 in place 1;
    image 2 has nothing to find, so it is no query.

    Raises:
        XmrError: a score is not finite, there are fewer than two images, or no image has a relevant one.
    """
    images = len(similarity)
    if images < 2 or not np.isfinite(similarity).all():
        raise XmrError(f"image retrieval: {images} images, or scores among them that are not finite, can't be ranked")
    similarity, gains, relevant = (without_own(matrix) for matrix in (similarity, gains, relevant))
    queries = np.flatnonzero(relevant.any(1) & (gains.max(1) > 0))
    if not len(queries):
        raise XmrError("image retrieval: no image has another one that is relevant to it")
    similarity, gains, relevant = (matrix[queries] for matrix in (similarity, gains, relevant))
    order = np.lexsort((gains, relevant, -similarity), axis=1)
    right = np.take_along_axis(relevant, order, axis=1)

    gallery, counts = images - 1, relevant.sum(1)
    places = np.arange(1, gallery + 1)
    values = {f"r{k}": 100.0 * right[:, :k].any(1) for k in CUTOFFS}
    values["p10"] = 100 * right[:, :FOUND].sum(1) / FOUND
    values["map"] = 100 * (right.cumsum(1) / places * right).sum(1) / counts
    values["ndcg10"], graded_chance, _ = ndcg(gains, order[:, :FOUND])

    # The first K hold none with probability C(g − n, K) / C(g, K), the product over j < n of (g − K − j)/(g − j).
    chance = {f"r{k}": 100 * (1 - _none_within(k, gallery, counts)) for k in CUTOFFS}
    chance["p10"] = 100 * counts / gallery * min(FOUND, gallery) / FOUND
    # A place is right with probability n/g; given that, each place before it with (n − 1)/(g − 1).
    harmonic = (1 / places).sum()
    chance["map"] = 100 / gallery * (harmonic + (counts - 1) / max(gallery - 1, 1) * (gallery - harmonic))
    chance["ndcg10"] = graded_chance
    return ImageScores(queries, values, chance)


def without_own(matrix: Shaped[np.ndarray, "images images"]) -> Shaped[np.ndarray, "images others"]:
    """Return a square matrix without its diagonal; what stood to its right moves one place to the left."""
    return matrix[~np.eye(len(matrix), dtype=bool)].reshape(len(matrix), len(matrix) - 1)


def _none_within(k: int, gallery: int, counts: Int[np.ndarray, " queries"]) -> Float[np.ndarray, " queries"]:
    j = np.arange(counts.max())
    factors = np.maximum(gallery - k - j, 0) / (gallery - j)
    return np.cumprod(factors)[counts - 1]
