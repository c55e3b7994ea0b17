"""How many foreign items stand before each right one, counted tile by tile."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError


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


def slots(owner: Int[np.ndarray, " captions"]) -> Int[np.ndarray, " captions"]:
    """Number the captions of each image, in their order, from 0."""
    counts = np.bincount(owner)
    found = np.empty(len(owner), np.int64)
    found[np.argsort(owner, kind="stable")] = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return found


def in_rows(
    values: Float[np.ndarray, " captions"], owner: Int[np.ndarray, " captions"], fill: float = -np.inf
) -> Float[np.ndarray, "images most"]:
    """Put the values of an image's own captions into one row, so that all images are handled at once.

    ``fill`` stands where an image has fewer than the most.
    """
    rows = np.full((int(owner.max()) + 1, int(np.bincount(owner).max())), fill, values.dtype)
    rows[owner, slots(owner)] = values
    return rows


def right_pairs(
    owner: Int[np.ndarray, " captions"], rows: slice, columns: slice
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Return where captions stand with their own images in a tile of some images (rows) with some captions."""
    row = owner[columns] - rows.start
    inside = np.flatnonzero((row >= 0) & (row < rows.stop - rows.start))
    return row[inside], inside


class Counting:
    """Counts, tile by tile, the foreign items that stand before each right one.

    Args:
        own: scores of the right pairs, rounded as those of the tiles.
        owner: image of each caption.
        optimistic: see ``ranks_from_similarity``.
    """

    def __init__(self, own: Float[np.ndarray, " captions"], owner: Int[np.ndarray, " captions"], optimistic: bool):
        self.slot = slots(owner)
        self.own, self.owner = own, owner
        # NaN compares false with all.
        self.own_rows = in_rows(own, owner, np.nan)
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
        scores[right_pairs(self.owner, rows, columns)] = np.nan
        self.foreign_images[columns] += np.count_nonzero(self.before(scores, self.own[columns]), axis=0)
        for k in range(self.own_rows.shape[1]):
            own = self.own_rows[rows, k, None]
            self.foreign_captions[rows, k] += np.count_nonzero(self.before(scores, own), axis=1)

    def fields(self) -> tuple[Int[np.ndarray, " captions"], Int[np.ndarray, " captions"], Int[np.ndarray, " captions"]]:
        """Return the fields of ``Ranks``, once all tiles are counted.

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
        return foreign_captions[self.owner, self.slot] + 1, self.foreign_images + 1, self.owner
