"""Flat maps of a space: t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et al. 2018)."""

import numpy as np
from jaxtyping import Float

from ..errors import XmrError

METHODS = ("tsne", "umap")
DIMENSIONS = 50
"""Principal components that are kept first: distances hardly change, and the maps take a fraction of the time."""
PERPLEXITY = 30.0
NEIGHBOURS = 15


def flat_map(vectors: Float[np.ndarray, "points embed"], method: str, seed: int = 0) -> Float[np.ndarray, "points 2"]:
    """Draw points of a space in the plane, neighbours beside neighbours; the same seed gives the same map.

    Euclidean distances of the first principal components are kept; of vectors of length 1 they order as cosines do.
    The map lies in the middle of the unit square, its longer side as long as that: it has no unit of its own, and only
    who lies beside whom means anything.

    Raises:
        XmrError: an unknown method, or fewer than five points.
    """
    if method not in METHODS:
        raise XmrError(f"map {method!r} is unknown; there are {', '.join(METHODS)}")
    if len(vectors) < 5:
        raise XmrError(f"map: {len(vectors)} points are too few to be drawn by their neighbours; give at least 5")
    # Both take seconds to be imported: who draws no map does not wait for them.
    from sklearn.decomposition import PCA

    components = min(DIMENSIONS, *vectors.shape)
    reduced = PCA(components, svd_solver="full").fit_transform(vectors.astype(np.float64)).astype(np.float32)
    flat = {"tsne": _tsne, "umap": _umap}[method](reduced, seed)
    low, high = flat.min(0).astype(np.float64), flat.max(0).astype(np.float64)
    return 0.5 + (flat - (low + high) / 2) / max((high - low).max(), 1e-12)


def _tsne(points: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)


def _umap(points: np.ndarray, seed: int) -> np.ndarray:
    from umap import UMAP

    # With a seed UMAP uses one thread, whatever it is told; saying so keeps it from warning.
    neighbours = min(NEIGHBOURS, len(points) - 1)
    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1, init="pca").fit_transform(points)
