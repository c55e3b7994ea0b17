"""Search: the nearest items of a gallery, whichever split the gallery is."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .losses import similarity_matrix


def nearest(
    queries: Float[np.ndarray, "queries embed"],
    gallery: Float[np.ndarray, "gallery embed"],
    count: int,
    distance: str = "cosine",
) -> tuple[Int[np.ndarray, "queries found"], Float[np.ndarray, "queries found"]]:
    """Return the ``count`` nearest gallery items of each query, best first, and their similarities.

    Args:
        queries: embeddings of what is asked.
        gallery: embeddings of what is searched.
        count: how many; at most the whole gallery is returned.
        distance: ``cosine`` or ``euclidean`` (then similarities are negative distances).
    """
    items = torch.from_numpy(gallery)
    return _best(queries, len(gallery), count, lambda block: similarity_matrix(block, items, distance))


def highest(
    queries: Float[np.ndarray, "queries dim"], gallery: Float[np.ndarray, "gallery dim"], count: int
) -> tuple[Int[np.ndarray, "queries found"], Float[np.ndarray, "queries found"]]:
    """Return the ``count`` gallery items with the highest inner product with each query, and these products."""
    items = torch.from_numpy(gallery).T
    return _best(queries, len(gallery), count, lambda block: block @ items)


def _best(
    queries: np.ndarray, items: int, count: int, similarity: Callable[[Tensor], Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    values, places = [], []
    # Five thousand captions by the captions of a training split would take gigabytes at once.
    for block in torch.from_numpy(queries).split(1024):
        best = similarity(block).topk(min(count, items), dim=1)
        values.append(best.values)
        places.append(best.indices)
    return torch.cat(places).numpy(), torch.cat(values).numpy()
