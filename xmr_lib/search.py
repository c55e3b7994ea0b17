"""Search: the nearest items of a gallery, whichever split the gallery is."""

import numpy as np
import torch
from jaxtyping import Float, Int

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
    values, places = [], []
    # Five thousand captions by the captions of a training split would take gigabytes at once.
    for block in torch.from_numpy(queries).split(1024):
        similarity = similarity_matrix(block, torch.from_numpy(gallery), distance)
        best = similarity.topk(min(count, len(gallery)), dim=1)
        values.append(best.values)
        places.append(best.indices)
    return torch.cat(places).numpy(), torch.cat(values).numpy()
