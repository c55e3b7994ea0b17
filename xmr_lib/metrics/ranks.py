"""Ranks of the right answers, in one pass over the similarities, which need not fit in memory."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError
from .scores import Scores


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
    owner = checked_owners(image_of_caption, *similarity.shape)
    counting = Counting(similarity[owner, np.arange(len(owner))], owner, optimistic)
    for rows, columns in tiles(*similarity.shape, 1024):
        counting.add(rows, columns, similarity[rows, columns].copy())
    return counting.ranks()


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
    owner = checked_owners(image_of_caption, len(images), len(captions))
    scores = Scores(images, captions, distance)
    counting = Counting(scores.own(owner, block), owner, optimistic)
    for rows, columns in tiles(len(images), len(captions), block):
        counting.add(rows, columns, scores.tile(rows, columns))
    return counting.ranks()


def tiles(images: int, captions: int, block: int) -> list[tuple[slice, slice]]:
    """Cut a similarity matrix into squares: rows and columns of each."""
    return [
        (slice(top, top + block), slice(left, left + block))
        for top in range(0, images, block)
        for left in range(0, captions, block)
    ]


def checked_owners(image_of_caption: np.ndarray, images: int, captions: int) -> Int[np.ndarray, " captions"]:
    """Return the image of each caption, if each caption has one and each image has a caption.

    Raises:
        XmrError: it is not so.
    """
    if len(image_of_caption) != captions or not captions:
        raise XmrError(f"ranks: {captions} captions were scored, but {len(image_of_caption)} have an image")
    if image_of_caption.min() < 0 or image_of_caption.max() >= images:
        raise XmrError(f"ranks: {images} images were scored, but captions belong to images outside 0 … {images - 1}")
    counts = np.bincount(image_of_caption, minlength=images)
    if not counts.all():
        raise XmrError(f"ranks: image {int(np.argmin(counts))} has no caption; each image that is ranked needs one")
    return image_of_caption.astype(np.int64)


class Counting:
    """Counts, tile by tile, the foreign items that stand before each right one.

    Args:
        own: scores of the right pairs, rounded as those of the tiles.
        owner: image of each caption.
        optimistic: see ``ranks_from_similarity``.
    """

    def __init__(self, own: Float[np.ndarray, " captions"], owner: Int[np.ndarray, " captions"], optimistic: bool):
        # An image's own captions in one row, so that all images are handled at once; NaN compares false with all.
        counts = np.bincount(owner)
        order = np.argsort(owner, kind="stable")
        self.slot = np.empty(len(owner), np.int64)
        self.slot[order] = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.own, self.owner = own, owner
        self.own_rows = np.full((len(counts), int(counts.max())), np.nan, own.dtype)
        self.own_rows[owner, self.slot] = own
        self.before = np.greater if optimistic else np.greater_equal
        self.foreign_images = np.zeros(len(owner), np.int64)
        self.foreign_captions = np.zeros(self.own_rows.shape, np.int64)
        self.unusable: list[tuple[int, int]] = []
        self.unusable_count = 0

    def add(self, rows: slice, columns: slice, scores: Float[np.ndarray, "rows columns"]) -> None:
        """Count the scores of some images with some captions, which are written over."""
        if not (finite := np.isfinite(scores)).all():
            bad = np.argwhere(~finite)
            self.unusable_count += len(bad)
            self.unusable.append((rows.start + int(bad[0, 0]), columns.start + int(bad[0, 1])))
        row = self.owner[columns] - rows.start
        inside = np.flatnonzero((row >= 0) & (row < len(scores)))
        scores[row[inside], inside] = np.nan
        self.foreign_images[columns] += np.count_nonzero(self.before(scores, self.own[columns]), axis=0)
        for k in range(self.own_rows.shape[1]):
            own = self.own_rows[rows, k, None]
            self.foreign_captions[rows, k] += np.count_nonzero(self.before(scores, own), axis=1)

    def ranks(self) -> Ranks:
        """Return the ranks, once all tiles are counted.

        Raises:
            XmrError: a score was not finite.
        """
        if self.unusable:
            image, caption = min(self.unusable)
            raise XmrError(
                f"ranks: {self.unusable_count} scores are not finite, first that of image {image} with caption "
                f"{caption}; ranks would mean nothing: look for NaN in the features or a training that diverged"
            )
        foreign_captions = self.foreign_captions.copy()
        for k in range(self.own_rows.shape[1]):
            value = self.own_rows[:, k, None]
            foreign_captions[:, k] += (self.own_rows > value).sum(1) + (self.own_rows[:, :k] == value).sum(1)
        return Ranks(foreign_captions[self.owner, self.slot] + 1, self.foreign_images + 1, self.owner)
