"""Similarities of embeddings, some at a time, that do not depend on which are computed together."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError

DISTANCES = ("cosine", "dot", "euclidean")
ROUNDING = 1e-12
"""Squared distances below this share of the squared lengths are rounding: they count as 0."""
AT_ONCE = 256
"""Rows that are made double at once: few enough to stay in a processor's cache."""


class Scores:
    """Summed in double precision, rounded to single.

    Args:
        images: embeddings; one of length 0 has cosine 0 with everything.
        captions: embeddings in the same space.
        distance: ``cosine``, ``dot``, or ``euclidean`` (the similarity is the negative squared distance).

    Raises:
        XmrError: an unknown distance.
    """

    def __init__(
        self, images: Float[np.ndarray, "images embed"], captions: Float[np.ndarray, "captions embed"], distance: str
    ):
        if distance not in DISTANCES:
            raise XmrError(f"distance {distance!r} is unknown; there are {', '.join(DISTANCES)}")
        self.images, self.captions, self.distance = images, captions, distance

    @cached_property
    def image_squares(self) -> Float[np.ndarray, " images"]:
        """Squared lengths of the images, in double precision."""
        return _squares(self.images)

    @cached_property
    def caption_squares(self) -> Float[np.ndarray, " captions"]:
        """Squared lengths of the captions, in double precision."""
        return _squares(self.captions)

    def tile(self, rows: slice, columns: slice) -> Float[np.ndarray, "rows columns"]:
        """Return the similarities of some images with some captions, a fresh array."""
        x_squares, y_squares = self.image_squares[rows], self.caption_squares[columns]
        x, y = self._vectors(self.images[rows], x_squares), self._vectors(self.captions[columns], y_squares)
        return self._rounded(x @ y.T, x_squares[:, None], y_squares)

    def own(self, owner: Int[np.ndarray, " captions"]) -> Float[np.ndarray, " captions"]:
        """Return the similarity of each caption with its own image."""
        return self.pairs(owner, np.arange(len(owner)))

    def pairs(
        self, images: Int[np.ndarray, " pairs"], captions: Int[np.ndarray, " pairs"]
    ) -> Float[np.ndarray, " pairs"]:
        """Return the similarities of images with one caption each, by their places."""
        found = np.empty(len(images), np.float32)
        for start in range(0, len(images), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            x_squares, y_squares = self.image_squares[images[part]], self.caption_squares[captions[part]]
            x = self._vectors(self.images[images[part]], x_squares)
            y = self._vectors(self.captions[captions[part]], y_squares)
            found[part] = self._rounded(np.einsum("pe,pe->p", x, y), x_squares, y_squares)  # p pairs, e embed
        return found

    def _vectors(self, rows: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Return what is multiplied."""
        wide = rows.astype(np.float64)
        if self.distance == "cosine":
            wide /= np.sqrt(np.where(squares == 0, 1, squares))[:, None]
        return wide

    def _rounded(self, dots: np.ndarray, image_squares: np.ndarray, caption_squares: np.ndarray) -> np.ndarray:
        if self.distance == "euclidean":
            squares = image_squares + caption_squares
            dots = -np.maximum(squares - 2 * dots, ROUNDING * squares)
        return dots.astype(np.float32)


def _squares(rows: np.ndarray) -> np.ndarray:
    found = np.empty(len(rows))
    for start in range(0, len(rows), AT_ONCE):
        wide = rows[start : start + AT_ONCE].astype(np.float64)
        found[start : start + AT_ONCE] = np.einsum("re,re->r", wide, wide)  # r rows, e embed
    return found
