"""Alignment and uniformity: how close pairs are, and how evenly a modality fills the sphere (Wang & Isola 2020)."""

import numpy as np
import torch
from jaxtyping import Float, Int


def alignment(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
) -> float:
    """Return the mean squared distance of a caption and its image, both scaled to length 1: 0 is best, 2 is at random.

    Example: image (1, 0) with captions (1, 0) and (0, 1): squared distances 0 and 2, alignment 1.
    """
    return float(((_unit(images)[image_of_caption] - _unit(captions)) ** 2).sum(1).mean())


def uniformity(vectors: Float[np.ndarray, "items embed"]) -> float:
    """Return log of the mean of exp(−2 · squared distance) over all pairs of items, scaled to length 1.

    0: all are one point; it is lowest, −4 in many dimensions, where they are spread evenly over the sphere. Example:
    (1, 0) and (0, 1): log exp(−4) = −4.

    Raises:
        ValueError: fewer than two items.
    """
    if len(vectors) < 2:
        raise ValueError(f"uniformity is of pairs; there are {len(vectors)} items")
    squared = torch.nn.functional.pdist(torch.from_numpy(_unit(vectors))).square()
    return float(torch.logsumexp(-2 * squared, 0) - np.log(len(squared)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
