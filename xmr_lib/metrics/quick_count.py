"""Counting at the speed of single precision: only where that can't tell, double precision decides.

A product of two vectors in single precision is off by no more than its number of terms times 2⁻²⁴ times their lengths
(Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, §3.1), in whatever order it is summed. A score that is
further than that from a right one stands on the same side of it as in double precision; the few that are nearer are
computed again.
"""

import numpy as np
from jaxtyping import Float

from .counting import Counting, right_pairs
from .scores import Scores

UNIT = 2.0**-24
"""Rounding of single precision."""
ROWS = 252
"""Captions whose scores are counted at once: counts of them fit into a byte, which is summed many at a time."""
PRODUCTS = 4
"""As many times more captions are multiplied at once."""
DOUBTFUL = 0.02
"""Share of a tile's scores; where more are too near, as those of a collapsed model, all of it is computed again."""


def can_count_quickly(scores: Scores) -> bool:
    """Tell whether single precision holds the embeddings and their products."""
    largest = max(scores.image_squares.max(initial=0), scores.caption_squares.max(initial=0))
    # NaN compares false.
    return bool(largest < 1e36)


def count_quickly(scores: Scores, counting: Counting, block: int) -> None:
    """Count all pairs; the scores of ``block`` images with a thousand captions are in memory at a time."""
    x = _single(scores, scores.images, scores.image_squares)
    images, captions = (_Bounds(scores, squares) for squares in (scores.image_squares, scores.caption_squares))
    step = PRODUCTS * ROWS
    for left in range(0, len(scores.captions), step):
        columns = slice(left, min(left + step, len(scores.captions)))
        y = _single(scores, scores.captions[columns], scores.caption_squares[columns])
        for top in range(0, len(scores.images), block):
            rows = slice(top, min(top + block, len(scores.images)))
            found = y @ x[rows].T
            if scores.distance == "euclidean":
                found *= 2
                found -= scores.image_squares[rows].astype(np.float32)
                found -= scores.caption_squares[columns, None].astype(np.float32)
            for start in range(left, columns.stop, ROWS):
                part = slice(start, min(start + ROWS, columns.stop))
                own = found[start - left : part.stop - left]
                _count(scores, counting, own, rows, part, images, captions)


class _Bounds:
    """How far scores in single precision can be from those in double precision, rounded."""

    def __init__(self, scores: Scores, squares: Float[np.ndarray, " items"]):
        self.lengths = np.ones(len(squares)) if scores.distance == "cosine" else np.sqrt(squares)
        # Rounding of the vectors themselves, their product, and what is added to it; then of the score.
        terms = scores.images.shape[1] + 16
        self.share = terms * UNIT / (1 - terms * UNIT)
        self.both = scores.distance == "euclidean"

    def of(self, part: slice, longest: float) -> Float[np.ndarray, " part"]:
        own = self.lengths[part]
        return self.share * ((own + longest) ** 2 if self.both else own * longest) + 1e-37


def _single(scores: Scores, rows: np.ndarray, squares: np.ndarray) -> np.ndarray:
    if scores.distance != "cosine":
        return rows.astype(np.float32)
    return rows * (1 / np.sqrt(np.where(squares == 0, 1, squares))).astype(np.float32)[:, None]


def _count(
    scores: Scores,
    counting: Counting,
    found: Float[np.ndarray, "columns rows"],
    rows: slice,
    columns: slice,
    images: _Bounds,
    captions: _Bounds,
) -> None:
    found.T[right_pairs(counting.owner, rows, columns)] = -np.inf
    longest_image, longest_caption = images.lengths[rows].max(), captions.lengths[columns].max()
    below, above = _around(counting.own[columns], captions.of(columns, longest_image))
    may, must = found >= below[:, None], found >= above[:, None]
    certain_images, doubts = np.count_nonzero(must, axis=1), [(may, must)]
    certain_captions = []
    for own in counting.own_rows[rows].T:
        below, above = _around(own, images.of(rows, longest_caption))
        may, must = found >= below, found >= above
        certain_captions.append(must.view(np.uint8).sum(0, dtype=np.uint8))
        doubts.append((may, must))
    # Of one axis: numpy is ten times as fast there.
    near = [np.divmod(np.flatnonzero(may != must), found.shape[1]) for may, must in doubts]
    if sum(len(places) for places, _ in near) > DOUBTFUL * found.size:
        counting.add(rows, columns, scores.tile(rows, columns))
        return
    counting.foreign_images[columns] += certain_images
    counting.foreign_captions[rows] += np.stack(certain_captions, axis=1)
    for number, (caption, image) in enumerate(near):
        exact = scores.pairs(rows.start + image, columns.start + caption)
        if number == 0:
            stands = counting.before(exact, counting.own[columns.start + caption])
            np.add.at(counting.foreign_images, columns.start + caption[stands], 1)
        else:
            stands = counting.before(exact, counting.own_rows[rows.start + image, number - 1])
            np.add.at(counting.foreign_captions, (rows.start + image[stands], number - 1), 1)


def _around(own: np.ndarray, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what scores must reach to be perhaps, and surely, at least as high as the right ones."""
    wide = own.astype(np.float64)
    bound = bound + 2 * UNIT * np.abs(wide)
    lower, upper = ((wide + side).astype(np.float32) for side in (-bound, bound))
    return np.nextafter(lower, np.float32(-np.inf)), np.nextafter(upper, np.float32(np.inf))
