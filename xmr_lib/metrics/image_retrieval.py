"""Image-to-image retrieval: each image of a split asks for the others, of which several are relevant."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..errors import XmrError

FOUND = 10
METRICS = ("r1", "r5", "r10", "p10", "map", "ndcg10")


@dataclass(frozen=True)
class Relevance:
    """How much the images of a split have to do with each other; row = query. An image is not relevant to itself."""

    gains: Float[np.ndarray, "images images"]
    """0 … 1, for nDCG."""
    relevant: Bool[np.ndarray, "images images"]
    """For what needs a yes or no: recall, precision, mAP."""

    def __post_init__(self) -> None:
        if self.gains.diagonal().any() or self.relevant.diagonal().any():
            raise XmrError("image retrieval: an image must not be relevant to itself")

    @property
    def queries(self) -> Bool[np.ndarray, " images"]:
        """The images that have a relevant one; only these are asked."""
        return self.relevant.any(1)

    def chance_ndcg(self) -> float:
        """Return nDCG@10 of a random order, in percent, exactly."""
        gains = self.gains[self.queries]
        discounts = _discounts(gains.shape[1] - 1)
        return 100 * float((gains.sum(1) / (gains.shape[1] - 1) * discounts.sum() / _ideal(gains)).mean())


def image_metrics(
    similarity: Float[np.ndarray, "images images"], relevance: Relevance
) -> dict[str, Float[np.ndarray, " queries"]]:
    """Return what each query reaches, in percent: Hit@1, @5, @10, precision@10, average precision, nDCG@10.

    nDCG as by Järvelin & Kekäläinen (2002), gains undiscounted at the first place. The query itself is not searched.
    Among images that score alike the less relevant come first.

    Raises:
        XmrError: shapes do not fit, a score is not finite, or no image has a relevant one.
    """
    if similarity.shape != relevance.gains.shape:
        raise XmrError(f"image retrieval: {similarity.shape} scores do not fit {relevance.gains.shape} relevances")
    if not np.isfinite(similarity).all():
        raise XmrError("image retrieval: a score is not finite")
    asked = np.flatnonzero(relevance.queries)
    if not len(asked):
        raise XmrError("image retrieval: no image has another one that is relevant to it")
    others = ~np.eye(len(similarity), dtype=bool)[asked]
    shape = (len(asked), len(similarity) - 1)
    scores, gains, relevant = (
        rows[asked][others].reshape(shape) for rows in (similarity, relevance.gains, relevance.relevant)
    )
    order = np.lexsort((relevant, gains, -scores), axis=1)
    hits = np.take_along_axis(relevant, order, axis=1)
    discounts = _discounts(shape[1])
    first = hits.argmax(1)
    reached = np.take_along_axis(gains, order, axis=1)[:, : len(discounts)] @ discounts
    precision = hits.cumsum(1) / np.arange(1, shape[1] + 1)
    values = {f"r{k}": first < k for k in (1, 5, 10)}
    values |= {"p10": hits[:, :FOUND].mean(1), "map": (precision * hits).sum(1) / hits.sum(1)}
    values["ndcg10"] = reached / _ideal(relevance.gains[asked])
    return {name: 100 * np.asarray(values[name], dtype=np.float64) for name in METRICS}


def _discounts(images: int) -> np.ndarray:
    return 1 / np.log2(np.arange(2, min(FOUND, images) + 2))


def _ideal(gains: np.ndarray) -> np.ndarray:
    discounts = _discounts(gains.shape[1] - 1)
    return -np.sort(-gains, axis=1)[:, : len(discounts)] @ discounts
