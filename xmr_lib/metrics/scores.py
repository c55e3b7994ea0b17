"""Similarities of embeddings, some at a time, that do not depend on which are computed together."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError

DISTANCES = ("cosine", "dot", "euclidean")
ROUNDING = 1e-12
"""Squared distances below this share of the squared lengths are rounding: they count as 0."""


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

    def tile(self, rows: slice, columns: slice) -> Float[np.ndarray, "rows columns"]:
        """Return the similarities of some images with some captions, a fresh array."""
        (x, x_squares), (y, y_squares) = self._vectors(self.images[rows]), self._vectors(self.captions[columns])
        return self._rounded(x @ y.T, x_squares[:, None], y_squares)

    def own(self, owner: Int[np.ndarray, " captions"], block: int) -> Float[np.ndarray, " captions"]:
        """Return the similarity of each caption with its own image."""
        own = np.empty(len(owner), np.float32)
        for start in range(0, len(owner), block):
            part = slice(start, start + block)
            (x, x_squares), (y, y_squares) = self._vectors(self.images[owner[part]]), self._vectors(self.captions[part])
            own[part] = self._rounded(np.einsum("ce,ce->c", x, y), x_squares, y_squares)  # c captions, e embed
        return own

    def _vectors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is multiplied, and its squared lengths."""
        wide = rows.astype(np.float64)
        squares = np.einsum("re,re->r", wide, wide)  # r rows, e embed
        if self.distance == "cosine":
            wide /= np.sqrt(np.where(squares == 0, 1, squares))[:, None]
        return wide, squares

    def _rounded(self, dots: np.ndarray, image_squares: np.ndarray, caption_squares: np.ndarray) -> np.ndarray:
        if self.distance == "euclidean":
            squares = image_squares + caption_squares
            dots = -np.maximum(squares - 2 * dots, ROUNDING * squares)
        return dots.astype(np.float32)
