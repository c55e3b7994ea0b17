"""The best items of each query, in the very order that ranks are counted in; no similarity matrix is held whole."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from ..errors import XmrError
from .counting import checked_owners
from .scores import Scores

DIRECTIONS = ("i2t", "t2i")
SIGN, PLACE_BITS = np.uint32(1 << 31), np.uint64(31)
LAST_PLACE = (1 << 31) - 1


@dataclass(frozen=True)
class TopLists:
    """The best items of some queries, best first."""

    queries: slice
    items: Int[np.ndarray, "queries top"]
    scores: Float[np.ndarray, "queries top"]
    relevant: Bool[np.ndarray, "queries top"]


def top_lists(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions_too"],
    direction: str,
    top: int,
    distance: str = "cosine",
    block: int = 1024,
) -> Iterator[TopLists]:
    """Yield the ``top`` best items (at most all) of each query, block by block, in the order of the queries.

    The order is that of ``ranks_of_embeddings``: the same scores, in single precision; of items that tie, those that
    are not right stand first, then by number. So a right item stands here at the rank that is counted there.

    Args:
        images, captions, image_of_caption, distance: see ``ranks_of_embeddings``.
        direction: ``i2t``, images search captions, or ``t2i``.
        block: images, and captions, handled at once; values are bit for bit those of ranks with the same block.

    Raises:
        XmrError: ``top`` is below 1, an unknown direction or distance, a score that is not finite, or as
            ``ranks_from_similarity``.
    """
    if top < 1:
        raise XmrError(f"top {top}: a list has at least 1 item")
    if direction not in DIRECTIONS:
        raise XmrError(f"direction {direction!r} is unknown; there are {', '.join(DIRECTIONS)}")
    owner = checked_owners(image_of_caption, len(images), len(captions))
    scores = Scores(images, captions, distance)
    return _blocks(scores, owner, scores.own(owner), direction == "i2t", top, block)


def _blocks(
    scores: Scores, owner: np.ndarray, own: np.ndarray, by_image: bool, top: int, block: int
) -> Iterator[TopLists]:
    queries, items = (len(scores.images), len(owner)) if by_image else (len(owner), len(scores.images))
    for start in range(0, queries, block):
        asked = slice(start, min(start + block, queries))
        best = np.empty((asked.stop - start, 0), np.uint64)
        for left in range(0, items, block):
            found = slice(left, min(left + block, items))
            rows, columns = (asked, found) if by_image else (found, asked)
            right = owner[columns] == np.arange(rows.start, rows.stop)[:, None]
            # As ranks are counted: a right pair's score is summed for itself.
            tile = np.where(right, own[columns], scores.tile(rows, columns))
            if not np.isfinite(tile).all():
                image, caption = np.argwhere(~np.isfinite(tile))[0] + (rows.start, columns.start)
                raise XmrError(
                    f"the score of image {image} with caption {caption} is not finite; look for NaN in the features or "
                    "a training that diverged"
                )
            tile, right = (tile, right) if by_image else (tile.T, right.T)
            best = np.concatenate([best, _keys(tile, right, left)], axis=1)
            if best.shape[1] > top:
                best = np.partition(best, best.shape[1] - top, axis=1)[:, -top:]
        yield _lists(asked, np.sort(best, axis=1)[:, ::-1])


def _keys(
    scores: Float[np.ndarray, "queries items"], right: Bool[np.ndarray, "queries items"], first: int
) -> UInt64[np.ndarray, "queries items"]:
    """Return one whole number per pair, no two of a query alike: score, then not right before right, then place."""
    # Bits of floats order as they do once those of negative ones are turned over; -0.0 + 0.0 is 0.0.
    bits = (scores.astype(np.float32) + np.float32(0.0)).view(np.uint32)
    ordered = np.where(bits & SIGN, ~bits, bits | SIGN).astype(np.uint64)
    places = (LAST_PLACE - np.arange(first, first + scores.shape[1])).astype(np.uint64)
    return ordered << np.uint64(32) | (~right).astype(np.uint64) << PLACE_BITS | places


def _lists(queries: slice, keys: UInt64[np.ndarray, "queries top"]) -> TopLists:
    ordered = (keys >> np.uint64(32)).astype(np.uint32)
    bits = np.where(ordered & SIGN, ordered ^ SIGN, ~ordered)
    places = LAST_PLACE - (keys & np.uint64(LAST_PLACE)).astype(np.int64)
    relevant = (keys >> PLACE_BITS & np.uint64(1)) == 0
    return TopLists(queries, places, bits.view(np.float32), relevant)
