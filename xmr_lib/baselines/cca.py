"""Regularised canonical correlation analysis: the linear common space, in closed form."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Float, Float32, Float64, Int

from ..errors import XmrError

BLOCK = 4096
"""Captions handled at once, and their images: only so many are held."""


@runtime_checkable
class Vectors(Protocol):
    """Vectors of items: an array, or what reads some of them when it is asked."""

    def __len__(self) -> int: ...

    def __getitem__(self, items: Int[np.ndarray, " some"]) -> Float[np.ndarray, "some dim"]: ...


@dataclass(frozen=True)
class CCA:
    """Two linear maps whose outputs are as correlated as can be, dimension by dimension."""

    image_mean: Float64[np.ndarray, " image_dim"]
    caption_mean: Float64[np.ndarray, " text_dim"]
    image_map: Float64[np.ndarray, "image_dim embed"]
    caption_map: Float64[np.ndarray, "text_dim embed"]
    correlations: Float64[np.ndarray, " embed"]
    """Canonical correlations (shrunk by the ridge), falling, 0 … 1."""

    @classmethod
    def fit(
        cls,
        images: Vectors,
        captions: Vectors,
        image_of_caption: Int[np.ndarray, " captions"],
        regularisation: float,
        dims: int | None = None,
    ) -> "CCA":
        """Fit once. To try several ridges, keep ``CCAStatistics``; arguments and errors are those of its methods."""
        return CCAStatistics.of(images, captions, image_of_caption).solve(regularisation, dims)

    def embed_images(
        self, images: Float[np.ndarray, "images image_dim"], power: float = 0.0
    ) -> Float32[np.ndarray, "images embed"]:
        """Project images; dimension d is weighted by its correlation to the ``power`` (Gong et al. 2014)."""
        return ((images - self.image_mean) @ self.image_map * self.correlations**power).astype(np.float32)

    def embed_captions(
        self, captions: Float[np.ndarray, "captions text_dim"], power: float = 0.0
    ) -> Float32[np.ndarray, "captions embed"]:
        """Project captions; see ``embed_images``."""
        return ((captions - self.caption_mean) @ self.caption_map * self.correlations**power).astype(np.float32)


@dataclass(frozen=True)
class CCAStatistics:
    """Means and covariances over image–caption pairs: all that CCA needs, whatever the ridge."""

    image_mean: Float64[np.ndarray, " image_dim"]
    caption_mean: Float64[np.ndarray, " text_dim"]
    image_covariance: Float64[np.ndarray, "image_dim image_dim"]
    caption_covariance: Float64[np.ndarray, "text_dim text_dim"]
    cross_covariance: Float64[np.ndarray, "image_dim text_dim"]

    @classmethod
    def of(
        cls,
        images: Vectors,
        captions: Vectors,
        image_of_caption: Int[np.ndarray, " captions"],
    ) -> "CCAStatistics":
        """Collect the statistics, in two passes; an image counts once for each of its captions.

        Raises:
            XmrError: fewer than two captions, or features that are not finite.
        """
        pairs = len(captions)
        if pairs < 2:
            raise XmrError(f"CCA needs at least 2 pairs; there are {pairs}")
        # Captions of one image follow each other here, whatever their order: each image is read once, or nearly so.
        order = np.argsort(image_of_caption, kind="stable")
        blocks = [order[start : start + BLOCK] for start in range(0, pairs, BLOCK)]
        image_mean, caption_mean = np.float64(0), np.float64(0)
        for block in blocks:
            own, counts = np.unique(image_of_caption[block], return_counts=True)
            image_mean = image_mean + counts @ _finite("image", images[own]) / pairs
            caption_mean = caption_mean + _finite("caption", captions[block]).sum(0) / pairs
        image_covariance = np.zeros((len(image_mean), len(image_mean)))
        caption_covariance = np.zeros((len(caption_mean), len(caption_mean)))
        cross_covariance = np.zeros((len(image_mean), len(caption_mean)))
        for block in blocks:
            own, place, counts = np.unique(image_of_caption[block], return_inverse=True, return_counts=True)
            x, y = images[own] - image_mean, captions[block] - caption_mean
            # Row i: the sum of the captions of image i.
            sums = scipy.sparse.csr_array((np.ones(len(y)), (place, np.arange(len(y)))), shape=(len(x), len(y))) @ y
            cross_covariance += x.T @ sums / pairs
            caption_covariance += y.T @ y / pairs
            x *= np.sqrt(counts[:, None])
            image_covariance += x.T @ x / pairs
        return cls(image_mean, caption_mean, image_covariance, caption_covariance, cross_covariance)

    def solve(self, regularisation: float, dims: int | None = None) -> CCA:
        """Find the directions (Hotelling 1936; with a ridge: Vinod 1976, Hardoon et al. 2004).

        Args:
            regularisation: ridge added to both covariances, as a share of their mean variance, > 0 unless both have
                full rank.
            dims: directions kept; by default all, min(image_dim, text_dim).

        Raises:
            XmrError: a covariance is singular and the ridge does not mend it, or the ridge is below 0.
        """
        if not regularisation >= 0:
            raise XmrError(f"CCA: regularisation {regularisation} must not be below 0")
        factors = []
        for what, mean, covariance in (
            ("image", self.image_mean, self.image_covariance),
            ("caption", self.caption_mean, self.caption_covariance),
        ):
            ridge = regularisation * np.trace(covariance) / len(covariance)
            ridged = covariance + ridge * np.eye(len(covariance))
            factor, failed = scipy.linalg.lapack.dpotrf(ridged, lower=True, clean=True)
            # A pivot² is what the features before it leave of a feature's variance. Rounding may put a 0 above 0: by a
            # share of the variance, and, where that is itself 0, by the error of the mean that was taken off.
            rounding = np.maximum(1e-12 * ridged.diagonal(), (1e-13 * mean) ** 2)
            if failed or (factor.diagonal() ** 2 <= rounding).any():
                raise XmrError(
                    f"CCA: the {what} features' covariance is singular with regularisation {regularisation}; take a "
                    "larger one"
                )
            factors.append(factor)
        # Whitened cross-covariance L_x⁻¹ C_xy L_y⁻ᵀ: its singular values are the correlations.
        half = scipy.linalg.solve_triangular(factors[0], self.cross_covariance, lower=True)
        whitened = scipy.linalg.solve_triangular(factors[1], half.T, lower=True).T
        left, correlations, right = scipy.linalg.svd(whitened, full_matrices=False)
        kept = slice(0, dims)
        return CCA(
            self.image_mean,
            self.caption_mean,
            scipy.linalg.solve_triangular(factors[0], left[:, kept], lower=True, trans="T"),
            scipy.linalg.solve_triangular(factors[1], right.T[:, kept], lower=True, trans="T"),
            np.clip(correlations[kept], 0.0, 1.0),
        )


def _finite(what: str, vectors: Float[np.ndarray, "some dim"]) -> Float64[np.ndarray, "some dim"]:
    if not np.isfinite(vectors).all():
        raise XmrError(f"CCA: the {what} features hold values that are not finite; make them again")
    return vectors.astype(np.float64)
