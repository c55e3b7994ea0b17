"""Ranks of the right answers, in one pass over the similarities, which need not fit in memory."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .counting import Counting, checked_owners, tiles
from .quick_count import can_count_quickly, count_quickly
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
    return Ranks(*counting.fields())


def ranks_of_embeddings(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions_too"],
    distance: str = "cosine",
    block: int = 1024,
    optimistic: bool = False,
) -> Ranks:
    """Rank from embeddings; only the similarities of ``block`` images with a thousand captions are in memory at a time.

    Scores are summed in double precision and rounded to single: so they do not depend on the block they are in, and
    equal embeddings tie exactly. The ranks are those of ``ranks_from_similarity`` on the same scores; those that single
    precision can tell are counted in it (see ``quick_count``).

    Args:
        images: embeddings; one of length 0 has cosine 0 with everything.
        captions: embeddings in the same space.
        image_of_caption: see ``ranks_from_similarity``.
        distance: ``cosine``, ``dot``, or ``euclidean`` (the similarity is the negative squared distance).
        block: images handled at once.
        optimistic: see ``ranks_from_similarity``.

    Raises:
        XmrError: as ``ranks_from_similarity``, or an unknown distance.
    """
    owner = checked_owners(image_of_caption, len(images), len(captions))
    scores = Scores(images, captions, distance)
    counting = Counting(scores.own(owner), owner, optimistic)
    if can_count_quickly(scores):
        count_quickly(scores, counting, block)
    else:
        for rows, columns in tiles(len(images), len(captions), block):
            counting.add(rows, columns, scores.tile(rows, columns))
    return Ranks(*counting.fields())
