"""Ranks of the right answers, in one pass over the similarities, which need not fit in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError

DISTANCES = ("cosine", "dot", "euclidean")
ROUNDING = 1e-12
"""Squared distances below this share of the squared lengths are rounding: they count as 0."""


@dataclass(frozen=True)
class Ranks:
    """Where the right answers stand, 1-based; all that the metrics need.

    Example: 2 images, 4 captions, the first two captions belong to image 0. With similarities (images, captions)

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
    image_of_caption: Int[np.ndarray, " captions_too"],
    optimistic: bool = False,
) -> Ranks:
    """Rank from a whole similarity matrix; higher is more similar. ``Ranks`` has a worked example.

    Args:
        similarity: row = image, column = caption.
        image_of_caption: row of each caption's image; any number of captions per image, at least one, in any order.
        optimistic: a foreign item that ties with a right one stands behind it; by default it stands before it, so that
            a model that scores everything alike gets the worst ranks and not the best. An image's own captions that tie
            follow each other in the order of their number.

    Raises:
        XmrError: a score is not finite, an image has no caption, or the shapes do not fit.
    """
    owner = _checked(image_of_caption, *similarity.shape)
    own = similarity[owner, np.arange(len(owner))]
    return _rank(lambda rows, columns: similarity[rows, columns].copy(), own, owner, 1024, optimistic)


def ranks_of_embeddings(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions_too"],
    distance: str = "cosine",
    block: int = 1024,
    optimistic: bool = False,
) -> Ranks:
    """Rank from embeddings; only ``block`` × ``block`` similarities are in memory at a time.

    Scores are summed in double precision and rounded to single: so they do not depend on the block they are in, and
    equal embeddings tie exactly. The ranks are those of ``ranks_from_similarity`` on the same scores.

    Args:
        images: embeddings; one of length 0 has cosine 0 with everything.
        captions: embeddings in the same space.
        image_of_caption: see ``ranks_from_similarity``.
        distance: ``cosine``, ``dot``, or ``euclidean`` (the similarity is the negative squared distance).
        block: images, and captions, handled at once.
        optimistic: see ``ranks_from_similarity``.

    Raises:
        XmrError: as ``ranks_from_similarity``, or an unknown distance.
    """
    if distance not in DISTANCES:
        raise XmrError(f"distance {distance!r} is unknown; there are {', '.join(DISTANCES)}")
    owner = _checked(image_of_caption, len(images), len(captions))

    def vectors(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is multiplied, and its squared lengths."""
        wide = rows.astype(np.float64)
        squares = np.einsum("re,re->r", wide, wide)  # r rows, e embed
        if distance == "cosine":
            wide /= np.sqrt(np.where(squares == 0, 1, squares))[:, None]
        return wide, squares

    def rounded(dots: np.ndarray, image_squares: np.ndarray, caption_squares: np.ndarray) -> np.ndarray:
        if distance == "euclidean":
            squares = image_squares + caption_squares
            dots = -np.maximum(squares - 2 * dots, ROUNDING * squares)
        return dots.astype(np.float32)

    def tile(rows: slice, columns: slice) -> np.ndarray:
        (x, x_squares), (y, y_squares) = vectors(images[rows]), vectors(captions[columns])
        return rounded(x @ y.T, x_squares[:, None], y_squares)

    own = np.empty(len(captions), np.float32)
    for start in range(0, len(captions), block):
        part = slice(start, start + block)
        (x, x_squares), (y, y_squares) = vectors(images[owner[part]]), vectors(captions[part])
        own[part] = rounded(np.einsum("ce,ce->c", x, y), x_squares, y_squares)  # c captions, e embed
    return _rank(tile, own, owner, block, optimistic)


def _checked(image_of_caption: np.ndarray, images: int, captions: int) -> Int[np.ndarray, " captions"]:
    """Return the owners, if each caption has an image and each image a caption."""
    if len(image_of_caption) != captions or not captions:
        raise XmrError(f"ranks: {captions} captions were scored, but {len(image_of_caption)} have an image")
    if image_of_caption.min() < 0 or image_of_caption.max() >= images:
        raise XmrError(f"ranks: {images} images were scored, but captions belong to images outside 0 … {images - 1}")
    counts = np.bincount(image_of_caption, minlength=images)
    if not counts.all():
        raise XmrError(f"ranks: image {int(np.argmin(counts))} has no caption; each image that is ranked needs one")
    return image_of_caption.astype(np.int64)


def _rank(
    tile: Callable[[slice, slice], np.ndarray],
    own: Float[np.ndarray, " captions"],
    owner: Int[np.ndarray, " captions"],
    block: int,
    optimistic: bool,
) -> Ranks:
    """Count, tile by tile, the foreign items that stand before each right one.

    ``tile`` returns the scores of some images (rows) with some captions (columns), a fresh array; ``own`` are the
    scores of the right pairs.
    """
    images, captions = int(owner.max()) + 1, len(owner)
    # An image's own captions in one row, so that all images are handled at once; NaN compares false with everything.
    counts = np.bincount(owner)
    order = np.argsort(owner, kind="stable")
    slot = np.empty(captions, np.int64)
    slot[order] = np.arange(captions) - np.repeat(np.cumsum(counts) - counts, counts)
    own_rows = np.full((images, int(counts.max())), np.nan, own.dtype)
    own_rows[owner, slot] = own

    before = np.greater if optimistic else np.greater_equal
    foreign_images, foreign_captions = np.zeros(captions, np.int64), np.zeros(own_rows.shape, np.int64)
    unusable: list[tuple[int, int]] = []
    unusable_count = 0
    for top in range(0, images, block):
        rows = slice(top, top + block)
        for left in range(0, captions, block):
            columns = slice(left, left + block)
            scores = tile(rows, columns)
            if not (finite := np.isfinite(scores)).all():
                bad = np.argwhere(~finite)
                unusable_count += len(bad)
                unusable.append((top + int(bad[0, 0]), left + int(bad[0, 1])))
            row = owner[columns] - top
            inside = np.flatnonzero((row >= 0) & (row < len(scores)))
            scores[row[inside], inside] = np.nan
            foreign_images[columns] += np.count_nonzero(before(scores, own[columns]), axis=0)
            for k in range(own_rows.shape[1]):
                foreign_captions[rows, k] += np.count_nonzero(before(scores, own_rows[rows, k, None]), axis=1)
    if unusable:
        image, caption = min(unusable)
        raise XmrError(
            f"ranks: {unusable_count} scores are not finite, first that of image {image} with caption {caption}; ranks "
            "would mean nothing: look for NaN in the features or a training that diverged"
        )
    for k in range(own_rows.shape[1]):
        value = own_rows[:, k, None]
        foreign_captions[:, k] += (own_rows > value).sum(1) + (own_rows[:, :k] == value).sum(1)
    return Ranks(foreign_captions[owner, slot] + 1, foreign_images + 1, owner)
