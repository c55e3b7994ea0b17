"""Flat maps of a space: t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et al. 2018)."""

import numpy as np
from jaxtyping import Float

from ..errors import XmrError

METHODS = ("tsne", "umap")
DIMENSIONS = 50
"""Principal components that are kept first: distances hardly change, and the maps take a fraction of the time."""
PERPLEXITY = 30.0
NEIGHBOURS = 15


def project_2d(vectors: Float[np.ndarray, "points embed"], method: str, seed: int = 0) -> Float[np.ndarray, "points 2"]:
    """Draw points of a space in the plane, neighbours beside neighbours; the same seed gives the same map.

    Euclidean distances of the first principal components are kept; of vectors of length 1 they order as cosines do.
    The map has no unit and no direction of its own, only who lies beside whom means anything: it is turned so that it
    is widest from left to right, and lies in the middle of the unit square, as wide as that.

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
    return _laid_out(flat.astype(np.float64))


def _laid_out(flat: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 2"]:
    centred = flat - flat.mean(0)
    turned = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    # A principal axis may point either way: towards its longer tail.
    turned *= np.where((turned**3).sum(0) < 0, -1, 1)
    low, high = turned.min(0), turned.max(0)
    return 0.5 + (turned - (low + high) / 2) / max((high - low).max(), 1e-12)


def _tsne(points: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)


def _umap(points: np.ndarray, seed: int) -> np.ndarray:
    from umap import UMAP

    # With a seed UMAP uses one thread, whatever it is told; saying so keeps it from warning.
    neighbours = min(NEIGHBOURS, len(points) - 1)
    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1, init="pca").fit_transform(points)
