"""The modality gap: images and captions of a common space lie apart, each in a cone of its own (Liang et al. 2022)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class ModalityGap:
    """How far the modalities lie apart, and what that does to the distance of a pair. Lengths in units of the space."""

    gap: float
    """Distance between the mean of the images and the mean of the captions."""
    pair_distance: float
    """Root of the mean squared distance of an image and its own caption."""
    other_distance: float
    """The same for any image with any caption, own ones included."""

    @property
    def share(self) -> float:
        """Share of a pair's mean squared distance that is the gap: 0, the modalities have one mean; 1, nothing else."""
        return self.gap**2 / self.pair_distance**2


def modality_gap(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
) -> ModalityGap:
    """Measure the gap of a common space over its pairs: an image counts as often as it has captions.

    With x an image and y its caption, the mean of |x − y|² is |mean x − mean y|² plus the mean squared distance of what
    is left when each modality is moved to its own mean: so the gap explains an exact share of it.

    Example: images (1, 0) and (0, 1), captions (3, 0) and (2, 1), one each: the gap is 2, every pair is 2 apart, and
    the share is 1. Any image and any caption are 2, √2, √10 and 2 apart: root mean square √5.
    """
    x, y = images[image_of_caption].astype(np.float64), captions.astype(np.float64)
    between = x.mean(0) - y.mean(0)
    # The mean over all combinations needs the two means and the two spreads only.
    spread = ((x - x.mean(0)) ** 2).sum(1).mean() + ((y - y.mean(0)) ** 2).sum(1).mean()
    return ModalityGap(
        gap=float(np.linalg.norm(between)),
        pair_distance=float(np.sqrt(((x - y) ** 2).sum(1).mean())),
        other_distance=float(np.sqrt(between @ between + spread)),
    )


def close_gap(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
    share: float = 1.0,
) -> tuple[Float[np.ndarray, "images embed"], Float[np.ndarray, "captions embed"]]:
    """Move both modalities towards each other along the gap and back onto the sphere (Liang et al. 2022, section 4).

    Args:
        share: part of the gap that is closed: 0 leaves directions as they are, 1 puts mean on mean (before vectors are
            scaled to length 1 again), −1 doubles the gap.
    """
    step = share / 2 * (images[image_of_caption].mean(0) - captions.mean(0))
    return _unit(images - step), _unit(captions + step)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
