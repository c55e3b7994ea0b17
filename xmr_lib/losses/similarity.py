"""How alike two embeddings are, and which pairs of a batch may serve as negatives."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import XmrError

DIRECTIONS = {"i2t": ("i2t",), "t2i": ("t2i",), "both": ("i2t", "t2i")}


def similarity_matrix(
    images: Float[Tensor, "images embed"], captions: Float[Tensor, "captions embed"], distance: str
) -> Float[Tensor, "images captions"]:
    """Return the similarity of every image with every caption; higher is more alike.

    Args:
        distance: ``cosine``; or ``euclidean``, then it is the negative distance.

    Raises:
        XmrError: an unknown distance.
    """
    if distance == "cosine":
        normalised = [torch.nn.functional.normalize(x, dim=-1) for x in (images, captions)]
        return normalised[0] @ normalised[1].T
    if distance != "euclidean":
        raise XmrError(f"distance {distance!r} is unknown; there are cosine, euclidean")
    squares = images.square().sum(1)[:, None] + captions.square().sum(1)[None, :] - 2 * images @ captions.T
    # The root's slope is infinite at 0, where rounding may even put a square below 0.
    return -squares.clamp_min(1e-12).sqrt()


def known_direction(direction: str) -> str:
    """Return the direction.

    Raises:
        XmrError: there is no such direction.
    """
    if direction not in DIRECTIONS:
        raise XmrError(f"direction {direction!r} is unknown; there are {', '.join(DIRECTIONS)}")
    return direction


def by_direction(
    similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"], direction: str
) -> Iterator[tuple[Float[Tensor, "anchors candidates"], Bool[Tensor, "anchors candidates"]]]:
    """Yield, for each direction asked for, similarities with the anchors as rows, and which entries are negatives.

    Two pairs of one image are never each other's negatives, whichever of its captions they hold.
    """
    negative = image_of_pair[:, None] != image_of_pair[None, :]
    for one in DIRECTIONS[direction]:
        yield (similarity if one == "i2t" else similarity.T), negative
