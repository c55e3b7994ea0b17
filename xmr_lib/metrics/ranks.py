"""Ranks of the right answers, in one pass over the similarities, which need not fit in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import XmrError


@dataclass(frozen=True)
class Ranks:
    """Where the right answers stand, 1-based; all that the metrics need.

    Example: 2 images, 4 captions, the first two captions belong to image 0. With similarities

        [[0.9, 0.2, 0.5, 0.1],
         [0.3, 0.4, 0.8, 0.6]]

    image 0 retrieves the captions in the order 0, 2, 1, 3: its own stand at 1 and 3; image 1 in the order 2, 3, 1, 0:
    its own stand at 1 and 2. So ``i2t_positions`` is [1, 3, 1, 2] and ``i2t`` is [1, 1]. Caption 1 prefers image 1
    (0.4 > 0.2), the others their own: ``t2i`` is [1, 2, 1, 1].
    """

    i2t_positions: Int[np.ndarray, " captions"]
    """For each caption, its place in the list of captions that its own image retrieves."""
    t2i: Int[np.ndarray, " captions"]
    """For each caption, the place of its own image in the list of images that it retrieves."""
    image_of_caption: Int[np.ndarray, " captions"]

    @property
    def images(self) -> int:
        return int(self.image_of_caption.max()) + 1

    @property
    def i2t(self) -> Int[np.ndarray, " images"]:
        """For each image, the place of the first of its own captions."""
        first = np.full(self.images, len(self.i2t_positions) + 1)
        np.minimum.at(first, self.image_of_caption, self.i2t_positions)
        return first


def ranks_from_similarity(
    similarity: Float[np.ndarray, "images captions"],
    image_of_caption: Int[np.ndarray, " captions"],
    optimistic: bool = False,
) -> Ranks:
    """Rank from a whole similarity matrix; higher is more similar.

    Args:
        similarity: row = image, column = caption.
        image_of_caption: row of each caption's image; any number of captions an image, at least one, in any order.
        optimistic: a foreign item that ties with a right one stands behind it; by default it stands before it, so that
            a model that scores everything alike gets the worst ranks and not the best.

    Raises:
        XmrError: a score is not finite, an image has no caption, or the shapes do not fit.
    """
    scores = torch.from_numpy(np.ascontiguousarray(similarity))
    return _rank(lambda rows: scores[rows], lambda rows: scores.T[rows], scores.shape, image_of_caption, optimistic)


def ranks_of_embeddings(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
    measure: str = "cosine",
    block: int = 1024,
    optimistic: bool = False,
) -> Ranks:
    """Rank from embeddings, a block of queries at a time; never more than ``block`` rows of similarities in memory.

    Scores are computed in double and compared in single precision: equal embeddings tie, as they should. A product of
    matrices rounds differently at its edges, and in one precision that noise would break the ties of a collapsed model.

    Args:
        images: embeddings; not all zero where the measure is ``cosine``.
        captions: embeddings in the same space.
        image_of_caption: see ``ranks_from_similarity``.
        measure: ``cosine``, ``dot``, or ``euclidean`` (smaller distances are more similar).
        block: queries handled at once.
        optimistic: see ``ranks_from_similarity``.

    Raises:
        XmrError: as ``ranks_from_similarity``, or an unknown measure.
    """
    if measure not in ("cosine", "dot", "euclidean"):
        raise XmrError(f"measure {measure!r} is unknown; there are cosine, dot, euclidean")
    one, other = (torch.from_numpy(np.asarray(x, dtype=np.float64, order="C")) for x in (images, captions))
    if measure == "cosine":
        one, other = torch.nn.functional.normalize(one), torch.nn.functional.normalize(other)

    def scores(queries: Tensor, gallery: Tensor) -> Tensor:
        if measure == "euclidean":
            # Order of distances = order of |g|² − 2qg: |q|² is the same for the whole row.
            return (2 * queries @ gallery.T - gallery.square().sum(1)).float()
        return (queries @ gallery.T).float()

    shape = (len(one), len(other))
    return _rank(
        lambda rows: scores(one[rows], other),
        lambda rows: scores(other[rows], one),
        shape,
        image_of_caption,
        optimistic,
        block,
    )


def _rank(
    rows_of_images: Callable[[slice], Tensor],
    rows_of_captions: Callable[[slice], Tensor],
    shape: tuple[int, int],
    image_of_caption: np.ndarray,
    optimistic: bool,
    block: int = 1024,
) -> Ranks:
    images, captions = shape
    if len(image_of_caption) != captions:
        raise XmrError(f"ranks: {captions} captions were scored, but {len(image_of_caption)} have an image")
    if not captions:
        raise XmrError("ranks: there are no captions to rank")
    if not 0 <= image_of_caption.min() <= image_of_caption.max() < images:
        raise XmrError(f"ranks: {images} images were scored, but a caption's image is outside 0 … {images - 1}")
    counts = np.bincount(image_of_caption, minlength=images)
    if not counts.all():
        raise XmrError(f"ranks: each of the {images} images needs a caption; image {int(np.argmin(counts))} has none")
    owner = torch.from_numpy(np.asarray(image_of_caption, dtype=np.int64))

    t2i = torch.empty(captions, dtype=torch.int64)
    for start in range(0, captions, block):
        rows = slice(start, min(start + block, captions))
        scores = _finite(rows_of_captions(rows), start, "caption", "image")
        own = scores.gather(1, owner[rows, None])
        # Pessimistic: the image itself ties with itself, so ">=" counts it and the rank needs no + 1.
        t2i[rows] = (scores > own).sum(1) + 1 if optimistic else (scores >= own).sum(1)

    order = torch.argsort(owner, stable=True)
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)]))
    positions = torch.empty(captions, dtype=torch.int64)
    for start in range(0, images, block):
        rows = slice(start, min(start + block, images))
        scores = _finite(rows_of_images(rows), start, "image", "caption")
        mine = order[starts[rows.start] : starts[rows.stop]]
        slot = torch.arange(len(mine)) - (starts[owner[mine]] - starts[rows.start])
        positions[mine] = _own_positions(scores, mine, owner[mine] - start, slot, optimistic)
    return Ranks(positions.numpy(), t2i.numpy(), np.asarray(image_of_caption))


def _own_positions(
    scores: Float[Tensor, "rows captions"],
    mine: Int[Tensor, " own"],
    row: Int[Tensor, " own"],
    slot: Int[Tensor, " own"],
    optimistic: bool,
) -> Int[Tensor, " own"]:
    """Return the place of each own caption in its image's list.

    = foreign captions before it + own captions before it + 1. Own captions that tie stand in the order of their number.
    ``slot`` numbers the own captions of a row, so that all rows are handled at once, one slot after the other.
    """
    own = scores.new_full((len(scores), int(slot.max()) + 1), torch.nan)
    own[row, slot] = scores[row, mine]
    positions = torch.empty_like(own, dtype=torch.int64)
    before = torch.gt if optimistic else torch.ge
    for k in range(own.shape[1]):
        value = own[:, k : k + 1]
        foreign = before(scores, value).sum(1) - before(own, value).sum(1)
        positions[:, k] = foreign + (own > value).sum(1) + (own[:, :k] == value).sum(1) + 1
    return positions[row, slot]


def _finite(scores: Tensor, start: int, query: str, item: str) -> Tensor:
    bad: Bool[Tensor, "rows columns"] = ~torch.isfinite(scores)
    if bad.any():
        row, column = (int(i) for i in bad.nonzero()[0])
        raise XmrError(
            f"ranks: {int(bad.sum())} scores are not finite, first that of {query} {start + row} with {item} {column}; "
            "ranks would mean nothing: look for NaN in the features or a training that diverged"
        )
    return scores
